/**
 * What the repair of owed wraps has done since it was started, in numbers. No id, no region's words.
 */
import type { VaultErrorCode } from "../errors.ts";
import type { RepairOutcome } from "./repair-version.ts";

export interface RepairStatus {
  /** `off`: the vault was opened without it. */
  readonly state: "off" | "resting" | "working" | "stopped";
  /** Versions that got wraps, and versions that were found to owe nothing any more. */
  readonly repaired: number;
  readonly settled: number;
  /** Repairs that met a writer, a removal or another repair, and changed nothing. */
  readonly overtaken: number;
  readonly failed: number;
  readonly failuresByCode: Readonly<Partial<Record<VaultErrorCode, number>>>;
  /** ISO 8601, UTC. */
  readonly lastRepairAt: string | null;
  readonly lastFailure: { readonly code: VaultErrorCode; readonly at: string } | null;
}

export class RepairTally {
  readonly #outcomes: Record<RepairOutcome["kind"] | "failed", number> = {
    repaired: 0,
    settled: 0,
    overtaken: 0,
    failed: 0,
  };
  readonly #codes = new Map<VaultErrorCode, number>();
  #lastRepairAt: string | null = null;
  #lastFailure: RepairStatus["lastFailure"] = null;

  ended({ kind }: RepairOutcome, at: Date): void {
    this.#outcomes[kind]++;
    if (kind === "repaired") this.#lastRepairAt = at.toISOString();
  }

  failed(code: VaultErrorCode, at: Date): void {
    this.#outcomes.failed++;
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
    this.#lastFailure = { code, at: at.toISOString() };
  }

  status(state: RepairStatus["state"]): RepairStatus {
    return {
      state,
      ...this.#outcomes,
      failuresByCode: Object.fromEntries(this.#codes),
      lastRepairAt: this.#lastRepairAt,
      lastFailure: this.#lastFailure,
    };
  }
}
