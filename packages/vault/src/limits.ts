/**
 * The vault's limits, and what every operation is given beside them. A limit is checked before memory or a KMS call is
 * spent on what breaks it.
 */
import { wholeNumbers } from "@strongroom/base/options";
import type { Turns } from "@strongroom/base/work";
import type { Auditor } from "./audit/auditor.ts";
import type { Declarations } from "./collections/declaration.ts";
import { VaultError } from "./errors.ts";
import type { KeyCostMeter } from "./keys/cost.ts";
import type { KeySets } from "./keys/key-sets.ts";
import type { SubjectKeys } from "./keys/subject-keys.ts";
import type { RowAddresses } from "./records/row-addresses.ts";
import type { IndexBook } from "./search/index-book.ts";
import type { Store } from "./stores/store.ts";

/** Sizes and numbers that a vault does not go beyond. */
export interface VaultLimits {
  /** Bytes of a document as UTF-8 JSON. */
  readonly documentBytes: number;
  /**
   * Levels of objects and arrays inside each other. JSON.stringify recurses: unbounded depth would end the process'
   * stack.
   */
  readonly documentDepth: number;
  /** Items of one putMany. */
  readonly batchItems: number;
  /** Documents of one putMany that are encrypted or compared at the same time. Each costs a call per region. */
  readonly batchConcurrency: number;
  /** Items of one page of a list. */
  readonly listItems: number;
  /** Tries of a write against other writers of the same record before `record-contended`. */
  readonly writeAttempts: number;
}

/** The limits of a vault that was opened without others. */
export const DEFAULT_VAULT_LIMITS: VaultLimits = {
  documentBytes: 1024 * 1024,
  documentDepth: 64,
  batchItems: 1000,
  batchConcurrency: 8,
  listItems: 1000,
  writeAttempts: 64,
};

/** @throws VaultError `limit-invalid` listing every limit that is not a whole number from 1 or has an unknown name */
export function parseLimits(given: Partial<VaultLimits> | undefined): VaultLimits {
  return parseNumbers("limits", "a limit", given, DEFAULT_VAULT_LIMITS);
}

/**
 * Whole numbers from 1 over their defaults. `option` and `kind` are how the message names all of them and one of them.
 *
 * @throws VaultError `limit-invalid` listing every number that is not one or has an unknown name
 */
export function parseNumbers<Numbers extends object>(
  option: string,
  kind: string,
  given: Partial<Numbers> | undefined,
  defaults: Numbers,
): Numbers {
  const problems: string[] = [];
  const numbers = wholeNumbers(given, defaults, { what: option, kind, problems });
  if (problems.length > 0) throw new VaultError("limit-invalid", `${option}: ${problems.join("; ")}`);
  return numbers;
}

/** What every operation works with. */
export interface Dependencies {
  readonly store: Store;
  readonly keys: KeySets;
  /** Null: the vault has no key store, and each version's data key is wrapped by the key set itself. */
  readonly subjectKeys: SubjectKeys | null;
  readonly declarations: Declarations;
  readonly rowAddresses: RowAddresses;
  /** What records are found by; null: without a key store, by nothing. */
  readonly indexes: IndexBook | null;
  /** The audit, on behalf of whoever calls; null: the vault has none. */
  readonly audit: Auditor | null;
  /** Counts what keys cost; null without a key store. */
  readonly cost: KeyCostMeter | null;
  readonly clock: () => Date;
  readonly limits: VaultLimits;
  /** Writers of one record in this process, one after the other. */
  readonly turns: Turns;
}
