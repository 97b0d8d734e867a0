/**
 * Opens the audit of a vault: compares the stores with the log, opens the auditor, and begins to carry entries to the
 * log. In this order, so that nothing is written to stores that were set back.
 */
import type { Auditor } from "./audit/auditor.ts";
import type { VaultAudit } from "./audit/view.ts";
import type { Declarations } from "./collections/declaration.ts";
import type { SubjectKeys } from "./keys/subject-keys.ts";
import type { AuditOptions } from "./options.ts";
import type { JobStore } from "./stores/jobs.ts";
import type { KeyStore } from "./stores/key-store.ts";
import type { Store } from "./stores/store.ts";

/** What an audit is opened with. */
export interface AuditParts {
  readonly store: Store;
  readonly keyStore: KeyStore;
  readonly subjectKeys: SubjectKeys;
  readonly declarations: Declarations;
  readonly clock: () => Date;
  readonly audit: AuditOptions;
}

/** An audit that is open. */
export interface OpenedAudit {
  /** On behalf of the vault itself. */
  readonly auditor: Auditor;
  /** What somebody asks of the log. */
  readonly viewOf: (auditor: Auditor) => VaultAudit;
  /** Of the log. */
  readonly jobs: JobStore;
  ping(): Promise<void>;
  /** Writes the last entries, and carries to the log what waits; does not throw. */
  close(): Promise<void>;
  /** Closes the log. */
  closeLog(): Promise<void>;
}

/** Opens an audit. When it throws it has closed nothing. */
export type OpenAudit = (parts: AuditParts) => Promise<OpenedAudit>;

/** @throws VaultError `audit-foreign`, `store-rolled-back`, `audit-unavailable`, `audit-actor-invalid` */
export const openAudited: OpenAudit = async () => {
  throw new Error("not yet");
};
