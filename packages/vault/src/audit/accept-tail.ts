/**
 * Goes on with a record store that lacks the last moments, as a standby does that took over. The history goes on with
 * it, and so does everything that is known of records: only what the lost entries had changed is put back to what it
 * was before, by an entry that names the addresses and the lost numbers.
 */
import type { KnownMessage, LogStream } from "../stores/audit-log.ts";
import type { AddressTag } from "../stores/outbox.ts";
import type { RecordStore } from "../stores/store.ts";
import { MOST_STREAMS, named, storeNumbers } from "./accept-restore.ts";
import type { RestoreParts } from "./accept-restore.ts";
import type { SetBackStream } from "./compare-stores.ts";
import type { EntryRecord } from "./entry.ts";
import { ENTRY_LIMITS } from "./entry-text.ts";
import type { HeldLog } from "./held-log.ts";
import type { OwnEntry } from "./log-entries.ts";
import type { HeadBefore, LostTail } from "./lost-tail.ts";
import { storedMessages } from "./stored-messages.ts";

const REASON = "the record store lacked the last moments, as a standby does that took over";

/** What a tail is accepted with. */
export interface TailRestoreParts extends Pick<RestoreParts, "log" | "outboxes"> {
  readonly records: Pick<RecordStore, "read" | "versions">;
}

/** Accepts it. What is accepted is durable when it resolves. */
export async function acceptTail(
  parts: TailRestoreParts,
  held: HeldLog,
  { tail, ms }: { readonly tail: LostTail; readonly ms: number },
): Promise<void> {
  const { streams, heads } = tail;
  const entries: OwnEntry[] = [];
  const perEntry = ENTRY_LIMITS.records;
  for (let part = 0; part * MOST_STREAMS < streams.length || part * perEntry < heads.length; part++) {
    const lost = streams.slice(part * MOST_STREAMS, (part + 1) * MOST_STREAMS);
    const records = heads.slice(part * perEntry, (part + 1) * perEntry).map(recordOf);
    const numbers = lost.length === 0 ? {} : { lost: lost.map(named).join(" ") };
    const details = { reason: REASON, tail: ms, lostStreams: streams.length, addresses: heads.length, ...numbers };
    entries.push({ action: "accept-restore", ...(records.length === 0 ? {} : { records }), details });
  }
  for (const head of heads) for (const again of await messagesAgain(parts, head)) entries.push(again);
  await held.addOwn(entries, { streams: streams.map(putBack) });
  // What had ended in the log is back in the store that took over.
  const rows = await storeNumbers(parts.outboxes);
  held.expectRepeats();
  while (await held.carry());
  const back = rows.filter(({ outbox, stream }) => outbox === "records" && !held.streams.get(outbox, stream));
  await held.addOwn([], { streams: back });
}

const recordOf = ({ tag, version, state, entry }: HeadBefore): EntryRecord => ({ tag, version, state, entry });

/** How far a stream is now; one that the store has nothing of is over. */
const putBack = ({ outbox, stream, from, to }: SetBackStream): LogStream =>
  from === 1 ? { outbox, stream, number: to, ended: true } : { outbox, stream, number: from - 1, ended: false };

/** The messages of a record that is put back: those that were known of it, and all where a removal forgot them. */
async function messagesAgain(
  { log, records }: TailRestoreParts,
  { tag, address, version: newest, state, isRemoved }: HeadBefore,
): Promise<readonly OwnEntry[]> {
  if (address === null || state === "removed") return [];
  const { messages } = await storedMessages(records, address, async () => undefined);
  const before = messages.filter(({ version }) => version <= newest);
  const asked = before.map((message): { tag: AddressTag; message: Omit<KnownMessage, "tag"> } => ({ tag, message }));
  const latest = asked.length === 0 ? [] : await log.latest(asked);
  const known = before.filter((_, index) => isRemoved || latest[index]?.isKnown === true);
  const entries: OwnEntry[] = [];
  for (let at = 0; at < known.length; at += ENTRY_LIMITS.records) {
    const some = known.slice(at, at + ENTRY_LIMITS.records).map(({ version, scheme, sha256 }) => {
      return { tag, version, scheme, sha256: sha256.toString("base64url") };
    });
    entries.push({ action: "adopt", collection: address.collection, records: some });
  }
  return entries;
}
