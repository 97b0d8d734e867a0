/**
 * Units, within the writer's transaction: each is made only if the head still is the one that it was prepared against,
 * only at the epoch at which its data keys were wrapped, and only if nobody was told that it will not be.
 */
import { sql } from "kysely";
import { VaultError } from "../../errors.ts";
import type { Address, Version } from "../../records/address.ts";
import type { Epoch } from "../gate.ts";
import type { RewrapResult } from "../inventory.ts";
import type { Head } from "../rows.ts";
import type { Outcome, RemoveChange, Unit, UnitResult } from "../units.ts";
import { rowNumber, whole } from "./columns.ts";
import { readGate } from "./gate-row.ts";
import { ONE, statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { foundEntries } from "./entries-taken.ts";
import type { FoundEntry, TakenEntries } from "./entries-taken.ts";
import type { TakenTags } from "./tags-taken.ts";
import { Undone } from "./undone.ts";
import type { TakenRewrap, TakenUnit, TakenWrite } from "./units-taken.ts";
import { internWrapSet } from "./wrap-set-rows.ts";
import { versionItem } from "./version-item.ts";
import { rewrapItem } from "./write-inventory.ts";
import { subjectText } from "./whom.ts";
import { dropKeptOfRecord, keepMessage } from "./write-kept.ts";
import { EntryWriter } from "./write-outbox.ts";
import { dropLinks, link, takePeople } from "./write-subjects.ts";
import { dropTagsOfRecord, UnitTags } from "./write-tags.ts";

/**
 * Makes all units or none.
 *
 * @param audit entries of those units that have one, in their order
 * @param taken tags of all units, in their order
 */
export function applyTogether(
  connection: Connection,
  units: readonly TakenUnit[],
  audit: TakenEntries,
  taken: TakenTags,
): readonly UnitResult[] | Undone<readonly UnitResult[]> {
  const { epoch } = readGate(connection);
  const writer = new EntryWriter(connection, audit);
  const entries = foundEntries(audit).values();
  const tags = new UnitTags(connection, units, taken);
  const results = units.map((unit, number): UnitResult => {
    const entry = unit.hasEntry ? nextEntry(entries) : null;
    if (entry !== null && !writer.goesOn(entry)) return { kind: "stream-moved" };
    const result = makeUnit(connection, unit, { entry, keepTags: (record) => tags.keep(number, record) }, epoch);
    if (entry !== null && result.kind === "made") writer.add(entry);
    return result;
  });
  if (results.some(({ kind }) => kind !== "made"))
    return new Undone(results.map((result) => (result.kind === "made" ? { kind: "not-made" } : result)));
  writer.end();
  return results;
}

function nextEntry(entries: Iterator<FoundEntry>): FoundEntry {
  const next = entries.next();
  if (next.done === true) throw new VaultError("store-failed", "The entry of a unit is missing");
  return next.value;
}

/** What goes with a unit. */
interface WithUnit {
  /** Null: it has none. */
  readonly entry: FoundEntry | null;
  /** Puts its tags in the place of its record's; why not, or null: they are. */
  readonly keepTags: (record: bigint) => UnitResult | null;
}

function makeUnit(
  connection: Connection,
  { writeId, address, bucket, base, change }: TakenUnit,
  { entry, keepTags }: WithUnit,
  epoch: Epoch,
): UnitResult {
  // Somebody was told what became of it.
  if (connection.first(PAST_WRITE, { writeId }) !== undefined) return { kind: "conflict" };
  if (change.kind === "write" && change.epoch !== epoch) return { kind: "gate-moved", epoch };
  const record = foundRecord(connection, address) ?? newRecord(connection, address);
  if (change.kind === "remove")
    return { kind: remove(connection, record, { base, entry }, change, writeId) ? "made" : "conflict" };
  const result = write(connection, record, { base, entry }, change, { writeId, bucket });
  return result.kind === "made" ? (keepTags(record.record) ?? result) : result;
}

/** The head that a unit was prepared against, and the entry that goes with the unit; null: it has none. */
interface Onto {
  readonly base: TakenUnit["base"];
  readonly entry: FoundEntry | null;
}

/** A record, and the highest number that its head and its rows are known to have; 0: none. */
interface FoundRecord extends RecordKey {
  readonly highest: number;
}

function foundRecord(connection: Connection, address: Address): FoundRecord | null {
  const row = connection.first(RECORD, address);
  if (row === undefined) return null;
  return { record: BigInt(row.record), highest: Math.max(row.head ?? 0, row.newest ?? 0) };
}

function newRecord(connection: Connection, address: Address): FoundRecord {
  return { record: BigInt(connection.one(ADD_RECORD, address).record), highest: 0 };
}

interface RecordKey {
  readonly record: bigint;
}

/** What holds what no vault writes counts for nothing, as it does for whoever reads the record. */
const RECORD = statement((db, { collection, id }: Address) =>
  db
    .selectFrom("records")
    .leftJoin("heads", "heads.record", "records.record")
    .select([
      rowNumber("records.record").as("record"),
      sql<number | null>`iif(heads.state in ('live', 'removed'), ${whole("heads.version")}, null)`.as("head"),
      sql<number | null>`(select ${whole("found.version")} from (
        select max(version) as version from versions where versions.record = records.record) as found)`.as("newest"),
    ])
    .where("collection", "=", collection)
    .where("id", "=", id)
    .compile(),
);

const ADD_RECORD = statement((db, { collection, id }: Address) =>
  db.insertInto("records").values({ collection, id }).returning(rowNumber("record").as("record")).compile(),
);

const ADD_VERSION = statement(
  (
    db,
    row: {
      readonly record: bigint;
      readonly version: number;
      readonly writeId: string;
      readonly wrapSet: number;
      readonly bucket: number;
      readonly since: number;
      readonly subject: string;
      readonly createdAt: string;
      readonly message: Uint8Array;
    },
  ) =>
    db
      .insertInto("versions")
      .values({
        record: row.record,
        version: row.version,
        write_id: row.writeId,
        revision: 0,
        wrap_set: row.wrapSet,
        bucket: row.bucket,
        since: row.since,
        subject: row.subject,
        created_at: row.createdAt,
        message: row.message,
      })
      .onConflict((conflict) => conflict.doNothing())
      .compile(),
);

const CONFLICT: UnitResult = { kind: "conflict" };

/** A conflict: the head is another one, or a number would come twice or go back. */
function write(
  connection: Connection,
  { record, highest }: FoundRecord,
  onto: Onto,
  { versions, subjects, sealedId }: TakenWrite,
  { writeId, bucket }: Pick<TakenUnit, "writeId" | "bucket">,
): UnitResult {
  const newest = versions.at(-1);
  let last = highest;
  if (newest === undefined || onto.base === "damaged") return CONFLICT;
  const { version: number, createdAt: updatedAt } = newest;
  if (!moveHead(connection, record, onto, { version: number, state: "live", updatedAt, sealedId })) return CONFLICT;
  for (const { version } of versions) {
    if (version <= last) return CONFLICT;
    last = version;
  }
  const people = takePeople(connection, subjects);
  if ("kind" in people) return people;
  for (const { wrapSet, ...version } of versions) {
    const id = internWrapSet(connection, wrapSet);
    const subject = subjectText(version, people);
    if (connection.run(ADD_VERSION, { ...version, subject, record, writeId, bucket, wrapSet: id }) !== 1)
      return CONFLICT;
  }
  link(connection, record, people);
  return { kind: "made" };
}

const DROP_FAILURES = statement((db, { record }: RecordKey) =>
  db
    .deleteFrom("failures")
    .where("version_key", "in", db.selectFrom("versions").select("key").where("record", "=", record))
    .compile(),
);

const DROP_VERSIONS = statement((db, { record }: RecordKey) =>
  db
    .deleteFrom("versions")
    .where("record", "=", record)
    .returning(sql`write_id`.as("write_id"))
    .compile(),
);

/** False: the head is another one, or the number would go back. */
function remove(
  connection: Connection,
  { record, highest }: FoundRecord,
  onto: Onto,
  { tombstone, removedAt }: RemoveChange,
  writeId: Unit["writeId"],
): boolean {
  if (tombstone < highest) return false;
  const next: NextHead = { version: tombstone, state: "removed", updatedAt: removedAt, sealedId: null };
  if (!moveHead(connection, record, onto, next)) return false;
  connection.run(DROP_FAILURES, { record });
  dropKeptOfRecord(connection, record);
  dropLinks(connection, record);
  dropTagsOfRecord(connection, record);
  // Whoever still asks for one of the writes is told that it was made.
  const gone = new Set(connection.all(DROP_VERSIONS, { record }).map(({ write_id: one }) => one));
  for (const one of [...gone, writeId])
    if (typeof one === "string" && one !== "") keepWrite(connection, one as Unit["writeId"], "made");
  return true;
}

interface NextHead {
  readonly version: Version;
  readonly state: Head["state"];
  readonly updatedAt: string;
  readonly sealedId: Uint8Array | null;
}

interface NextHeadRow extends NextHead, RecordKey {
  readonly entry: Uint8Array | null;
}

const REPLACE_HEAD = statement((db, { record, version, state, updatedAt, sealedId, entry }: NextHeadRow) =>
  db
    .replaceInto("heads")
    .values({ record, version, state, updated_at: updatedAt, sealed_id: sealedId, entry })
    .compile(),
);

const ADD_HEAD = statement((db, { record, version, state, updatedAt, sealedId, entry }: NextHeadRow) =>
  db
    .insertInto("heads")
    .values({ record, version, state, updated_at: updatedAt, sealed_id: sealedId, entry })
    .onConflict((conflict) => conflict.doNothing())
    .compile(),
);

interface MovedHeadRow extends NextHeadRow {
  readonly baseVersion: Version;
  readonly baseState: Head["state"];
  /** 0: the unit has no entry, and does not say what the head's is. */
  readonly isAudited: number;
  readonly previous: Uint8Array | null;
}

const MOVE_HEAD = statement((db, next: MovedHeadRow) =>
  db
    .updateTable("heads")
    .set({
      version: next.version,
      state: next.state,
      updated_at: next.updatedAt,
      sealed_id: next.sealedId,
      entry: next.entry,
    })
    .where("record", "=", next.record)
    .where("version", "=", next.baseVersion)
    .where("state", "=", next.baseState)
    .where(sql<boolean>`(${next.isAudited} = 0 or entry is ${next.previous})`)
    .compile(),
);

/** Compare-and-swap: the row changes only if it still is what the unit was prepared against. */
function moveHead(connection: Connection, record: bigint, { base, entry }: Onto, next: NextHead): boolean {
  const row = { ...next, record, entry: entry?.id ?? null };
  const previous = entry?.previous ?? null;
  // Nobody builds on a head that is damaged, so nobody can have come in between.
  if (base === "damaged") return connection.run(REPLACE_HEAD, row) > 0;
  if (base === null) return previous === null && connection.run(ADD_HEAD, row) === 1;
  const { version: baseVersion, state: baseState } = base;
  const isAudited = entry === null ? 0 : 1;
  return connection.run(MOVE_HEAD, { ...row, baseVersion, baseState, isAudited, previous }) === 1;
}

interface WriteKey {
  readonly writeId: string;
}

const PAST_WRITE = statement((db, { writeId }: WriteKey) =>
  db
    .selectFrom("past_writes")
    .select(sql`state`.as("state"))
    .where("write_id", "=", writeId)
    .compile(),
);

const OWN_WRITE = statement((db, { collection, id, writeId }: Address & WriteKey) =>
  db
    .selectFrom("records")
    .innerJoin("versions", "versions.record", "records.record")
    .select(sql`1`.as("found"))
    .where("records.collection", "=", collection)
    .where("records.id", "=", id)
    .where("versions.write_id", "=", writeId)
    .limit(ONE)
    .compile(),
);

/**
 * What became of a write; from now on that is so for good.
 *
 * @throws VaultError `store-altered`: the row that says it holds what no vault writes
 */
export function settle(connection: Connection, { address, writeId }: Pick<Unit, "address" | "writeId">): Outcome {
  if (connection.first(OWN_WRITE, { ...address, writeId }) !== undefined) return "made";
  const known = connection.first(PAST_WRITE, { writeId });
  if (known?.state === "made" || known?.state === "void") return known.state;
  if (known !== undefined) throw new VaultError("store-altered", "The outcome of a write holds what no vault writes");
  keepWrite(connection, writeId, "void");
  return "void";
}

/** Two days: what is younger than one is never forgotten, also when a clock is set forward by hours. */
const KEPT_MS = 48 * 3600 * 1000;
/** How many are forgotten with each one that is kept: more than come in, so that what is old goes. */
const FORGOTTEN = 4;

const KEEP_WRITE = statement((db, row: { readonly writeId: string; readonly state: Outcome; readonly at: number }) =>
  db
    .insertInto("past_writes")
    .values({ write_id: row.writeId, state: row.state, at: row.at })
    .onConflict((conflict) => conflict.doNothing())
    .compile(),
);

const FORGET = statement((db, { before }: { readonly before: number }) =>
  db
    .deleteFrom("past_writes")
    .where(
      "write_id",
      "in",
      db.selectFrom("past_writes").select("write_id").where("at", "<", before).orderBy("at").limit(FORGOTTEN),
    )
    .compile(),
);

function keepWrite(connection: Connection, writeId: Unit["writeId"], state: Outcome): void {
  const at = Date.now();
  connection.run(KEEP_WRITE, { writeId, state, at });
  connection.run(FORGET, { before: at - KEPT_MS });
}

interface NewAccount {
  readonly key: bigint;
  readonly wrapSet: number;
  readonly since: number;
}

const SET_ACCOUNT = statement((db, { key, wrapSet, since }: NewAccount) =>
  db.updateTable("versions").set({ wrap_set: wrapSet, since }).where("key", "=", key).compile(),
);

const SET_MESSAGE = statement(
  (db, { key, wrapSet, since, revision, message }: NewAccount & { revision: number; message: Uint8Array }) =>
    db.updateTable("versions").set({ wrap_set: wrapSet, since, revision, message }).where("key", "=", key).compile(),
);

/** A message in the place of another one, or another account of its wraps. */
export function rewrapVersion(connection: Connection, change: TakenRewrap): RewrapResult | Undone<RewrapResult> {
  const { place, seen, message, keeps, wrapSet, since } = change;
  return rewrapItem(
    connection,
    change,
    () => versionItem(connection, place),
    (key) => {
      const account = { key, wrapSet: internWrapSet(connection, wrapSet), since };
      if (message !== null && keeps === true) keepMessage(connection, key);
      if (message === null) connection.run(SET_ACCOUNT, account);
      else connection.run(SET_MESSAGE, { ...account, revision: seen.revision + 1, message });
    },
  );
}
