/**
 * How the repair is cut up for processes to share: a job of sixteen partitions, each of as many of the inventory's
 * buckets.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { BUCKETS } from "../stores/inventory.ts";
import type { BucketRange } from "../stores/inventory.ts";

/** The jobs that pay owed wraps: of the record store's versions, and of the key store's keys. */
export const REPAIR_JOB = "repair";
export const REPAIR_KEYS_JOB = "repair-keys";

/** Those of a run. */
export const CONVERGE_KEYS_JOB = "converge-keys";
export const CONVERGE_VERSIONS_JOB = "converge-versions";
export const DROP_KEYS_JOB = "drop-keys";
export const SHRED_TENANTS_JOB = "shred-tenants";
export const UNDO_VERSIONS_JOB = "undo-versions";
/** What is kept of versions goes, or comes back. */
export const KEPT_JOB = "kept-messages";

const PARTITIONS = 16;
const BUCKETS_EACH = BUCKETS / PARTITIONS;

const nameOf = (index: number): string => String(index).padStart(2, "0");

/** The partitions' names. */
export const REPAIR_PARTITIONS: readonly string[] = Array.from({ length: PARTITIONS }, (_, index) => nameOf(index));

/** The buckets of a partition; null for a name that the store has and the job has not. */
export function bucketsOf(partition: string): BucketRange | null {
  const index = REPAIR_PARTITIONS.indexOf(partition);
  return index < 0 ? null : { from: index * BUCKETS_EACH, to: (index + 1) * BUCKETS_EACH };
}

/** What a process calls itself where others see who works: another name each time. */
export function holderName(): string {
  return `${hostname().slice(0, 64)}/${process.pid}/${randomUUID().slice(0, 8)}`;
}
