/**
 * What a process counts of the work that it does for a run. Who sums it up over all processes is elsewhere.
 */
import type { RegionReason, VaultErrorCode } from "../errors.ts";

/** What is told while a run works. */
export interface RunTally {
  /** An item has what the phase asks of it. */
  done(): void;
  /** An item's try failed; it is tried again. */
  failed(code: VaultErrorCode): void;
  /** An item was tried, whatever came of it. */
  ended(): void;
  /** A call of a KMS was answered. */
  called(region: string, operation: string): void;
  /** A try got no wrap from these. */
  missed(regions: readonly RegionReason[]): void;
  /** Each of these gave one. */
  gained(regions: readonly string[]): void;
  /** A call was refused for there having been too many. */
  throttled(region: string): void;
  /** Bytes that were written for an item. */
  wrote(bytes: number): void;
  /** Resolves when all that was counted is where others see it: before it is said that a phase is over. */
  settled(): Promise<void>;
}

/** Counts nothing. */
export const NO_TALLY: RunTally = {
  done: () => undefined,
  failed: () => undefined,
  ended: () => undefined,
  called: () => undefined,
  missed: () => undefined,
  gained: () => undefined,
  throttled: () => undefined,
  wrote: () => undefined,
  settled: () => Promise.resolve(),
};
