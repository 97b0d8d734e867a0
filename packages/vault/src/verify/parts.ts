/**
 * What the parts of a verification work with.
 */
import type { AuditKeys } from "../audit/audit-keys.ts";
import type { Auditor } from "../audit/auditor.ts";
import { isVaultError } from "../errors.ts";
import type { VaultError, VaultErrorCode } from "../errors.ts";
import type { KeyDependencies } from "../keys/region-wraps.ts";
import type { SubjectKeys } from "../keys/subject-keys.ts";
import type { Dependencies } from "../limits.ts";
import type { AuditLog } from "../stores/audit-log.ts";
import type { KeyStore } from "../stores/key-store.ts";
import type { Findings } from "./findings.ts";

/** What people have of keys: null of a vault without a key store. */
export interface VerifiedKeys {
  readonly store: KeyStore;
  readonly subjectKeys: SubjectKeys;
  readonly dependencies: KeyDependencies;
}

/** What there is of an audit. */
export interface VerifiedAudit {
  readonly auditor: Auditor;
  readonly log: AuditLog;
  readonly keys: AuditKeys;
  /** Resolves when what waited to be in the log is in it. */
  settle(): Promise<void>;
}

export interface VerifyParts {
  readonly records: Pick<
    Dependencies,
    "store" | "keys" | "subjectKeys" | "declarations" | "rowAddresses" | "indexes" | "clock"
  >;
  readonly keys: VerifiedKeys | null;
  readonly audit: VerifiedAudit | null;
}

/** How it is done, with what it has found so far. */
export interface VerifyRun extends VerifyParts {
  readonly findings: Findings;
  readonly regions: "any" | "each";
  readonly repairWraps: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Says nothing of what is stored: it could not be opened now. */
const UNOPENED: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>(["regions-unavailable", "deadline-exceeded"]);

/** Nothing more can be looked at. */
const ENDS: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>([
  "aborted",
  "audit-unavailable",
  "key-store-lost",
  // There is no room now: it is looked at again.
  "keyring-overloaded",
  "store-closed",
  "store-failed",
  "store-full",
  "store-newer",
  "store-rolled-back",
  "store-replaced",
  "store-set-back",
  "store-altered",
]);

export const isUnopened = (error: VaultError): boolean => UNOPENED.has(error.code);

/** What is wrong with what was looked at. @throws what is wrong with everything */
export function ofOne(error: unknown): VaultError {
  if (!isVaultError(error) || ENDS.has(error.code)) throw error;
  return error;
}

/** Counts what could not be opened, by the regions that did not answer. */
export function countUnopened(findings: Findings, { code, regions = [] }: VaultError): void {
  const away = regions.filter(({ reason }) => reason !== "wrong-data-key" && reason !== "invalid-ciphertext");
  if (away.length === 0) findings.unopened(code);
  for (const region of new Set(away.map((one) => one.region))) findings.unopened(region);
}
