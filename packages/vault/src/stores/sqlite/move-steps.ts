/**
 * The steps of a move, each within the caller's transaction of the new file; the earlier one is attached as `earlier`.
 * Names and documents go from the one to the other within SQLite, byte for byte; what of a row is none is still none.
 */
import { VaultError } from "../../errors.ts";
import { bucketOf } from "../bucket.ts";
import type { MissingWrap, Wrap, WrapSet, WrapSetId } from "../wrap-set.ts";
import { moment } from "./columns.ts";
import type { Marked } from "./mark.ts";
import type { MoveRow } from "./move-row.ts";
import type { Connection } from "./statements.ts";
import { internWrapSet, wrapSetRow } from "./wrap-set-rows.ts";

/** Most of one step: rows, and bytes of messages. */
const STEP = { heads: 2_000, versions: 500, bytes: 8 * 1024 * 1024 } as const;
/** Says that a version has had its wraps since nobody knows when: no date is so late. */
const NO_MOMENT = Number.MAX_SAFE_INTEGER;
/** The number of no wrap set, for a row that does not say how many wraps it has: it stays as damaged as it was. */
const NO_SET = 0 as WrapSetId;
/** More wraps than a version was ever asked to have. */
const MOST_WRAPS = 1_000;
/** A count of failures as the earlier version took it. */
const MOST_ATTEMPTS = 1_000_000;

/** The new file is the vault that the earlier one was, with all its changes. */
export function beginMove({ database }: Connection, { vault, commits }: Marked): void {
  database.prepare("update gate set vault = ?, commits = ?").run(vault, commits);
  database
    .prepare("insert into move (one, phase, after_row) values (1, 'heads', cast('-9223372036854775808' as integer))")
    .run();
}

/** Versions that are in the new file, and all of the earlier one. Counts them: for the beginning. */
export function countMoved({ database }: Connection): { readonly done: number; readonly total: number } {
  const count = (table: string): number => Number(database.prepare(`select count(*) as n from ${table}`).get()?.["n"]);
  return { done: count("main.versions"), total: count("earlier.versions") };
}

/** The addresses and heads behind the ones that are here, in order. */
export function moveHeads({ database }: Connection, { after_collection: after, after_id: afterId }: MoveRow): void {
  const behind = after === null ? "true" : "(collection, id) > (cast(:collection as text), cast(:id as text))";
  const values = after === null ? {} : { collection: after, id: afterId };
  const last = database
    .prepare(
      `select cast(collection as blob) as collection, cast(id as blob) as id from (
        select collection, id from earlier.heads where ${behind} order by collection, id limit ${STEP.heads})
      order by collection desc, id desc limit 1`,
    )
    .get(values) as { readonly collection: Uint8Array; readonly id: Uint8Array } | undefined;
  if (last === undefined) {
    database.prepare("update move set phase = 'versions'").run();
    return;
  }
  const upTo = { ...values, lastCollection: last.collection, lastId: last.id };
  const range = `where ${behind}
    and (collection, id) <= (cast(:lastCollection as text), cast(:lastId as text)) order by collection, id`;
  database.prepare(`insert into records (collection, id) select collection, id from earlier.heads ${range}`).run(upTo);
  database
    .prepare(
      `insert into heads (record, version, state, updated_at)
      select records.record, own.version, own.state, own.updated_at
      from (select * from earlier.heads ${range}) as own
      cross join records on records.collection = own.collection and records.id = own.id`,
    )
    .run(upTo);
  database.prepare("update move set after_collection = ?, after_id = ?").run(last.collection, last.id);
}

interface EarlierVersion {
  readonly row: bigint;
  readonly collection: string;
  readonly id: string;
  readonly created_at: string;
  readonly stored: bigint | null;
  readonly target: bigint | null;
  readonly message: Uint8Array;
}

/** The versions behind the ones that are here, as they were written: how many, and whether there are more. */
export function moveVersions(
  connection: Connection,
  { after_row: after }: MoveRow,
  wrapsOf: (message: Uint8Array) => readonly Wrap[] | null,
): { readonly moved: number; readonly isLast: boolean } {
  const { database } = connection;
  const insert = {
    // Of version rows without a head, which only a hand in the database leaves behind.
    record: database.prepare(
      `insert into records (collection, id) select collection, id from earlier.versions where rowid = ?
      on conflict do nothing`,
    ),
    version: database.prepare(
      `insert into versions
        (record, version, write_id, revision, wrap_set, bucket, since, subject, created_at, message)
      select records.record, own.version, '', 0, :set, :bucket, :since, own.subject, own.created_at, own.message
      from earlier.versions as own
      join records on records.collection = own.collection and records.id = own.id
      where own.rowid = :row`,
    ),
  };
  const found = database.prepare(
    `select rowid as row, collection, id, created_at, message,
      iif(wraps_stored between 0 and ${MOST_WRAPS}, wraps_stored, null) as stored,
      iif(wraps_target between 0 and ${MOST_WRAPS}, wraps_target, null) as target
    from earlier.versions where rowid > ? order by rowid limit ${STEP.versions}`,
  );
  found.setReadBigInts(true);
  let [rows, bytes, last] = [0, 0, BigInt(after)];
  for (const one of found.iterate(BigInt(after))) {
    const own = one as unknown as EarlierVersion;
    const { row, collection, id, message } = own;
    insert.record.run(row);
    const owed = debtOf(connection, row);
    const set = wrapSetOf(own, owed, wrapsOf);
    insert.version.run({
      row,
      set: set === null ? NO_SET : internWrapSet(connection, wrapSetRow(set)),
      bucket: bucketOf({ collection, id }),
      since: sinceOf(own, owed),
    });
    noteFailure(connection, owed);
    [rows, bytes, last] = [rows + 1, bytes + message.length, row];
    if (bytes >= STEP.bytes) break;
  }
  database.prepare("update move set after_row = ?").run(last);
  return { moved: rows, isLast: rows < STEP.versions && bytes < STEP.bytes };
}

interface Debt {
  readonly key_arn: string;
  readonly region: string;
  readonly reason: string;
  readonly since: string;
  readonly due_at: number | null;
  readonly attempts: number;
  readonly problem: string | null;
  readonly problem_at: string | null;
}

const whole = (column: string): string => `iif(${column} between 0 and ${Number.MAX_SAFE_INTEGER}, ${column}, null)`;

/** The wraps that the version owed. Texts are cut: a hand may have put anything there. */
function debtOf({ database }: Connection, row: bigint): readonly Debt[] {
  return database
    .prepare(
      `select substr(key_arn, 1, 2048) as key_arn, substr(region, 1, 200) as region, substr(reason, 1, 200) as reason,
        since, ${whole("due_at")} as due_at, substr(problem, 1, 200) as problem, problem_at,
        iif(attempts between 0 and ${MOST_ATTEMPTS}, attempts, ${MOST_ATTEMPTS}) as attempts
      from earlier.versions as own
      join earlier.wrap_debt as debt
        on debt.collection = own.collection and debt.id = own.id and debt.version = own.version
      where own.rowid = ? order by key_arn`,
    )
    .all(row) as unknown as readonly Debt[];
}

/** What a version has and what it owes; null when its row does not say it. */
function wrapSetOf(
  { stored, target, message }: EarlierVersion,
  owed: readonly Debt[],
  wrapsOf: (message: Uint8Array) => readonly Wrap[] | null,
): WrapSet | null {
  if (stored === null || target === null) return null;
  const missing = owed.map(({ region, key_arn: keyArn, reason }): MissingWrap => ({ region, keyArn, reason }));
  return { wraps: read(message, wrapsOf) ?? unknownWraps(Number(stored)), target: Number(target), missing };
}

function read(message: Uint8Array, wrapsOf: (message: Uint8Array) => readonly Wrap[] | null): readonly Wrap[] | null {
  try {
    return wrapsOf(message);
  } catch {
    return null;
  }
}

/** As many as the row says that there are, under nobody knows which keys. */
const unknownWraps = (stored: number): readonly Wrap[] =>
  Array.from({ length: stored }, () => ({ provider: "unknown", key: "unknown", material: null }));

/** Since when the version has had its wraps: of what is owed, since the first of it was. In milliseconds. */
function sinceOf({ created_at: createdAt }: EarlierVersion, owed: readonly Debt[]): number {
  const moments = (owed.length === 0 ? [createdAt] : owed.map(({ since }) => since))
    .map(moment)
    .filter((one) => one !== null);
  return moments.reduce((first, one) => Math.min(first, Date.parse(one)), NO_MOMENT);
}

/** All of a version's debts have the same account of its repairs. It is of the version that was inserted last. */
function noteFailure({ database }: Connection, owed: readonly Debt[]): void {
  const failed = owed.find(({ problem, problem_at: at }) => problem !== null && at !== null);
  if (failed === undefined || failed.attempts === 0) return;
  database
    .prepare(
      "insert into failures (version_key, attempts, code, at, due_at) select max(key), ?, ?, ?, ? from main.versions",
    )
    .run(failed.attempts, failed.problem, failed.problem_at, failed.due_at ?? 0);
}

/** What must be equal in both files: how many there are, and that each is the same to the last byte. */
const COMPARED: Readonly<Record<string, readonly [here: string, there: string]>> = {
  heads: [
    `select count(*) as n from earlier.heads as own
    join records on records.collection = own.collection and records.id = own.id
    join main.heads as moved on moved.record = records.record
    where moved.version = own.version and moved.state = own.state and moved.updated_at = own.updated_at`,
    "select count(*) as n from earlier.heads",
  ],
  versions: [
    `select count(*) as n from earlier.versions as own
    join records on records.collection = own.collection and records.id = own.id
    join main.versions as moved on moved.record = records.record and moved.version = own.version
    where moved.subject = own.subject and moved.created_at = own.created_at and moved.message = own.message`,
    "select count(*) as n from earlier.versions",
  ],
};

/** Says that all is here. @throws VaultError `store-failed` when it is not: nothing is taken away then */
export function requireWhole({ database }: Connection): void {
  for (const [what, [here, there]] of Object.entries(COMPARED)) {
    const [moved, all] = [here, there].map((query) => Number(database.prepare(query).get()?.["n"]));
    if (moved !== all)
      throw new VaultError(
        "store-failed",
        `Of ${all ?? 0} ${what} only ${moved ?? 0} arrived as they were: nothing was taken away`,
      );
  }
  database.prepare("update gate set commits = commits + 1").run();
  database.prepare("update move set phase = 'moved'").run();
}

/** The file that the records came from is gone. */
export function endMove({ database }: Connection): void {
  database.prepare("delete from move").run();
}
