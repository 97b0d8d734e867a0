/**
 * Whether a record store lacks no more than the last moments, as a standby does that took over. It is gone on with by
 * itself, so whoever can write the database must not be able to pass off as such what he has set back: an entry of long
 * ago, or other records than those that were changed last.
 */
import type { AddressHead, AuditLog, Latest, LogRow } from "../stores/audit-log.ts";
import { STORE_STREAM } from "../stores/outbox.ts";
import type { AddressTag, EntryId, Outbox } from "../stores/outbox.ts";
import type { RecordRows } from "../stores/rows.ts";
import type { RecordStore } from "../stores/store.ts";
import { isCollection } from "../records/address.ts";
import type { Address, Version } from "../records/address.ts";
import { isLiveAs, listedRecords } from "./accept-restore.ts";
import type { AuditKeys } from "./audit-keys.ts";
import type { SetBackStream } from "./compare-stores.ts";
import type { EntryText } from "./entry.ts";
import { parseEntry } from "./entry-text.ts";
import { LOG_STREAM } from "./log-entries.ts";
import { tagsOf } from "./derived.ts";

/** What is asked. */
export interface TailParts {
  readonly log: Pick<AuditLog, "entries" | "find" | "firstVersions" | "heads" | "latest" | "positions" | "state">;
  readonly outbox: Pick<Outbox, "pending">;
  readonly records: Pick<RecordStore, "collections" | "list">;
  readonly keys: Pick<AuditKeys, "tag">;
}

const PAGE = 500;
/** So many entries are looked through for those that were lost. */
const MOST_LOOKED_AT = 100_000;
/** A standby that took over is noticed by the next look at the stores: until then entries of the new one may come. */
const NOTICED_MS = 30_000;

/** What lost entries have changed of an address. */
interface LostChange {
  readonly tag: AddressTag;
  /** The oldest of them: the head's entry before it, its first version, and whether it made that. */
  readonly previous: EntryId | null;
  readonly first: number;
  readonly writes: boolean;
  /** Whether one of them removed the record: its messages are not known any more. */
  readonly isRemoved: boolean;
  /** All of them. */
  readonly entries: ReadonlySet<EntryId>;
}

/** An address as it was before the lost entries. */
export interface HeadBefore extends AddressHead {
  readonly tag: AddressTag;
  /** Whether its messages are to be known as the store has them. */
  readonly isRemoved: boolean;
  /** Where it is listed by now; null: nowhere. */
  readonly address: Address | null;
}

/** What was lost. */
export interface LostTail {
  readonly streams: readonly SetBackStream[];
  readonly heads: readonly HeadBefore[];
}

type Before = Map<AddressTag, HeadBefore>;

/**
 * What was lost, if all that is missing are entries of the last moments, of so many milliseconds by the clocks of those
 * who wrote them, and the records are as they were before these, and all others as the log knows them; else null.
 */
export async function lostTail(
  parts: TailParts,
  streams: readonly SetBackStream[],
  ms: number,
): Promise<LostTail | null> {
  // Without the entry of any process it is no store that a process has just used.
  if (streams.some(({ stream, from }) => stream === STORE_STREAM && from === 1)) return null;
  const changes = await lostOfLate(parts.log, streams, ms);
  const before = changes === null ? null : await headsBefore(parts.log, changes);
  return before !== null && (await areAsBefore(parts, before)) ? { streams, heads: [...before.values()] } : null;
}

/** Null: something that is missing was not written of late. */
async function lostOfLate(
  log: TailParts["log"],
  lost: readonly SetBackStream[],
  ms: number,
): Promise<readonly LostChange[] | null> {
  const missing = new Map(lost.map(({ stream, from, to }) => [stream as string, { from, to }]));
  const changes = new Map<AddressTag, LostChange>();
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
      if (entry.action === "write" || entry.action === "remove")
        for (const tag of tagsOf(entry)) changes.set(tag, changeOf(entry, tag, changes.get(tag)));
    }
    const end = rows.at(-1);
    if (end === undefined || rows.length < PAGE) break;
    after = end.position;
  }
  return left === 0 && last - first <= ms && newest - first <= ms + NOTICED_MS ? [...changes.values()] : null;
}

/** Whether it came out of the records' outbox. */
function isOfRecords({ stream, action, details }: EntryText): boolean {
  return stream !== LOG_STREAM && action !== "keys-made" && details?.["store"] !== "keys";
}

function changeOf({ id, action, records = [] }: EntryText, tag: AddressTag, later: LostChange | undefined): LostChange {
  const own = records.filter((record) => record.tag === tag);
  return {
    tag,
    previous: (own[0]?.previous ?? null) as EntryId | null,
    first: own.reduce((least, { version }) => Math.min(least, version ?? 1), Number.POSITIVE_INFINITY),
    writes: action === "write",
    isRemoved: later?.isRemoved === true || action === "remove",
    entries: new Set([...(later?.entries ?? []), id]),
  };
}

/** As the log has it, and not the store: whoever writes there could make an older version the head. */
async function headsBefore(log: TailParts["log"], changes: readonly LostChange[]): Promise<Before | null> {
  const before: Before = new Map();
  const latest: Latest[] = [];
  for (let at = 0; at < changes.length; at += PAGE)
    for (const one of await log.latest(changes.slice(at, at + PAGE).map(({ tag }) => ({ tag, message: null }))))
      latest.push(one);
  for (const [index, change] of changes.entries()) {
    const { tag, isRemoved, previous, entries } = change;
    // Changed since, and that is in the log already.
    const now = latest[index]?.head?.entry ?? null;
    if (now === null || !entries.has(now)) continue;
    const head = previous === null ? await unnamedHead(log, change) : await namedHead(log, change, previous);
    if (head === null) return null;
    before.set(tag, { tag, isRemoved, address: null, ...head });
  }
  return before;
}

/** Null: the log does not have that entry. */
async function namedHead(
  log: TailParts["log"],
  { tag, first, writes }: LostChange,
  entry: EntryId,
): Promise<AddressHead | null> {
  const [position = null] = await log.positions([entry]);
  const [row] = position === null ? [] : await log.entries({ from: position, limit: 1 });
  if (row?.id !== entry) return null;
  const text = row.text === null ? null : parseEntry(row.text);
  const last = text?.records?.findLast((record) => record.tag === tag && record.state !== undefined);
  // Its text may have been forgotten: versions follow one another.
  const version = (last?.version ?? (writes ? first - 1 : first)) as Version;
  return { version, state: last?.state ?? "live", entry };
}

/** Of what has no entry of its own: it was adopted, or there was nothing. */
async function unnamedHead(log: TailParts["log"], { tag, first, writes, isRemoved }: LostChange): Promise<AddressHead> {
  const version = writes ? first - 1 : first;
  const [known = null] = isRemoved ? [] : await log.firstVersions([tag]);
  const wasThere = version > 0 && (isRemoved || (known !== null && known <= version));
  return { version: Math.max(1, version) as Version, state: wasThere ? "live" : "removed", entry: null };
}

/** Whether each record is as the log knows it, as it was before the lost entries, or changed since. */
async function areAsBefore({ log, outbox, records, keys }: TailParts, before: Before): Promise<boolean> {
  const { adopted } = await log.state();
  const there = new Set<AddressTag>();
  const open = new Set<AddressTag>();
  const look = async (some: ReadonlyMap<AddressTag, Listed>): Promise<void> => {
    const tags = [...some.keys()];
    const latest = await log.latest(tags.map((tag) => ({ tag, message: null })));
    for (const [index, [tag, { address, rows }]] of [...some].entries()) {
      there.add(tag);
      const was = before.get(tag);
      if (was !== undefined) before.set(tag, { ...was, address });
      const known = was ?? latest[index]?.head ?? null;
      if (known === null ? adopted : !isLiveAs(known, rows)) open.add(tag);
    }
  };
  for (const { name } of await records.collections()) {
    if (!isCollection(name)) continue;
    let some = new Map<AddressTag, Listed>();
    for await (const { address, rows } of listedRecords(records, name)) {
      some.set(keys.tag(address), { address, rows });
      if (some.size < PAGE) continue;
      await look(some);
      some = new Map<AddressTag, Listed>();
    }
    if (some.size > 0) await look(some);
  }
  for (const [tag, { state }] of before) if (state === "live" && !there.has(tag)) open.add(tag);
  // Gone may be what a lost entry had begun.
  for (let after: AddressTag | null = null; ;) {
    const page: readonly { readonly tag: AddressTag }[] = await log.heads({ only: "live", after, limit: PAGE });
    for (const { tag } of page) if (!there.has(tag) && before.get(tag)?.state !== "removed") open.add(tag);
    after = page.at(-1)?.tag ?? null;
    if (after === null || page.length < PAGE) break;
  }
  return isWaiting(outbox, [...open]);
}

interface Listed {
  readonly address: Address;
  readonly rows: RecordRows;
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
