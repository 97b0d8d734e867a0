/**
 * The streams of the two outboxes as the sequencer cares for them: takes those that have ended out of their stores,
 * ends those of processes that were killed, and finds the ends of streams that somebody took away.
 */
import type { LogStream, OutboxName } from "../stores/audit-log.ts";
import type { Outbox, StreamRow } from "../stores/outbox.ts";
import { STORE_STREAM } from "../stores/outbox.ts";
import type { Gap, StreamNumbers } from "./batch.ts";
import { storeStreams } from "./compare-stores.ts";
import type { OwnEntry } from "./log-entries.ts";

/** The two outboxes. */
export type Outboxes = Readonly<Record<OutboxName, Outbox>>;

export const OUTBOXES: readonly OutboxName[] = ["records", "keys"];

/** After so long without an entry the process of a stream is taken to be gone. One that slept takes another stream. */
const IDLE_MS = 86_400_000;
/** Streams that one entry of the log closes. */
const MOST_AT_ONCE = 500;
/** Streams that one call names. */
const PAGE = 1000;

/** Takes the rows of streams that have ended out of their stores. @returns those whose rows are gone */
export async function closeEnded(outboxes: Outboxes, ended: readonly LogStream[]): Promise<readonly LogStream[]> {
  const gone: LogStream[] = [];
  for (const name of OUTBOXES) {
    const own = ended.filter(({ outbox }) => outbox === name);
    for (let at = 0; at < own.length; at += PAGE)
      for (const one of await closePage(outboxes[name], own.slice(at, at + PAGE))) gone.push(one);
  }
  return gone;
}

async function closePage(outbox: Outbox, ended: readonly LogStream[]): Promise<readonly LogStream[]> {
  await outbox.closeStreams(ended.map(({ stream, number }) => ({ stream, last: number })));
  const rows = await outbox.streams(ended.map(({ stream }) => stream));
  return ended.filter((_, index) => rows[index] === null);
}

/** What a look at all streams of the stores came to. */
export interface StreamLook {
  /** Streams that are further than the log. */
  readonly ahead: readonly (StreamRow & { readonly outbox: OutboxName })[];
  /** Streams that nobody uses any more. */
  readonly idle: readonly LogStream[];
}

/** Looks at all streams of the stores. */
export async function lookAtStreams(outboxes: Outboxes, known: StreamNumbers, now: Date): Promise<StreamLook> {
  const ahead: (StreamRow & { readonly outbox: OutboxName })[] = [];
  const idle: LogStream[] = [];
  for (const outbox of OUTBOXES) {
    for await (const page of storeStreams(outboxes[outbox]))
      for (const row of page) {
        const inLog = known.get(outbox, row.stream);
        if (row.last > (inLog?.number ?? 0)) ahead.push({ ...row, outbox });
        else if (inLog !== undefined && !inLog.ended && isIdle(row, now)) idle.push({ ...inLog, ended: true });
      }
  }
  return { ahead, idle: idle.slice(0, MOST_AT_ONCE) };
}

function isIdle({ stream, at }: StreamRow, now: Date): boolean {
  return stream !== STORE_STREAM && now.getTime() - Date.parse(at) > IDLE_MS;
}

/**
 * Of streams that were ahead before everything that waited was carried to the log, those that are still: what was
 * written there was taken away.
 */
export function takenAway(ahead: StreamLook["ahead"], known: StreamNumbers): readonly Gap[] {
  return ahead.flatMap(({ outbox, stream, last }) => {
    const number = known.get(outbox, stream)?.number ?? 0;
    return number < last ? [{ outbox, stream, from: number + 1, to: last }] : [];
  });
}

/** The entry that says which streams are closed. */
export const closingEntry = (idle: readonly LogStream[]): OwnEntry => ({
  action: "streams-closed",
  details: Object.fromEntries(
    OUTBOXES.map((name) => [name, idle.filter(({ outbox }) => outbox === name)] as const)
      .filter(([, own]) => own.length > 0)
      .map(([name, own]) => [name, own.map(({ stream, number }) => `${stream}:${number}`).join(" ")]),
  ),
});
