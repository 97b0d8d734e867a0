/**
 * The vault's limits. Each is checked before memory or a KMS call is spent on what breaks it.
 */
import { VaultError } from "./errors.ts";

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

export const DEFAULT_VAULT_LIMITS: VaultLimits = {
  documentBytes: 1024 * 1024,
  documentDepth: 64,
  batchItems: 1000,
  batchConcurrency: 8,
  listItems: 1000,
  writeAttempts: 64,
};

/** @throws VaultError `limit-invalid` listing every limit that is not a whole number from 1 or has an unknown name. */
export function parseLimits(given: Partial<VaultLimits> = {}): VaultLimits {
  const problems = Object.entries(given).flatMap(([name, value]: [string, unknown]) => {
    if (!Object.hasOwn(DEFAULT_VAULT_LIMITS, name)) return [`${name} is not a limit`];
    return Number.isSafeInteger(value) && (value as number) >= 1 ? [] : [`${name} must be a whole number from 1`];
  });
  if (problems.length > 0) throw new VaultError("limit-invalid", `limits: ${problems.join("; ")}`);
  return { ...DEFAULT_VAULT_LIMITS, ...given };
}
