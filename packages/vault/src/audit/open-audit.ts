/**
 * Opens the log's side of the audit: compares the stores, and then carries entries to the log for as long as the vault
 * is open. It knows the stores, the log and the audit's keys, and nothing of the vault beside them.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { EMPTY_ROOT } from "@strongroom/tlog/tree";
import { VaultError } from "../errors.ts";
import type { AuditLog } from "../stores/audit-log.ts";
import { STORE_READER } from "../stores/gate.ts";
import type { KeyStore } from "../stores/key-store.ts";
import type { Store } from "../stores/store.ts";
import { acceptRestore, requireCut, requireNewReason } from "./accept-restore.ts";
import type { RestoredBackup } from "./accept-restore.ts";
import { acceptTail } from "./accept-tail.ts";
import { adoptRestored, isToAdopt } from "./adopt-restored.ts";
import { Adoption } from "./adoption.ts";
import { Alarms, guarded } from "./alarms.ts";
import type { RaisedAlarm } from "./alarms.ts";
import type { AuditKeys } from "./audit-keys.ts";
import { AuditView } from "./audit-view.ts";
import type { ViewParts } from "./audit-view.ts";
import type { Auditor } from "./auditor.ts";
import { carried } from "./carried.ts";
import { compareStores, requireTogether } from "./compare-stores.ts";
import type { ComparedStores, Comparison } from "./compare-stores.ts";
import { HeldLog, Overtaken } from "./held-log.ts";
import type { LogParts } from "./held-log.ts";
import { rangeOf } from "./log-tree.ts";
import { lostTail } from "./lost-tail.ts";
import type { LostTail } from "./lost-tail.ts";
import { publishToKeysAnyway, Witnesses } from "./publish.ts";
import { requireAll, SEQUENCER_PACE, Sequencer, takeLease } from "./sequencer.ts";
import { NoteSigner, originOf, ownSigner } from "./signer.ts";
import type { CheckpointSigner } from "./signer.ts";
import { OUTBOXES } from "./stream-care.ts";
import { verifyAuditLog } from "./verify-log.ts";
import type { VerifyLogOptions } from "./verify-log.ts";
import type { AuditStatus, LogReport, VaultAudit } from "./view.ts";
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
  /**
   * Why stores that do not go together are gone on with: a restore of a backup. Left out: they are refused. Where the
   * backup is named, another history begins in any case: the original may go on with its own.
   */
  readonly acceptRestore?: string | RestoredBackup | undefined;
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
  const hasAdopted = await adopt(options, parts);
  const { witnesses } = accepted || hasAdopted ? await compareStores(compared) : comparison;
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
  const { clock = () => new Date(), onAlarm = noop } = more;
  const onFault = guarded(more.onFault ?? noop);
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
  { acceptRestore: given, acceptTailMs, store, keys }: AuditOptions,
  parts: Parts,
  { compared, comparison }: { readonly compared: ComparedStores; readonly comparison: Comparison },
): Promise<boolean> {
  const named = typeof given === "object" ? given : undefined;
  if (named !== undefined)
    await requireCut(parts.log, comparison, named, (origin) => parts.key.verifierOf(origin).vkey);
  else if (comparison.differences.length === 0) return false;
  const tail = given === undefined ? await acceptedTail({ store, keys, acceptTailMs }, parts, comparison) : null;
  if (given === undefined && tail === null) requireTogether(comparison);
  const lease = await waitForLease(parts.log);
  try {
    const held = await HeldLog.open({ ...parts, witnesses: new Witnesses([], parts.onFault) }, lease);
    // Another process may have accepted it meanwhile.
    const found = await compareStores(compared);
    if (named === undefined && found.differences.length === 0) return true;
    if (given === undefined) {
      await takeTail({ store, keys, acceptTailMs }, { ...parts, held }, found);
      return true;
    }
    if (typeof given === "string") await requireNewReason(parts.log, given);
    const said = {
      ...{ reason: typeof given === "string" ? given : given.reason, comparison: found },
      ...(named === undefined ? {} : { named }),
    };
    await acceptRestore({ ...parts, records: store.records, keys }, held, said);
    await publishToKeysAnyway(compared.checkpoint, held.appender.state.checkpoint);
    const what = named === undefined ? messagesOf(found) : `the backup ${named.backup} was restored`;
    parts.alarms.raise({ code: "accept-restore", message: `accepted: ${what}` });
  } finally {
    await parts.log.jobs.finish(lease, { cursor: null, done: 0, failed: 0, problem: null }, 0);
  }
  return true;
}

/** @returns whether anything was adopted here, before the vault is open: a restore had been accepted */
async function adopt({ store, keys }: AuditOptions, parts: Parts): Promise<boolean> {
  const { log, outboxes } = parts;
  if (!(await isToAdopt(log, await log.state()))) return false;
  const lease = await waitForLease(log);
  let cursor: string | null = null;
  try {
    const held = await HeldLog.open({ ...parts, witnesses: new Witnesses([], parts.onFault) }, lease);
    const adoption = new Adoption({ records: store.records, outbox: outboxes.records, log, keys }, lease.cursor);
    try {
      await adoptRestored(log, { held, lease, adoption });
    } finally {
      cursor = adoption.cursor;
    }
    await held.publish();
  } catch (error) {
    if (!(error instanceof Overtaken)) throw error;
    throw new VaultError("audit-unavailable", "Another process has the audit's log while records are adopted");
  } finally {
    await log.jobs.finish(lease, { cursor, done: 0, failed: 0, problem: null }, 0);
  }
  return true;
}

/** Accepts a lost tail under the lease. @throws VaultError `store-rolled-back`: it is none */
async function takeTail(
  options: TailOptions,
  { held, ...parts }: Parts & { readonly held: HeldLog },
  comparison: Comparison,
): Promise<void> {
  const tail = await acceptedTail(options, parts, comparison);
  if (tail === null) {
    requireTogether(comparison);
    return;
  }
  await acceptTail({ ...parts, records: options.store.records }, held, { tail, ms: options.acceptTailMs ?? 0 });
  await held.publish();
  parts.alarms.raise({ code: "accept-restore", message: `accepted: ${messagesOf(comparison)}` });
}

type TailOptions = Pick<AuditOptions, "store" | "keys" | "acceptTailMs">;

const messagesOf = ({ differences }: Comparison): string => differences.map(({ error }) => error.message).join("; ");

/** Null: what is missing is more than that, or it is not to be accepted. */
async function acceptedTail(
  { store, keys, acceptTailMs }: TailOptions,
  { log }: Pick<Parts, "log">,
  { differences }: Comparison,
): Promise<LostTail | null> {
  if (acceptTailMs === undefined || !differences.every((one) => one.store === "records")) return null;
  const parts = { log, outbox: store.outbox, records: store.records, keys };
  return lostTail(
    parts,
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
      throw new VaultError(
        "audit-unavailable",
        "A restore is accepted, and its records are adopted, while no other process has the vault open",
      );
    await delay(SEQUENCER_PACE.gatherMs);
  }
}

/** The log of a vault that is open. */
export class AuditService {
  readonly #options: AuditOptions;
  readonly #parts: Parts & LogParts;
  readonly #sequencer: Sequencer;
  #closed: Promise<void> | null = null;

  constructor(options: AuditOptions, parts: Parts & LogParts, compared: ComparedStores) {
    this.#options = options;
    this.#parts = parts;
    const { store, keys, acceptTailMs, sleep = systemSleep } = options;
    const adopted = { records: store.records, outbox: store.outbox, log: parts.log, keys };
    this.#sequencer = new Sequencer({
      ...parts,
      sleep,
      adoption: (cursor) => new Adoption(adopted, cursor),
      areTogether: async (seen) => {
        const { differences, state } = await compareStores(compared);
        requireAll(seen, state);
        return differences.length === 0;
      },
      compare: async (held) => {
        const comparison = await compareStores(compared);
        requireAll(held.appender.state, comparison.state);
        if (comparison.differences.length === 0) return "together";
        await takeTail({ store, keys, acceptTailMs }, { ...this.#parts, held }, comparison);
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

  /** The audit as one caller asks it. */
  viewOf(auditor: Auditor, { findPerson, groups }: ViewOptions): VaultAudit {
    const { log } = this.#parts;
    return new AuditView({
      log,
      keys: this.#options.keys,
      auditor,
      findPerson,
      status: () => this.status(groups()),
      sequence: () => this.sequence(),
      alarm: (code, message) => {
        this.alarm(code, message);
      },
      verify: (options) => this.#verify(options),
      settle: async () => {
        await this.#carry(SETTLE_MS);
      },
      vkeyOf: (history) => this.#vkeyOf(history),
    });
  }

  /**
   * Carries what waits now to the log.
   *
   * @throws VaultError `store-rolled-back`; `audit-unavailable`: it could not be done in time, and is tried on
   */
  async sequence(): Promise<void> {
    if (await this.#carry(SEQUENCE_MS)) return;
    this.requireWhole();
    throw new VaultError("audit-unavailable", "What waits could not be carried to the audit's log in time");
  }

  async #carry(withinMs: number): Promise<boolean> {
    const until = performance.now() + withinMs;
    return carried(this.#parts.log, this.#parts.outboxes, async () => {
      if (this.#parts.alarms.isRefused || performance.now() > until) return false;
      this.wake();
      await delay(LOOK_MS);
      return true;
    });
  }

  /** How the audit is. @param groups readers' groups of this process */
  async status(groups: AuditStatus["groups"] = { appends: 0, entries: 0 }): Promise<AuditStatus> {
    const { log, outboxes, witnesses, alarms, clock } = this.#parts;
    const state = await log.state();
    const waiting = await Promise.all(OUTBOXES.map((name) => outboxes[name].waiting(MOST_COUNTED)));
    const since = waiting.flatMap(({ since: at }) => (at === null ? [] : [Date.parse(at)]));
    return {
      history: state.history,
      size: state.size,
      root: Buffer.from(rangeOf(state)?.root() ?? EMPTY_ROOT).toString("base64"),
      waiting: Math.min(
        MOST_COUNTED,
        waiting.reduce((sum, { entries }) => sum + entries, 0),
      ),
      waitingMs: since.length === 0 ? 0 : Math.max(0, clock().getTime() - (since.sort((a, b) => a - b)[0] ?? 0)),
      published: state.published,
      adopted: state.adopted,
      witnesses: witnesses.status,
      groups,
      alarms: alarms.raised,
      key: this.#vkeyOf(state.history ?? ""),
    };
  }

  async #verify(options: Omit<VerifyLogOptions, "key">): Promise<LogReport> {
    const { log, checkpoint } = this.#parts;
    const kept = [await checkpoint.read()];
    for (const witness of this.#options.witnesses ?? []) kept.push(await witness.read().catch(() => null));
    const checkpoints = [...(options.checkpoints ?? []), ...kept.filter((note) => note !== null)];
    const { history } = await log.state();
    return verifyAuditLog(log, { ...options, checkpoints, key: this.#vkeyOf(history ?? "") });
  }

  /** Of a log in which nothing is yet, the key under a name that no history has. */
  #vkeyOf(history: string): string {
    return this.#parts.key.verifierOf(originOf(this.#parts.key.vault, history === "" ? "none" : history)).vkey;
  }

  /** Carries what waits a last time, where no other process does, and gives the log back. Nothing is thrown. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#sequencer.close();
    await this.#parts.witnesses.close();
  }
}

/** What a view needs of the vault. */
export interface ViewOptions {
  /** Whose name it is; null: nobody's. */
  readonly findPerson: ViewParts["findPerson"];
  /** Of readers' entries in this process. */
  readonly groups: () => AuditStatus["groups"];
}

/** How long a question waits for what was written a moment ago, and `sequence` for all of it. */
const SETTLE_MS = 2000;
const SEQUENCE_MS = 60_000;
const LOOK_MS = 10;
const MOST_COUNTED = 10_000;

function noop(): void {
  // Nobody asked to be told.
}

/** Does not keep the process alive. */
async function systemSleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
