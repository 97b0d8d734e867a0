/**
 * Opens the erasures of a vault: replays what must hold before anybody can ask, and goes on with what is not done.
 */
import { setTimeout as delay } from "node:timers/promises";
import { approvalsOf } from "../approvals/approvals.ts";
import type { Auditor } from "../audit/auditor.ts";
import type { AuditKeys } from "../audit/audit-keys.ts";
import type { VaultAudit } from "../audit/view.ts";
import { noop, systemSleep } from "../convergence/repairs.ts";
import type { RepairOptions } from "../convergence/repairs.ts";
import { DEFAULT_REPAIR_SETTINGS } from "../convergence/schedule.ts";
import type { KeySets } from "../keys/key-sets.ts";
import type { SubjectKeys } from "../keys/subject-keys.ts";
import type { Dependencies } from "../limits.ts";
import type { AuditLog } from "../stores/audit-log.ts";
import type { KeyStore } from "../stores/key-store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { ActingErasures } from "./acting-erasures.ts";
import type { ActingErasureParts } from "./acting-erasures.ts";
import { CertificateSigner } from "./certificate.ts";
import { Certificates } from "./certificates.ts";
import type { Erasures } from "./erasures.ts";
import { ErasureWorker } from "./erasure-worker.ts";
import { holdsByLog, readLog } from "./from-log.ts";
import { LedgerReader } from "./ledger.ts";
import { Ledgers } from "./ledgers.ts";
import type { LedgerCopy } from "./ledgers.ts";
import { PersonFiles } from "./person-files.ts";
import { replayLedger, replayStores } from "./replay.ts";
import { ErasureSteps } from "./steps.ts";
import type { ErasureSettings } from "./steps.ts";

/** What they are opened with. */
export interface OpenErasureParts {
  readonly dependencies: Dependencies;
  readonly auditor: Auditor;
  readonly keyStore: KeyStore;
  /** Of the key store. */
  readonly keySets: KeySets;
  readonly subjectKeys: SubjectKeys;
  readonly auditKeys: AuditKeys;
  readonly log: AuditLog;
  readonly sequence: () => Promise<void>;
  readonly settings: ErasureSettings;
  readonly copies: readonly LedgerCopy[];
  /** The stores were set back, and it was accepted: they are compared as a whole. */
  readonly wasRestored: boolean;
  /** Null: what is not done is left to others. */
  readonly repair: RepairOptions | null;
}

/** Longest time between two looks at what others have left, in milliseconds. */
const LOOK_MS = 30_000;

/** How long a start waits for entries that are on their way to the log, in milliseconds. */
const CARRY_MS = 1_000;

/** The erasures of a vault that is open. */
export class OpenErasures {
  readonly #parts: Omit<ActingErasureParts, "wake">;
  readonly #open: OpenErasureParts;
  #worker: ErasureWorker | null = null;

  constructor(open: OpenErasureParts) {
    const { dependencies, auditor, keyStore, keySets, subjectKeys, auditKeys, log, sequence, settings, copies } = open;
    const own = auditor.as({ principal: "strongroom:erasure" });
    const { notes } = dependencies.store;
    using seed = auditKeys.certificateSeed();
    const { key } = new CertificateSigner(auditKeys.vault, Buffer.from(seed.bytes));
    const parts = {
      ...{ keyStore, keySets, auditKeys, settings, log, sequence, auditor: own },
      dependencies: { ...dependencies, audit: own },
      files: new PersonFiles(notes, auditKeys),
      certificates: new Certificates(notes, key),
      ledgers: new Ledgers(copies, auditKeys, open.repair?.onFault ?? noop),
    };
    this.#parts = { ...parts, subjectKeys, steps: new ErasureSteps(parts) };
    this.#open = open;
  }

  /** Before anybody can ask. @throws VaultError the stores', the audit's */
  async replay(): Promise<void> {
    const { log, auditKeys, dependencies, ledgers, auditor, keyStore, files, sequence } = this.#parts;
    // What is not carried to the log by then lies in the same stores as what it tells of: a start does not wait for
    // whoever was killed while he carried.
    await Promise.race([sequence().catch(() => undefined), delay(CARRY_MS, undefined, { ref: false })]);
    const parts = { dependencies, auditor, keyStore, files };
    // What both say is one: a hold of which the one knows that it was set, and the other that it was lifted, is lifted.
    const reader = new LedgerReader();
    await readLog({ log, keys: auditKeys }, reader);
    await ledgers.read(reader);
    await replayLedger(parts, reader.state);
    if (this.#open.wasRestored) await replayStores(parts);
  }

  /** Goes on with what is not done, where there is a repair. */
  start(): void {
    const { repair, dependencies } = this.#open;
    if (repair === null) return;
    const { onFault = noop, sleep = systemSleep } = repair;
    const { intervalMs, leaseMs } = { ...DEFAULT_REPAIR_SETTINGS, ...repair };
    const lookMs = Math.min(intervalMs, LOOK_MS);
    const { files, steps } = this.#parts;
    this.#worker = new ErasureWorker({ dependencies, files, steps, onFault, sleep, lookMs, leaseMs });
  }

  /** On behalf of a caller. */
  of(auditor: Auditor, view: VaultAudit): Erasures {
    const { store, clock } = this.#open.dependencies;
    const wake = (): void => this.#worker?.wake();
    return new ActingErasures({ ...this.#parts, wake }, auditor, () =>
      approvalsOf({ notes: store.notes, audit: view, principal: auditor.actor.principal, clock }),
    );
  }

  /**
   * Of some people, those who are under a hold now: by their notes, and by the audit of whom there is none: a hold is
   * not lifted by taking its note away.
   */
  async heldOf(ids: readonly SubjectId[]): Promise<ReadonlySet<SubjectId>> {
    const { files, log, auditKeys } = this.#parts;
    const held = new Set<SubjectId>();
    for (const id of ids) {
      const { holds } = await files.read(id);
      if (holds.length > 0 || (await holdsByLog({ log, keys: auditKeys }, id)).size > 0) held.add(id);
    }
    return held;
  }

  async stop(): Promise<void> {
    await this.#worker?.stop();
  }
}
