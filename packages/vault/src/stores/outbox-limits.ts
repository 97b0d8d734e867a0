/**
 * What an outbox takes, the same in every store: checked and copied at the call.
 */
import { ownBytes, randomId, refused, someBytes, whole, wholeNumber } from "./checked.ts";
import { MAX_APPEND_BYTES, MAX_APPEND_ENTRIES, MAX_ENTRY_BYTES } from "./outbox.ts";
import type { AddressTag, OutboxEntry, StreamId, UnitEntry } from "./outbox.ts";
import type { SubjectId } from "./subjects.ts";
import type { WriteId } from "./units.ts";

/** Of an entry's MAC: SHA-256. */
const MAC_BYTES = 32;
const TAG = /^[A-Za-z0-9_-]{22}$/;
/** Most bytes of a checkpoint as UTF-8. */
export const MAX_CHECKPOINT_BYTES: number = 64 * 1024;

/** Entries and people as an append takes them; people each once, in the order of their ids. */
export interface Append {
  readonly entries: readonly OutboxEntry[];
  readonly active: readonly SubjectId[];
}

/** @throws VaultError `store-failed`: they are more than one call takes, or hold what no vault writes */
export function takeAppend(entries: readonly OutboxEntry[], active: readonly SubjectId[]): Append {
  const checked = checkAppend(entries, active);
  return { entries: checked.entries.map(withOwnBytes), active: checked.active };
}

/**
 * The same, and the bytes stay the caller's: whoever copies them all in the same turn needs no copy before.
 *
 * @throws VaultError `store-failed`
 */
export function checkAppend(entries: readonly OutboxEntry[], active: readonly SubjectId[]): Append {
  if (entries.length > MAX_APPEND_ENTRIES)
    throw refused(`one append has at most ${MAX_APPEND_ENTRIES} entries, not ${entries.length}`);
  return whole(() => {
    const own = entries.map(checkEntry);
    const size = own.reduce((sum, { text }) => sum + text.length, 0);
    if (size > MAX_APPEND_BYTES) throw new RangeError(`one append has at most ${MAX_APPEND_BYTES} bytes, not ${size}`);
    requireSuccessive(own);
    return { entries: own, active: [...new Set(active.map((id) => randomId(id, "a person's id")))].sort() };
  });
}

/** The entry of a unit, whose id is the write's. @throws RangeError */
export function takeUnitEntry(entry: UnitEntry, writeId: WriteId): UnitEntry {
  return withOwnBytes(checkUnitEntry(entry, writeId));
}

/** The same, and the bytes stay the caller's. @throws RangeError */
export function checkUnitEntry(entry: UnitEntry, writeId: WriteId): UnitEntry {
  const { previous } = entry;
  if ((entry.id as string) !== writeId) throw new RangeError("the id of a unit's entry is its write id");
  return { ...checkEntry(entry), previous: previous === null ? null : randomId(previous, "an entry's id") };
}

const withOwnBytes = <Entry extends OutboxEntry>(entry: Entry): Entry => ({
  ...entry,
  text: ownBytes(entry.text),
  mac: ownBytes(entry.mac),
});

/** A checkpoint: a signed note. @throws VaultError `store-failed` */
export function takeCheckpoint(note: string): string {
  return whole(() => {
    if (typeof (note as unknown) !== "string" || !note.isWellFormed() || note.includes("\0"))
      throw new RangeError("a checkpoint is a text");
    const length = Buffer.byteLength(note);
    if (length === 0 || length > MAX_CHECKPOINT_BYTES)
      throw new RangeError(`a checkpoint has 1 to ${MAX_CHECKPOINT_BYTES} bytes, not ${length}`);
    return note;
  });
}

/** @throws RangeError */
export function addressTag(tag: AddressTag): AddressTag {
  if (typeof (tag as unknown) === "string" && TAG.test(tag)) return tag;
  throw new RangeError("an address's tag is none");
}

function checkEntry({ id, stream, number, ends, tag, text, mac }: OutboxEntry): OutboxEntry {
  if (typeof (ends as unknown) !== "boolean") throw new RangeError("whether a stream ends is true or false");
  return {
    id: randomId(id, "an entry's id"),
    stream: randomId(stream, "a stream"),
    number: wholeNumber(number, 1),
    ends,
    tag: tag === null ? null : addressTag(tag),
    text: someBytes(text, 1, MAX_ENTRY_BYTES),
    mac: someBytes(mac, MAC_BYTES, MAC_BYTES),
  };
}

/** No id comes twice, and of each stream the numbers are one after the other. @throws RangeError */
function requireSuccessive(entries: readonly OutboxEntry[]): void {
  if (new Set(entries.map(({ id }) => id)).size < entries.length) throw new RangeError("an entry is in it twice");
  const last = new Map<StreamId, number>();
  for (const { stream, number } of entries) {
    if (number !== (last.get(stream) ?? number - 1) + 1) throw new RangeError("numbers of a stream are not in order");
    last.set(stream, number);
  }
}
