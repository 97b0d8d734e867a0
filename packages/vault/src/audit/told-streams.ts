/**
 * What the log itself tells of streams: how far a process says that it wrote when it closed, and which were closed
 * because nobody used them.
 */
import type { AuditLog, LogStream } from "../stores/audit-log.ts";
import { STORE_STREAM } from "../stores/outbox.ts";
import type { StreamId } from "../stores/outbox.ts";
import type { EntryText } from "./entry.ts";

/** How far the streams were that a process has used, as its entry `close` says. */
export const lanesIn = (details: EntryText["details"]): readonly Pick<LogStream, "stream" | "number">[] =>
  String(details?.["lanes"] ?? "")
    .split(" ")
    .filter((lane) => lane !== "")
    .map((lane) => ({
      stream: lane.slice(0, STREAM_LENGTH) as StreamId,
      number: Number(lane.slice(STREAM_LENGTH + 1)),
    }));

const STREAM_LENGTH = STORE_STREAM.length;

/** Whether the log says that a stream was closed because nobody used it for long: of late, as streams are used. */
export async function wasClosed(log: Pick<AuditLog, "find">, stream: StreamId): Promise<boolean> {
  const rows = await log.find({ action: "streams-closed" }, { order: "newest", after: null, limit: 100 });
  return rows.some(({ text }) => text !== null && Buffer.from(text).includes(stream));
}
