// Sends the batches of an import and counts what came of each record.
import type { BatchItem, BatchResult, Client, OnExisting } from "@strongroom/client";
import { type ImportReport, noteMissing } from "./report.ts";
import { withRetries } from "./retry.ts";

/** A document on its way, and where in the file it came from. */
export interface PendingItem {
  readonly position: number;
  readonly item: BatchItem;
}

/** What was seen while a batch was sent. */
export interface Sent {
  /** Whether a region did not keep up, or the service had more to do than it could. */
  readonly strained: boolean;
}

/** Sends a batch and adds its results to the report. */
export type Sender = (batch: readonly PendingItem[]) => Promise<Sent>;

/** How batches are sent. */
export interface SenderOptions {
  readonly client: Client;
  readonly report: ImportReport;
  readonly retryForMs: number;
  readonly signal: AbortSignal;
}

/** Sends a batch as one request, which the service stores in one transaction. */
export function batchSender(onExisting: OnExisting, { client, report, retryForMs, signal }: SenderOptions): Sender {
  return async (batch) => {
    let strained = false;
    const items = batch.map(({ item }) => item);
    const send = (): Promise<readonly BatchResult[]> =>
      client.records.putMany(report.collection, items, { onExisting });
    const results = await withRetries(send, {
      retryForMs,
      signal,
      // With `replace` each sending makes new versions.
      repeat: onExisting === "replace" ? "known-unstored" : "any",
      onPause: () => {
        strained = true;
      },
    });
    results.forEach((result, index) => {
      const missing = result.wraps?.missing ?? [];
      if (missing.length > 0) strained = true;
      noteMissing(report, missing);
      if (result.outcome !== "refused") report[result.outcome]++;
      else report.bad.push({ position: batch[index]?.position ?? 0, ...refusal(result.code, result.detail) });
    });
    return { strained };
  };
}

/** Why the service refused a record, in its own words: they name the rule and not what was sent. */
export function refusal(
  code: string | undefined,
  detail: string | null | undefined,
): { readonly reason: string; readonly code: string } {
  const known = code ?? "unknown";
  return { reason: `${detail ?? "refused by the service"} [${known}]`, code: known };
}
