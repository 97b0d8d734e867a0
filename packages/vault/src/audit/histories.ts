/**
 * Whether records are as the log knows them. The log is a moment behind the outbox, and both may move while they are
 * looked at: what waits is looked at first, and then the log. An entry goes from the outbox only when it is in the log,
 * so nothing that was written before the record was read is missed, whatever the sequencer does in between. Threats
 * answered: a record that is set back to an older head with the rows to it, also in the moment after it was written; a
 * removal undone; a head made up; a message of an older time put under the newest number.
 */
import { VaultError } from "../errors.ts";
import type { Address, Version } from "../records/address.ts";
import type { AddressHead, AuditLog, Latest } from "../stores/audit-log.ts";
import type { AddressTag, EntryId, WaitingEntry } from "../stores/outbox.ts";
import type { RecordRows } from "../stores/rows.ts";
import type { Store } from "../stores/store.ts";
import type { AuditKeys } from "./audit-keys.ts";
import type { EntryText } from "./entry.ts";
import { parseEntry } from "./entry-text.ts";
import { sha256 } from "./key-derivation.ts";
import { unavailable } from "./unavailable.ts";

/** A record as it was read. */
export interface SeenRecord {
  /** Of its row. */
  readonly row: Address;
  readonly rows: RecordRows;
  /** The message that was read with them, and of which version; null: none was. */
  readonly message: Uint8Array | null;
  readonly version: Version | null;
}

/** What records are compared with. */
export interface HistoryDependencies {
  readonly store: Pick<Store, "outbox" | "records">;
  readonly log: Pick<AuditLog, "latest" | "positions" | "state">;
  readonly keys: Pick<AuditKeys, "tag" | "verifies">;
  /** Something is wrong with what is stored. */
  readonly onAlarm: (code: string, message: string) => void;
}

/** `overtaken`: it has changed since it was read. */
export type Standing = "newest" | "overtaken";

/** Most addresses of one question. */
const ADDRESSES_AT_ONCE = 1_000;

/** A record, and who waits to be told. */
interface Asked extends Omit<SeenRecord, "message"> {
  readonly tag: AddressTag;
  readonly sha256: Buffer | null;
  readonly told: (standing: Standing | VaultError) => void;
}

/** Compares records with the log, in as few questions as can be. */
export class Histories {
  readonly #dependencies: HistoryDependencies;
  #waiting: Asked[] = [];
  #running = false;

  constructor(dependencies: HistoryDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Whether all of them are the newest.
   *
   * @throws VaultError `record-rolled-back`, `record-tampered`; `audit-unavailable`
   */
  check(records: readonly SeenRecord[]): Promise<Standing> {
    const [only] = records;
    return records.length === 1 && only !== undefined ? this.#ask(only) : this.#checkAll(records);
  }

  /** All are in as few questions as can be. The first error is the answer, once all are answered. */
  async #checkAll(records: readonly SeenRecord[]): Promise<Standing> {
    const all = await Promise.allSettled(records.map((record) => this.#ask(record)));
    for (const one of all) if (one.status === "rejected") throw one.reason;
    return all.some((one) => one.status === "fulfilled" && one.value === "overtaken") ? "overtaken" : "newest";
  }

  #ask(record: SeenRecord): Promise<Standing> {
    return new Promise((resolve, reject) => {
      const told = (standing: Standing | VaultError): void => {
        if (standing instanceof VaultError) reject(standing);
        else resolve(standing);
      };
      const tag = this.#dependencies.keys.tag(record.row);
      const { row, rows, message, version } = record;
      this.#waiting.push({ row, rows, version, tag, sha256: message === null ? null : sha256(message), told });
      if (!this.#running) void this.#run();
    });
  }

  /** One question at a time: who comes while it is under way is in the next one. */
  async #run(): Promise<void> {
    this.#running = true;
    // Who asks in the same turn is in the same question.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, ADDRESSES_AT_ONCE);
      try {
        const known = await this.#known(asked);
        const open = asked.flatMap((one, index) => {
          const latest = known[index] ?? NOTHING;
          return isTold(one, latest) ? [] : [{ one, latest }];
        });
        // Not waited for: it is rare, and who comes next is most often told at once.
        if (open.length > 0) void this.#lookAgain(open);
      } catch (error) {
        refuse(asked, error);
      }
    }
    this.#running = false;
  }

  /** What is known of addresses: by the log, and by what waits to be in it. */
  async #known(asked: readonly Asked[]): Promise<readonly Latest[]> {
    // In this order: what is in neither was written after the record was read.
    const waiting = await this.#waitingChanges(asked.map(({ tag }) => tag));
    const latest = await this.#latest(asked);
    if (waiting.size === 0) return latest;
    const { known, copies } = await this.#copies(asked, latest, waiting);
    return asked.map((one, index) => {
      const changes = (waiting.get(one.tag) ?? []).filter(({ id }) => !copies.has(id));
      return withWaiting(one, known[index] ?? NOTHING, changes);
    });
  }

  /**
   * Of addresses that the log does not know, what waits and is in the log already: somebody put it there again, from a
   * time before a restore. Or it has come there just now: then the log knows the address.
   */
  async #copies(
    asked: readonly Asked[],
    latest: readonly Latest[],
    waiting: ReadonlyMap<AddressTag, readonly EntryText[]>,
  ): Promise<{ readonly known: readonly Latest[]; readonly copies: ReadonlySet<EntryId> }> {
    const ids = asked.flatMap(({ tag }, index) =>
      latest[index]?.head === null ? (waiting.get(tag) ?? []).map(({ id }) => id) : [],
    );
    const positions = ids.length === 0 ? [] : await this.#dependencies.log.positions(ids);
    const copies = new Set(ids.filter((_, index) => positions[index] !== null));
    return { known: copies.size === 0 ? latest : await this.#latest(asked), copies };
  }

  #latest(asked: readonly Asked[]): Promise<readonly Latest[]> {
    return this.#dependencies.log.latest(
      asked.map(({ tag, version, sha256 }) => ({
        tag,
        message: version === null || sha256 === null ? null : { version, sha256 },
      })),
    );
  }

  /** Of those that are not what is known of them: whether they have changed meanwhile, or were changed by a hand. */
  async #lookAgain(open: readonly Differing[]): Promise<void> {
    const { store, log } = this.#dependencies;
    try {
      const { adopted } = await log.state();
      const heads = await store.records.heads(open.map(({ one }) => one.row));
      for (const [index, { one, latest }] of open.entries()) {
        const now = heads[index];
        if (now === undefined || !isSame(now, one.rows)) one.told("overtaken");
        else if (!adopted && isBeforeAdoption(one, latest)) one.told("newest");
        else one.told(this.#verdict(one, latest));
      }
    } catch (error) {
      refuse(
        open.map(({ one }) => one),
        error,
      );
    }
  }

  /** Authentic changes of addresses that wait, in their order. */
  async #waitingChanges(tags: readonly AddressTag[]): Promise<ReadonlyMap<AddressTag, readonly EntryText[]>> {
    const { store, keys } = this.#dependencies;
    const rows = await store.outbox.pending([...new Set(tags)]);
    if (rows.length === 0) return NONE;
    const found = new Map<AddressTag, EntryText[]>();
    for (const entry of rows.map((row) => authentic(keys, row))) {
      // By the text: what the row says beside it is whoever's can write the database.
      const changed = entry === null ? [] : new Set(entry.records?.map(({ tag }) => tag as AddressTag));
      for (const tag of changed) if (entry !== null) found.set(tag, [...(found.get(tag) ?? []), entry]);
    }
    return found;
  }

  #verdict({ rows }: Asked, { head: known }: Latest): VaultError | Standing {
    const problem = problemOf(rows, known);
    if (problem === null) return "newest";
    this.#dependencies.onAlarm(problem.code, problem.message);
    return problem;
  }
}

/** A record, and what is known of it and is not the same. */
interface Differing {
  readonly one: Asked;
  readonly latest: Latest;
}

const NONE: ReadonlyMap<AddressTag, readonly EntryText[]> = new Map();
const NOTHING: Latest = { head: null, isKnown: false };

/** Tells who asked, where the record is what is known; false: it is not. */
function isTold(asked: Asked, latest: Latest): boolean {
  const isGood = isNewest(asked, latest);
  if (isGood) asked.told("newest");
  return isGood;
}

function isNewest({ rows, sha256 }: Asked, { head: known, isKnown }: Latest): boolean {
  const { head } = rows;
  if (head === null) return mayBeWithoutRows(known);
  // A tombstone of before the audit is in no list, and so it is not adopted.
  if (head.state === "removed" && known === null) return true;
  const isHead = known?.version === head.version && known.state === head.state && known.entry === (rows.entry ?? null);
  return isHead && (sha256 === null || isKnown);
}

/**
 * Whether nothing at all may be there. What was removed has a tombstone, or its versions' numbers would be used again;
 * unless no entry removed it: then what had made it was lost with the tail of a store.
 */
const mayBeWithoutRows = (known: AddressHead | null): boolean =>
  known === null || (known.state === "removed" && known.entry === null);

/** Whether what is not known may be from before the audit: all of a record, or the versions before its newest. */
function isBeforeAdoption(asked: Asked, latest: Latest): boolean {
  if (latest.head === null) return true;
  const isOlder = asked.version !== latest.head.version || latest.head.entry === null;
  return isOlder && isNewest(asked, { ...latest, isKnown: true });
}

function authentic(keys: Pick<AuditKeys, "verifies">, { text, mac }: WaitingEntry): EntryText | null {
  return keys.verifies(text, mac) ? parseEntry(text) : null;
}

/** What is known of an address with the changes of it that wait and go on from what the log has. */
function withWaiting({ tag, version, sha256 }: Asked, latest: Latest, waiting: readonly EntryText[]): Latest {
  let { head, isKnown } = latest;
  const wanted = sha256?.toString("base64url");
  for (const { id, action, records = [] } of waiting) {
    const own = records.filter((record) => record.tag === tag);
    const [first] = own;
    const last = own.at(-1);
    const isChange = action === "write" || action === "remove";
    // What is in the log already, or comes after what is not there yet. Of what was removed before a restore that was
    // accepted the log knows nothing: what goes on from that is the first that it will know.
    if (isChange && head !== null && (first?.previous ?? null) !== head.entry) continue;
    if (isChange && last?.state !== undefined && last.version !== null)
      head = { version: last.version as Version, state: last.state, entry: id };
    // What was known before a removal is not, if it is put back below what was written after it.
    if (isChange && last?.state === "removed") isKnown = false;
    if (isChange || action === "rewrap")
      isKnown ||= own.some((record) => record.version === version && record.sha256 === wanted);
  }
  return { head, isKnown };
}

/** What is wrong with a record that is not what is known of it; null: nothing. */
function problemOf({ head, entry }: RecordRows, known: AddressHead | null): VaultError | null {
  if (known === null)
    return new VaultError("record-tampered", "The audit has no entry of the record: somebody else wrote it");
  if (head === null && known.state === "removed")
    return new VaultError("record-rolled-back", "The record was removed, and the row that says so is gone", {
      currentVersion: known.version,
    });
  if (head === null)
    return new VaultError("record-tampered", "The rows of the record are gone, and the audit knows of no removal");
  if (head.version > known.version || isMadeUp(head, entry ?? null, known))
    return new VaultError("record-tampered", `The audit knows the record up to version ${known.version}`);
  if (head.version < known.version)
    return new VaultError(
      "record-rolled-back",
      `The record is at version ${head.version}, and was at ${known.version} already`,
      { currentVersion: known.version },
    );
  return new VaultError(
    "record-rolled-back",
    known.state === "removed" && head.state === "live"
      ? "The record was removed, and its rows were put back"
      : `Version ${head.version} of the record, or the message that was read, is not the one that was written`,
  );
}

/** A tombstone that nobody wrote. */
function isMadeUp(head: NonNullable<RecordRows["head"]>, entry: EntryId | null, known: AddressHead): boolean {
  return head.state === "removed" && known.state === "live" && entry === known.entry;
}

/** Whether a record is where it was. */
function isSame(now: RecordRows, seen: RecordRows): boolean {
  return (
    now.head?.version === seen.head?.version &&
    now.head?.state === seen.head?.state &&
    (now.entry ?? null) === (seen.entry ?? null) &&
    now.newestRow === seen.newestRow
  );
}

function refuse(asked: readonly Asked[], error: unknown): void {
  for (const { told } of asked) told(unavailable("The audit's log cannot be asked", error));
}
