// Sends the batches of an import, and sends them again while the service or too many regions are away; counts what came
// of each line.
import { setTimeout as sleep } from "node:timers/promises";
import { type BatchItem, type BatchResult, type Client, isClientError, type OnExisting } from "@strongroom/client";
import { CliError } from "../errors.ts";

/** First and longest pause between two tries, in milliseconds. */
const PAUSE = { firstMs: 250, longestMs: 4000 } as const;

/** A document on its way, and the line it came from. */
export interface PendingItem {
  readonly line: number;
  readonly item: BatchItem;
}

/** A line that was not imported, and why; never its content. */
export interface BadLine {
  readonly line: number;
  readonly reason: string;
}

/** What an import did; the JSON result. */
export interface ImportReport {
  readonly collection: string;
  read: number;
  created: number;
  replaced: number;
  unchanged: number;
  kept: number;
  /** Region -> new versions whose wrap is missing there. */
  readonly missingWraps: Record<string, number>;
  /** Records whose id, or subject, looks like an address or a telephone number. */
  personalIds: number;
  readonly bad: BadLine[];
}

/** How batches are sent. */
export interface SenderOptions {
  readonly client: Client;
  readonly report: ImportReport;
  readonly onExisting: OnExisting;
  readonly retryForMs: number;
  readonly signal: AbortSignal;
}

/**
 * Sends a batch and adds its results to the report. An id that stands on two lines is stored once: the second line is
 * bad.
 */
export function batchSender({
  client,
  report,
  onExisting,
  retryForMs,
  signal,
}: SenderOptions): (batch: readonly PendingItem[]) => Promise<void> {
  const firstLines = new Map<string, number>();
  return async (batch) => {
    const fresh = batch.filter(({ line, item }) => {
      const first = firstLines.get(item.id);
      if (first === undefined) firstLines.set(item.id, line);
      else report.bad.push({ line, reason: `has the same id as line ${first}` });
      return first === undefined;
    });
    if (fresh.length === 0) return;
    const items = fresh.map(({ item }) => item);
    const send = (): Promise<readonly BatchResult[]> =>
      client.records.putMany(report.collection, items, { onExisting });
    const results = await withRetries(send, { onExisting, retryForMs, signal });
    results.forEach((result, index) => {
      if (result.outcome === "refused")
        report.bad.push({
          line: fresh[index]?.line ?? 0,
          reason: `refused by the service [${result.code ?? "unknown"}]`,
        });
      else report[result.outcome]++;
      for (const region of result.wraps?.missing ?? [])
        report.missingWraps[region] = (report.missingWraps[region] ?? 0) + 1;
    });
  };
}

/**
 * Tries again while the service or too many regions are away. With `replace` a batch is not sent twice unless the
 * service said that nothing was stored: the first may have been, and each sending makes new versions.
 */
async function withRetries<Result>(
  send: () => Promise<Result>,
  {
    onExisting,
    retryForMs,
    signal,
  }: { readonly onExisting: OnExisting; readonly retryForMs: number; readonly signal: AbortSignal },
): Promise<Result> {
  const giveUpAt = performance.now() + retryForMs;
  for (let delay: number = PAUSE.firstMs; ; delay = Math.min(delay * 2, PAUSE.longestMs)) {
    try {
      return await send();
    } catch (error) {
      const mayRepeat =
        isClientError(error) && error.outcome === "unavailable" && (error.status !== null || onExisting !== "replace");
      if (!mayRepeat || performance.now() + delay > giveUpAt) throw error;
      await sleep(delay, undefined, { signal }).catch(() => {
        throw new CliError("interrupted");
      });
    }
  }
}
