/**
 * Opens the log's side of the audit: compares the stores, and then carries entries to the log for as long as the vault is
 * open. It knows the stores, the log and the audit's keys, and nothing of the vault beside them.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { VaultError } from "../errors.ts";
import type { AuditLog } from "../stores/audit-log.ts";
import { STORE_READER } from "../stores/gate.ts";
import type { KeyStore } from "../stores/key-store.ts";
import type { Store } from "../stores/store.ts";
import { acceptRestore, isTail } from "./accept-restore.ts";
import { Adoption } from "./adoption.ts";
import { Alarms } from "./alarms.ts";
import type { RaisedAlarm } from "./alarms.ts";
import type { AuditKeys } from "./audit-keys.ts";
import { compareStores, requireTogether } from "./compare-stores.ts";
import type { ComparedStores, Comparison } from "./compare-stores.ts";
import { HeldLog } from "./held-log.ts";
import type { LogParts } from "./held-log.ts";
import { publishToKeysAnyway, Witnesses } from "./publish.ts";
import { SEQUENCER_PACE, Sequencer, takeLease } from "./sequencer.ts";
import { NoteSigner, ownSigner } from "./signer.ts";
import type { CheckpointSigner } from "./signer.ts";
import type { Witness } from "./witness.ts";

/** What the log is kept with. None of it is the audit's to close. */
export interface AuditOptions {
  readonly store: Pick<Store, "outbox" | "records">;
  readonly keyStore: Pick<KeyStore, "outbox" | "checkpoint">;
  readonly log: AuditLog;
  readonly keys: AuditKeys;
  readonly witnesses?: readonly Witness[];
  /** Beside the vault's own key. */
  readonly signers?: readonly CheckpointSigner[];
  readonly clock?: () => Date;
  /** Why stores that do not go together are gone on with: a restore of a backup. Left out: they are refused. */
  readonly acceptRestore?: string | undefined;
  /** A record store that lacks no more than the last moments is gone on with: so many milliseconds. */
  readonly acceptTailMs?: number | undefined;
  /** Something was found wrong. */
  readonly onAlarm?: (alarm: RaisedAlarm) => void;
  /** The sequencer cannot go on now, and tries again; a witness is away. */
  readonly onFault?: (error: unknown) => void;
  /** Waits, or less when aborted. For tests that have time of their own. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Opens it. Nothing is written but what a restore that is accepted takes; {@link AuditService.start} begins.
 *
 * @throws VaultError `store-rolled-back`; `audit-foreign`, `store-newer`; `audit-unavailable`: a restore is to be
 *   accepted, and another process has the log; the stores'
 */
export async function openAudit(options: AuditOptions): Promise<AuditService> {
  const { log, keys } = options;
  await requireOwn(log, keys.vault);
  const parts = partsOf(options);
  const compared = comparedOf(options, parts);
  const comparison = await compareStores(compared);
  const accepted = await accept(options, parts, { compared, comparison });
  const { witnesses } = accepted ? await compareStores(compared) : comparison;
  return new AuditService(options, { ...parts, witnesses: new Witnesses(witnesses, parts.onFault) }, compared);
}

async function requireOwn({ gate }: AuditLog, vault: string): Promise<void> {
  const { minReader } = await gate.current();
  if (minReader > STORE_READER)
    throw new VaultError("store-newer", "The log of the audit was written by a newer version: run that one");
  if ((await gate.bind(vault)) !== vault)
    throw new VaultError("audit-foreign", "The log of the audit belongs to another vault");
}

type Parts = Omit<LogParts, "witnesses"> & { readonly onFault: (error: unknown) => void };

function partsOf({ store, keyStore, log, keys, signers = [], ...more }: AuditOptions): Parts {
  const { clock = () => new Date(), onAlarm = noop, onFault = noop } = more;
  using seed = keys.signingSeed();
  const signer = new NoteSigner(ownSigner(Buffer.from(seed.bytes)), signers, { clock, onFault });
  return {
    log,
    outboxes: { records: store.outbox, keys: keyStore.outbox },
    checkpoint: keyStore.checkpoint,
    keys,
    signer,
    key: { vault: keys.vault, verifierOf: (origin) => signer.verifierOf(origin) },
    alarms: new Alarms(clock, onAlarm),
    clock,
    onFault,
  };
}

const comparedOf = ({ witnesses = [] }: AuditOptions, { log, outboxes, checkpoint, key }: Parts): ComparedStores => ({
  log,
  outboxes,
  checkpoint,
  witnesses,
  key,
});

/** @returns whether something was accepted @throws VaultError `store-rolled-back`: it is not to be */
async function accept(
  { acceptRestore: reason, acceptTailMs, store, keys }: AuditOptions,
  parts: Parts,
  { compared, comparison }: { readonly compared: ComparedStores; readonly comparison: Comparison },
): Promise<boolean> {
  if (comparison.differences.length === 0) return false;
  const tailMs =
    reason === undefined && (await isAcceptedTail(parts.log, comparison, acceptTailMs)) ? acceptTailMs : undefined;
  if (reason === undefined && tailMs === undefined) requireTogether(comparison);
  const lease = await waitForLease(parts.log);
  try {
    const held = await HeldLog.open({ ...parts, witnesses: new Witnesses([], parts.onFault) }, lease);
    const said = { reason: reason ?? TAIL, comparison, ...(tailMs === undefined ? {} : { tailMs }) };
    await acceptRestore({ ...parts, records: store.records, keys }, held, said);
    await publishToKeysAnyway(compared.checkpoint, held.appender.state.checkpoint);
    parts.alarms.raise({ code: "accept-restore", message: `accepted: ${messagesOf(comparison)}` });
  } finally {
    await parts.log.jobs.finish(lease, { cursor: null, done: 0, failed: 0, problem: null }, 0);
  }
  return true;
}

const TAIL = "the record store lacked the last moments, as a standby does that took over";

const messagesOf = ({ differences }: Comparison): string => differences.map(({ error }) => error.message).join("; ");

async function isAcceptedTail(
  log: AuditLog,
  { differences }: Comparison,
  acceptTailMs: number | undefined,
): Promise<boolean> {
  if (acceptTailMs === undefined || !differences.every(({ store }) => store === "records")) return false;
  return isTail(
    log,
    differences.flatMap(({ streams = [] }) => streams),
    acceptTailMs,
  );
}

/** A process that was killed holds the log for a while yet. */
async function waitForLease({ jobs }: AuditLog): Promise<NonNullable<Awaited<ReturnType<typeof takeLease>>>> {
  const until = performance.now() + 2 * SEQUENCER_PACE.leaseMs;
  for (;;) {
    const lease = await takeLease(jobs, `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`);
    if (lease !== null) return lease;
    if (performance.now() > until)
      throw new VaultError("audit-unavailable", "A restore is accepted while no other process has the vault open");
    await delay(SEQUENCER_PACE.gatherMs);
  }
}

/** The log of a vault that is open. */
export class AuditService {
  readonly #options: AuditOptions;
  readonly #parts: Parts & LogParts;
  readonly #sequencer: Sequencer;

  constructor(options: AuditOptions, parts: Parts & LogParts, compared: ComparedStores) {
    this.#options = options;
    this.#parts = parts;
    const { store, keys, acceptTailMs, sleep = systemSleep } = options;
    const adopted = { records: store.records, outbox: store.outbox, log: parts.log, keys };
    this.#sequencer = new Sequencer({
      ...parts,
      sleep,
      adoption: (cursor) => new Adoption(adopted, cursor),
      compare: async (held) => {
        const comparison = await compareStores(compared);
        if (comparison.differences.length === 0) return "together";
        if (!(await isAcceptedTail(parts.log, comparison, acceptTailMs))) requireTogether(comparison);
        const said = { reason: TAIL, comparison, tailMs: acceptTailMs ?? 0 };
        await acceptRestore({ ...parts, records: store.records, keys }, held, said);
        await publishToKeysAnyway(compared.checkpoint, held.appender.state.checkpoint);
        parts.alarms.raise({ code: "accept-restore", message: `accepted: ${messagesOf(comparison)}` });
        return "accepted";
      },
    });
  }

  /** Begins to carry entries to the log, and to adopt what was there before the audit. */
  start(): void {
    this.#sequencer.start();
  }

  /** An entry was written in this process. */
  wake(): void {
    this.#sequencer.wake();
  }

  /** @throws VaultError `store-rolled-back`: the vault was found set back since it was opened */
  requireWhole(): void {
    this.#parts.alarms.requireWhole();
  }

  /** Something was found wrong by somebody else. */
  alarm(code: string, message: string): void {
    this.#parts.alarms.raise({ code, message });
  }

  /** Carries what waits a last time, where no other process does, and gives the log back. Nothing is thrown. */
  async close(): Promise<void> {
    await this.#sequencer.close();
    await this.#parts.witnesses.close();
  }
}

function noop(): void {
  // Nobody asked to be told.
}

/** Does not keep the process alive. */
async function systemSleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
