/**
 * Opens the audit of a vault: compares the stores with the log, opens the auditor, and begins to carry entries to the
 * log. In this order, so that nothing is written to stores that were set back.
 */
import { parseCaller } from "./audit/actor.ts";
import type { Auditor } from "./audit/auditor.ts";
import { openAudit } from "./audit/open-audit.ts";
import { openAuditor } from "./audit/open-auditor.ts";
import { unavailable } from "./audit/unavailable.ts";
import type { VaultAudit } from "./audit/view.ts";
import { parseTenant } from "./collections/declaration.ts";
import type { Declarations } from "./collections/declaration.ts";
import { isVaultError, VaultError } from "./errors.ts";
import { DEFAULT_TENANT } from "./keys/key-binding.ts";
import type { SubjectKeys } from "./keys/subject-keys.ts";
import type { AuditOptions } from "./options.ts";
import type { Collection } from "./records/address.ts";
import { parseName } from "./records/whom.ts";
import type { JobStore } from "./stores/jobs.ts";
import type { KeyStore } from "./stores/key-store.ts";
import type { Store } from "./stores/store.ts";
import type { SubjectId } from "./stores/subjects.ts";
import type { VerifiedAudit } from "./verify/parts.ts";

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
  /** What a verification needs of it. */
  readonly verified: Omit<VerifiedAudit, "log">;
  /** What somebody asks of the log. */
  readonly viewOf: (auditor: Auditor) => VaultAudit;
  /** Of the log. */
  readonly jobs: JobStore;
  /** Resolves when the log answers. @throws VaultError `audit-unavailable`, whose cause says why */
  ping(): Promise<void>;
  /** Writes the last entries, and carries to the log what waits; does not throw. */
  close(): Promise<void>;
  /** Closes the log. */
  closeLog(): Promise<void>;
}

/** Opens an audit. When it throws it has closed nothing. */
export type OpenAudit = (parts: AuditParts) => Promise<OpenedAudit>;

/**
 * @throws VaultError `audit-foreign`, `store-rolled-back`, `audit-unavailable`, `audit-actor-invalid`;
 *   `key-not-configured`: the stores are of other keys; the stores'
 */
export const openAudited: OpenAudit = async ({ store, keyStore, subjectKeys, declarations, clock, audit }) => {
  const { log, principal = "local", signer, witnesses = [], acceptRestore, rollback, onAlarm, onFault } = audit;
  // Before anything else is made: who has no name does nothing.
  const { principal: own } = parseCaller({ principal });
  const keys = await subjectKeys.audit(undefined).catch(keysUnknown);
  const service = await openAudit({
    ...{ store, keyStore, log, keys, witnesses, clock, acceptRestore },
    signers: signer === undefined ? [] : [signer],
    acceptTailMs: rollback?.acceptTail,
    ...(onAlarm === undefined ? {} : { onAlarm }),
    ...(onFault === undefined ? {} : { onFault }),
  });
  const opened = await openAuditor({
    ...{ store, keyStore, log, keys, clock, principal: own },
    purposesOf: (collection) => declarations.of(collection as Collection).purposes,
    requireWhole: () => {
      service.requireWhole();
    },
    onWritten: () => {
      service.wake();
    },
    onAlarm: (code, message) => {
      service.alarm(code, message);
    },
  }).catch(async (error: unknown) => {
    await service.close();
    throw error;
  });
  service.start();
  const findPerson = async (given: string, inTenant: string = DEFAULT_TENANT): Promise<SubjectId | null> => {
    const person = { name: parseName(given), tenant: parseTenant(inTenant) };
    const [id = null] = await subjectKeys.resolve([person], undefined);
    return id;
  };
  return {
    auditor: opened.auditor,
    verified: { auditor: opened.auditor, keys, settle: () => service.sequence() },
    viewOf: (auditor) => service.viewOf(auditor, { findPerson, groups: () => opened.groups() }),
    jobs: log.jobs,
    ping: async () => {
      await log.ping().catch((error: unknown) => {
        throw unavailable("The log of the audit cannot be used", error);
      });
    },
    close: async () => {
      await opened.close();
      await service.close();
    },
    closeLog: () => log.close(),
  };
};

/** Without the audit's key nothing is read either: it is said at once, and of what. */
function keysUnknown(cause: unknown): never {
  if (!isVaultError(cause) || cause.code !== "key-not-configured") throw cause;
  throw new VaultError(
    "key-not-configured",
    "The stores were written under other keys: none of the configured ones opens the key of the audit, without which " +
      "nothing is written and nothing is read",
    { cause },
  );
}
