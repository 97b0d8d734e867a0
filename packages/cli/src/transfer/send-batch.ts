// Sends the batches of an import, and sends them again while the service or too many regions are away.
import { setTimeout as sleep } from "node:timers/promises";
import type { BatchResult } from "../client/answers.ts";
import type { BatchItem, OnExisting, ServiceClient } from "../client/service-client.ts";
import { CliError } from "../errors.ts";
import type { ImportReport } from "./import-report.ts";

/** First and longest pause between two tries, in milliseconds. */
const PAUSE = { firstMs: 250, longestMs: 4000 } as const;

/** A document on its way, and the line it came from. */
export interface PendingItem {
  readonly line: number;
  readonly item: BatchItem;
}

/** How batches are sent. */
export interface SenderOptions {
  readonly client: ServiceClient;
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
    const send = (): Promise<readonly BatchResult[]> => client.putMany(report.collection, items, onExisting);
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
      const answered = error instanceof CliError && error.code === "service-refused";
      const mayRepeat =
        error instanceof CliError && error.outcome === "unavailable" && (answered || onExisting !== "replace");
      if (!mayRepeat || performance.now() + delay > giveUpAt) throw error;
      await sleep(delay, undefined, { signal }).catch(() => {
        throw new CliError("interrupted");
      });
    }
  }
}
