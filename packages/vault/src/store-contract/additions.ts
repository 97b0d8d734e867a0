/**
 * Short forms for what the contract of the audit's log says: entries, additions, and what is asserted of them.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { parseVersion } from "../records/address.ts";
import type { Addition, AddressHead, AuditLog, KnownMessage, LogPage, LogQuery, LogRow } from "../stores/audit-log.ts";
import type { LogState, LogStream, NewLogEntry, OutboxName, StoredSubtree, WholeLogRow } from "../stores/audit-log.ts";
import type { Lease } from "../stores/jobs.ts";
import type { AddressTag, StreamId } from "../stores/outbox.ts";
import { day } from "./changes.ts";
import { newEntryId, newStream } from "./entries.ts";

/** An entry of one moment in January, by nobody in particular, about nobody. */
export function newLogEntry(more: Partial<NewLogEntry> = {}): NewLogEntry {
  const id = newEntryId();
  return {
    id,
    text: Buffer.from(JSON.stringify({ v: 1, id })),
    leaf: randomBytes(32),
    at: day(1),
    principal: "local",
    action: "read",
    collection: "people",
    people: [],
    ...more,
  };
}

export const newLogEntries = (count: number, more: Partial<NewLogEntry> = {}): readonly NewLogEntry[] =>
  Array.from({ length: count }, () => newLogEntry(more));

/** What a test chooses of an addition; of its state, a part. */
export type AdditionOptions = Partial<Omit<Addition, "state">> & { readonly state?: Partial<LogState> };

/** What adds entries to a log that is in this state. The history is the one that there is, or begins with it. */
export function addition(base: LogState, { state, entries = [], ...more }: AdditionOptions = {}): Addition {
  return {
    entries,
    subtrees: [],
    heads: [],
    messages: [],
    removed: [],
    streams: [],
    closed: [],
    begins: false,
    ...more,
    state: { ...base, history: base.history ?? randomUUID(), size: base.size + entries.length, ...state },
  };
}

/** Adds to what is there by now. */
export async function add(log: AuditLog, lease: Lease, more: AdditionOptions = {}): Promise<LogState> {
  const base = await log.state();
  assert.equal(await log.integrate(base, addition(base, more), lease), "integrated");
  return log.state();
}

export const newHead = (
  tag: AddressTag,
  version: number,
  more: Partial<AddressHead> = {},
): AddressHead & { readonly tag: AddressTag } => ({
  tag,
  version: parseVersion(version),
  state: "live",
  entry: newEntryId(),
  ...more,
});

export const newMessage = (tag: AddressTag, version: number): KnownMessage => ({
  tag,
  version: parseVersion(version),
  sha256: randomBytes(32),
});

export const newLogStream = (
  number: number,
  outbox: OutboxName = "records",
  stream: StreamId = newStream(),
): LogStream => ({
  outbox,
  stream,
  number,
  ended: false,
});

export const newSubtree = (height: number, index: number): StoredSubtree => ({
  height,
  index,
  hash: randomBytes(32),
});

/** What is known of one address. */
export async function headOf(log: AuditLog, tag: AddressTag): Promise<AddressHead | null> {
  const [latest] = await log.latest([{ tag, message: null }]);
  return latest!.head;
}

/** Which of these messages are known. */
export async function knownOf(log: AuditLog, ...messages: readonly KnownMessage[]): Promise<readonly boolean[]> {
  const latest = await log.latest(messages.map(({ tag, ...message }) => ({ tag, message })));
  return latest.map(({ isKnown }) => isKnown);
}

/** How far the log is with a stream. */
export async function numberOf(log: AuditLog, outbox: OutboxName, wanted: StreamId): Promise<number | null> {
  const all = await log.streams(outbox, { after: null, limit: 10_000 });
  return all.find(({ stream }) => stream === wanted)?.number ?? null;
}

/** Positions that are found, of all pages of one size. */
export async function foundIn(
  log: AuditLog,
  query: LogQuery,
  { order = "oldest", limit = 1000 }: Partial<LogPage> = {},
): Promise<readonly number[]> {
  const found: number[] = [];
  for (let after: number | null = null; ;) {
    const page: readonly LogRow[] = await log.find(query, { order, after, limit });
    assert.ok(page.length <= limit);
    found.push(...page.map(({ position }) => position));
    after = page.at(-1)?.position ?? null;
    if (page.length < limit) return found;
  }
}

/** All entries, of all answers: one has only so many bytes. */
export async function entriesIn(log: AuditLog): Promise<readonly WholeLogRow[]> {
  const found: WholeLogRow[] = [];
  for (;;) {
    const rows = await log.entries({ from: found.length, limit: 100_000 });
    if (rows.length === 0) return found;
    found.push(...rows);
  }
}

/** A row as two that are alike are equal, whatever kind of bytes they hold. */
export const shownRow = ({ position, id, text, leaf }: LogRow): unknown => ({
  ...{ position, id, text: text === null ? null : base64(text) },
  leaf: base64(leaf),
});

/** The row that an entry becomes. */
export const rowOf = ({ id, text, leaf }: NewLogEntry, position: number): LogRow => ({ position, id, text, leaf });

/** By which an entry is found, as the log tells it. */
const foundBy = ({ at, principal, action, collection, people }: NewLogEntry): WholeLogRow["found"] => ({
  ...{ at, principal, action, collection },
  people: people.toSorted(),
});

/** The whole log as it should be. */
export async function assertEntries(log: AuditLog, entries: readonly NewLogEntry[]): Promise<void> {
  const rows = await entriesIn(log);
  assert.deepEqual(
    rows.map(shownRow),
    entries.map((entry, position) => shownRow(rowOf(entry, position))),
  );
  assert.deepEqual(
    rows.map(({ found }) => found),
    entries.map(foundBy),
    "by which they are found",
  );
  assert.equal((await log.state()).size, entries.length);
}

/** A state as two that are alike are equal. */
export const shownLogState = ({ subtrees, ...state }: LogState): unknown => ({
  ...state,
  subtrees: subtrees.map(({ height, hash }) => [height, base64(hash)]),
});

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
