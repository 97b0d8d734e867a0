/**
 * Short forms for what a store's contract says of an outbox: lanes that number entries, and what is asserted of them.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import type {
  AddressTag,
  AppendResult,
  EntryId,
  Outbox,
  OutboxEntry,
  StreamId,
  WaitingEntry,
} from "../stores/outbox.ts";
import type { SubjectId } from "../stores/subjects.ts";
import type { Unit } from "../stores/units.ts";
import type { AnyStore } from "./contract.ts";

/** A store of any kind that has an outbox. */
export interface WithOutbox extends AnyStore {
  readonly outbox: Outbox;
}

export const newStream = (): StreamId => randomUUID() as string as StreamId;
export const newEntryId = (): EntryId => randomUUID() as string as EntryId;
export const newTag = (): AddressTag => randomBytes(16).toString("base64url") as AddressTag;

/** An entry that changes no address. */
export function newEntry(stream: StreamId, number: number, more: Partial<OutboxEntry> = {}): OutboxEntry {
  const id = newEntryId();
  const text = Buffer.from(JSON.stringify({ v: 1, id, stream, number }));
  return { id, stream, number, ends: false, tag: null, text, mac: randomBytes(32), ...more };
}

/** The first `count` entries of a stream, or those behind `last`. */
export const newEntries = (count: number, stream: StreamId = newStream(), last = 0): readonly OutboxEntry[] =>
  Array.from({ length: count }, (_, index) => newEntry(stream, last + index + 1));

/** The unit with an entry, whose id is the write's. `previous` left out: the head has none. */
export function withEntry<Change extends Unit>(
  unit: Change,
  stream: StreamId,
  number: number,
  { previous = null, ...more }: Partial<OutboxEntry> & { readonly previous?: EntryId | null } = {},
): Change & Required<Pick<Unit, "entry">> & { readonly entry: { readonly id: EntryId } } {
  const id = unit.writeId as string as EntryId;
  return { ...unit, entry: { ...newEntry(stream, number, { ...more, id }), previous } };
}

/** Writes entries, for which nobody has to be active. */
export async function append({ outbox }: WithOutbox, ...entries: readonly OutboxEntry[]): Promise<void> {
  assert.deepEqual(await outbox.append(entries, []), { kind: "made" });
}

/** What becomes of entries that are about somebody. */
export const appendFor = (
  { outbox }: WithOutbox,
  active: readonly SubjectId[],
  ...entries: readonly OutboxEntry[]
): Promise<AppendResult> => outbox.append(entries, active);

/** All that wait, the oldest first, if they are not more bytes than one answer has. */
export const waitingIn = ({ outbox }: WithOutbox): Promise<readonly WaitingEntry[]> => outbox.take(100_000);

/** Ids of all that wait, the oldest first. */
export const idsIn = async (store: WithOutbox): Promise<readonly EntryId[]> =>
  (await waitingIn(store)).map(({ id }) => id);

export const idsOf = (entries: readonly Pick<OutboxEntry, "id">[]): readonly EntryId[] => entries.map(({ id }) => id);

/** The last numbers of streams; null: there is no such stream. */
export const lastOf = async (
  { outbox }: WithOutbox,
  ...ids: readonly StreamId[]
): Promise<readonly (number | null)[]> => (await outbox.streams(ids)).map((row) => row?.last ?? null);

/** An entry as two that are alike are equal, whatever kind of bytes they hold. */
export const shownEntry = ({ id, stream, number, ends, tag, text, mac }: OutboxEntry): unknown => ({
  ...{ id, stream, number, ends, tag },
  text: Buffer.from(text).toString("base64"),
  mac: Buffer.from(mac).toString("base64"),
});

/** Takes and drops all that waits: their ids, in their order. */
export async function drained({ outbox }: WithOutbox): Promise<readonly EntryId[]> {
  const found: EntryId[] = [];
  for (let taken = await outbox.take(500); taken.length > 0; taken = await outbox.take(500)) {
    found.push(...idsOf(taken));
    await outbox.drop(taken.map(({ position }) => position));
  }
  return found;
}
