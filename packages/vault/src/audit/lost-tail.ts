/**
 * Whether a record store lacks no more than the last moments, as a standby does that took over. It is gone on with by
 * itself, so whoever can write the database must not be able to pass off as such what he has set back: an entry of long
 * ago, or other records than those that were changed last.
 */
import type { AuditLog, LogRow } from "../stores/audit-log.ts";
import type { AddressTag, EntryId, Outbox } from "../stores/outbox.ts";
import type { RecordRows } from "../stores/rows.ts";
import type { RecordStore } from "../stores/store.ts";
import { isCollection } from "../records/address.ts";
import { listedRecords } from "./accept-restore.ts";
import type { AuditKeys } from "./audit-keys.ts";
import type { SetBackStream } from "./compare-stores.ts";
import type { EntryText } from "./entry.ts";
import { parseEntry } from "./entry-text.ts";
import { LOG_STREAM } from "./log-entries.ts";
import { tagsOf } from "./derived.ts";

/** What is asked. */
export interface TailParts {
  readonly log: Pick<AuditLog, "find" | "latest" | "liveHeads" | "state">;
  readonly outbox: Pick<Outbox, "pending">;
  readonly records: Pick<RecordStore, "collections" | "list">;
  readonly keys: Pick<AuditKeys, "tag">;
}

const PAGE = 500;
/** So many entries are looked through for those that were lost. */
const MOST_LOOKED_AT = 100_000;
/** A standby that took over is noticed by the next look at the stores: until then entries of the new one may come. */
const NOTICED_MS = 30_000;

/** Of addresses that lost entries have changed: the entry that their heads had before. */
type Before = ReadonlyMap<AddressTag, EntryId | null>;

/**
 * Whether all that is missing are entries of the last moments, of so many milliseconds by the clocks of those who wrote
 * them, and the records are as they were before these, and all others as the log knows them.
 */
export async function isTail(parts: TailParts, lost: readonly SetBackStream[], ms: number): Promise<boolean> {
  const before = await lostOfLate(parts.log, lost, ms);
  return before !== null && (await areAsBefore(parts, before));
}

/** Null: something that is missing was not written of late. */
async function lostOfLate(log: TailParts["log"], lost: readonly SetBackStream[], ms: number): Promise<Before | null> {
  const missing = new Map(lost.map(({ stream, from, to }) => [stream as string, { from, to }]));
  const before = new Map<AddressTag, EntryId | null>();
  let left = lost.reduce((count, { from, to }) => count + to - from + 1, 0);
  let [first, last, newest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let after: number | null = null;
  for (let looked = 0; left > 0 && looked < MOST_LOOKED_AT; looked += PAGE) {
    const rows: readonly LogRow[] = await log.find({}, { order: "newest", after, limit: PAGE });
    for (const { text } of rows) {
      const entry = text === null ? null : parseEntry(text);
      if (entry === null || left === 0 || !isOfRecords(entry)) continue;
      const at = Date.parse(entry.at);
      newest = Math.max(newest, at);
      const numbers = missing.get(entry.stream);
      if (numbers === undefined || entry.number < numbers.from || entry.number > numbers.to) continue;
      left--;
      [first, last] = [Math.min(first, at), Math.max(last, at)];
      // The oldest of an address comes last.
      for (const tag of tagsOf(entry)) if (entry.action !== "rewrap") before.set(tag, previousOf(entry, tag));
    }
    const end = rows.at(-1);
    if (end === undefined || rows.length < PAGE) break;
    after = end.position;
  }
  return left === 0 && last - first <= ms && newest - first <= ms + NOTICED_MS ? before : null;
}

/** Whether it came out of the records' outbox. */
function isOfRecords({ stream, action, details }: EntryText): boolean {
  return stream !== LOG_STREAM && action !== "keys-made" && details?.["store"] !== "keys";
}

const previousOf = ({ records = [] }: EntryText, tag: AddressTag): EntryId | null =>
  (records.find((record) => record.tag === tag)?.previous ?? null) as EntryId | null;

/** Whether each record is as the log knows it, as it was before the lost entries, or changed since. */
async function areAsBefore({ log, outbox, records, keys }: TailParts, before: Before): Promise<boolean> {
  const { adopted } = await log.state();
  const there = new Set<AddressTag>();
  const open = new Set<AddressTag>();
  const look = async (some: ReadonlyMap<AddressTag, RecordRows>): Promise<void> => {
    const tags = [...some.keys()];
    const latest = await log.latest(tags.map((tag) => ({ tag, message: null })));
    for (const [index, [tag, { head, entry = null }]] of [...some].entries()) {
      there.add(tag);
      const known = latest[index]?.head ?? null;
      const isKnown = known === null ? !adopted : known.version === head?.version && known.entry === entry;
      if (!isKnown && before.get(tag) !== entry) open.add(tag);
    }
  };
  for (const { name } of await records.collections()) {
    if (!isCollection(name)) continue;
    let some = new Map<AddressTag, RecordRows>();
    for await (const { address, rows } of listedRecords(records, name)) {
      some.set(keys.tag(address), rows);
      if (some.size < PAGE) continue;
      await look(some);
      some = new Map();
    }
    if (some.size > 0) await look(some);
  }
  // Gone may be what a lost entry had begun.
  for (let after: AddressTag | null = null; ;) {
    const page: readonly { readonly tag: AddressTag }[] = await log.liveHeads({ after, limit: PAGE });
    for (const { tag } of page) if (!there.has(tag) && before.get(tag) !== null) open.add(tag);
    after = page.at(-1)?.tag ?? null;
    if (after === null || page.length < PAGE) break;
  }
  return isWaiting(outbox, [...open]);
}

/** Whether changes of all of these are on their way to the log. */
async function isWaiting(outbox: TailParts["outbox"], open: readonly AddressTag[]): Promise<boolean> {
  for (let start = 0; start < open.length; start += PAGE) {
    const some = open.slice(start, start + PAGE);
    const waiting = new Set((await outbox.pending(some)).map(({ tag }) => tag));
    if (!some.every((tag) => waiting.has(tag))) return false;
  }
  return true;
}
