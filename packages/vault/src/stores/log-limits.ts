/**
 * What the audit's log takes, the same in every store: checked and copied at the call.
 */
import { bytes, randomId, refused, text, whole, wholeNumber } from "./checked.ts";
import { parseMoment } from "./moment.ts";
import type {
  Addition,
  AddressHead,
  LogState,
  LogStream,
  NewLogEntry,
  OutboxName,
  PositionRange,
} from "./audit-log.ts";
import { MAX_ENTRY_BYTES } from "./outbox.ts";
import type { EntryId } from "./outbox.ts";
import { addressTag, MAX_CHECKPOINT_BYTES } from "./outbox-limits.ts";

/** Of a hash: SHA-256. */
const HASH_BYTES = 32;
/** Most bytes of what an entry is found by, each. */
const MAX_TEXT_BYTES = 256;
/** Of a tree beyond which nobody counts. */
const MAX_HEIGHT = 52;
/** Most ranges of one call. */
const MAX_RANGES = 10_000;
const OUTBOXES: readonly unknown[] = ["records", "keys"] satisfies OutboxName[];

/** @throws VaultError `store-failed`: it holds what no vault writes, or its parts do not belong together */
export function takeAddition(base: Pick<LogState, "history" | "size">, addition: Addition): Addition {
  return whole(() => {
    const begins = flag(addition.begins);
    const own: Addition = {
      entries: addition.entries.map(takeEntry),
      subtrees: addition.subtrees.map(({ index, ...subtree }) => ({
        ...takeSubtree(subtree),
        index: wholeNumber(index, 0),
      })),
      state: takeState(addition.state),
      heads: addition.heads.map(({ tag, ...head }) => ({ tag: addressTag(tag), ...takeHead(head) })),
      messages: addition.messages.map(({ tag, version, sha256 }) => ({
        tag: addressTag(tag),
        version: takeVersion(version),
        sha256: bytes(sha256, HASH_BYTES, HASH_BYTES),
      })),
      removed: addition.removed.map(addressTag),
      streams: addition.streams.map(({ number, ended, ...stream }) => ({
        ...takeStream(stream),
        number: wholeNumber(number, 1),
        ended: flag(ended),
      })),
      closed: addition.closed.map(takeStream),
      begins,
    };
    if (own.state.size !== base.size + own.entries.length) throw new RangeError("the log's size is another one");
    if (own.state.history !== base.history && base.history !== null && !begins)
      throw new RangeError("another history begins, and nothing says so");
    requireOnce(own.entries.map(({ id }) => id));
    requireOnce(own.heads.map(({ tag }) => tag));
    requireOnce([...own.streams, ...own.closed].map(({ outbox, stream }) => `${outbox}/${stream}`));
    return own;
  });
}

/** @throws VaultError `store-failed`: one is none, or they are not in their order, or too many */
export function takeRanges(ranges: readonly PositionRange[]): readonly PositionRange[] {
  return whole(() => {
    if (ranges.length > MAX_RANGES) throw new RangeError("so many ranges are not forgotten at once");
    let end = 0;
    return ranges.map(({ from, to }) => {
      const own = { from: wholeNumber(from, end), to: wholeNumber(to, from + 1) };
      end = own.to;
      return own;
    });
  });
}

/** @throws VaultError `store-failed`: they are not all of the log */
export function requireWithin(ranges: readonly PositionRange[], size: number): void {
  if ((ranges.at(-1)?.to ?? 0) > size) throw refused("positions beyond the end of the log");
}

function takeEntry(entry: NewLogEntry): NewLogEntry {
  const { collection } = entry;
  return {
    id: randomId(entry.id, "an entry's id"),
    text: bytes(entry.text, 1, MAX_ENTRY_BYTES),
    leaf: bytes(entry.leaf, HASH_BYTES, HASH_BYTES),
    at: parseMoment(entry.at),
    principal: text(entry.principal, MAX_TEXT_BYTES),
    action: text(entry.action, MAX_TEXT_BYTES),
    collection: collection === null ? null : text(collection, MAX_TEXT_BYTES),
    people: [...new Set(entry.people.map((key) => text(key, MAX_TEXT_BYTES)))],
  };
}

function takeState(state: LogState): LogState {
  const { history, checkpoint } = state;
  return {
    history: history === null ? null : randomId(history, "a history"),
    size: wholeNumber(state.size, 0),
    subtrees: state.subtrees.map(takeSubtree),
    checkpoint: checkpoint === null ? null : text(checkpoint, MAX_CHECKPOINT_BYTES),
    published: wholeNumber(state.published, 0),
    adopted: flag(state.adopted),
    forgotten: wholeNumber(state.forgotten, 0),
  };
}

function takeSubtree({ height, hash }: LogState["subtrees"][number]): LogState["subtrees"][number] {
  if (height > MAX_HEIGHT) throw new RangeError("a tree is too high");
  return { height: wholeNumber(height, 0), hash: bytes(hash, HASH_BYTES, HASH_BYTES) };
}

function takeHead({ version, state, entry }: AddressHead): AddressHead {
  if (!["live", "removed"].includes(state)) throw new RangeError("a head is live or removed");
  return {
    version: takeVersion(version),
    state,
    entry: entry === null ? null : randomId<EntryId>(entry, "an entry's id"),
  };
}

function takeVersion<Version extends number>(version: Version): Version {
  wholeNumber(version, 1);
  return version;
}

function takeStream({ outbox, stream }: Pick<LogStream, "outbox" | "stream">): Pick<LogStream, "outbox" | "stream"> {
  if (!OUTBOXES.includes(outbox)) throw new RangeError("there is no such outbox");
  return { outbox, stream: randomId(stream, "a stream") };
}

function flag(value: boolean): boolean {
  if (typeof (value as unknown) === "boolean") return value;
  throw new RangeError("what is true or false is neither");
}

function requireOnce(ids: readonly string[]): void {
  if (new Set(ids).size < ids.length) throw new RangeError("what comes once is in it twice");
}
