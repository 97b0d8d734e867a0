/**
 * The audit of a vault that is open: entries are written, and records compared with what the log knows, before anything
 * is given out or taken on.
 */
import type { AuditLog } from "../stores/audit-log.ts";
import type { KeyStore } from "../stores/key-store.ts";
import type { Store } from "../stores/store.ts";
import type { AuditKeys } from "./audit-keys.ts";
import type { Auditor } from "./auditor.ts";

/** What the audit works with. None of it is its own to close. */
export interface AuditorOptions {
  readonly store: Pick<Store, "outbox" | "records">;
  readonly keyStore: Pick<KeyStore, "outbox">;
  readonly log: Pick<AuditLog, "latest" | "state">;
  readonly keys: AuditKeys;
  /** Who does what nobody else is said to do. */
  readonly principal: string;
  /** For what a collection may be used; null: it declares nothing, and none has to be said. */
  readonly purposesOf: (collection: string) => readonly string[] | null;
  readonly clock: () => Date;
  /**
   * Called before anything is given out or written.
   *
   * @throws VaultError `store-rolled-back`: the vault was found set back
   */
  readonly requireWhole: () => void;
  /** Something waits in an outbox: the sequencer may be told. */
  readonly onWritten?: () => void;
}

/** The audit, until it is closed. */
export interface OpenedAuditor {
  /** On behalf of the vault itself; of somebody else by {@link Auditor.as}. */
  readonly auditor: Auditor;
  /**
   * Waits for what is under way, ends the streams that were used, and says so in both stores. What does not succeed of
   * it is left to the sequencer: nothing is thrown. Nothing is taken on any more.
   */
  close(): Promise<void>;
}

/**
 * Opens the audit, and says so in both stores. The stores were compared with the log before (compare-stores.ts).
 *
 * @throws VaultError `audit-unavailable`, `audit-actor-invalid`
 */
export async function openAuditor(options: AuditorOptions): Promise<OpenedAuditor> {
  await options.log.state();
  throw new Error("not yet");
}
