/**
 * Puts the convergence of a vault together: what looks, what begins and ends runs on behalf of a caller, and what works
 * on them in this process.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Keyring } from "@strongroom/envelope";
import type { Auditor } from "../audit/auditor.ts";
import type { Declarations } from "../collections/declaration.ts";
import type { KeySets } from "../keys/key-sets.ts";
import type { Collection } from "../records/address.ts";
import type { KeyStore } from "../stores/key-store.ts";
import type { Store } from "../stores/store.ts";
import { ConvergenceWorker } from "./convergence-worker.ts";
import { FLEET_PREFIX, FleetAnnouncer, processName, readFleet } from "./fleet.ts";
import { convergenceLooks } from "./looks.ts";
import type { ConvergenceLooks } from "./looks.ts";
import type { FleetSeen } from "./plan-problems.ts";
import { countFailed } from "./failures.ts";
import { FleetLatency } from "./fleet-latency.ts";
import { LiveLatency } from "./live-latency.ts";
import { noop, systemSleep } from "./repairs.ts";
import type { RepairOptions } from "./repairs.ts";
import { progressOf, RunActivity } from "./run-activity.ts";
import { isUnderWay, RunNote } from "./run.ts";
import type { StoredRun } from "./run.ts";
import type { RunStores } from "./run-phases.ts";
import { convergenceRuns } from "./runs.ts";
import { parseRepairSettings } from "./schedule.ts";
import type { Convergence, RunProgress } from "./view.ts";

/** What a convergence is made of. */
export interface ConvergenceParts {
  readonly store: Store;
  readonly keySets: KeySets;
  /** Null: the vault has no key store. */
  readonly keys: { readonly store: KeyStore; readonly keySets: KeySets } | null;
  readonly declarations: Pick<Declarations, "of" | "scopesDigest">;
  readonly clock: () => Date;
  /** Most items of a page. */
  readonly listItems: number;
  /** Works on runs in this process; null: the vault was opened without a repair. */
  readonly working: { readonly stores: RunStores; readonly options: RepairOptions } | null;
}

/** The convergence of a vault, until it is closed. */
export class OpenConvergence {
  readonly #parts: ConvergenceParts;
  readonly #note: RunNote;
  readonly #looks: ConvergenceLooks;
  readonly #worker: ConvergenceWorker | null;
  readonly #announcer: FleetAnnouncer | null;
  readonly #activity: RunActivity;
  readonly #process: string = processName(hostname(), process.pid, randomUUID());
  /** Of this process: reads and writes of callers are told to it. */
  readonly latency: LiveLatency = new LiveLatency();
  readonly #live: FleetLatency;
  readonly #stopping = new AbortController();

  constructor(parts: ConvergenceParts) {
    this.#parts = parts;
    const { store, keySets, keys, declarations, clock, listItems, working } = parts;
    this.#note = new RunNote(store.notes);
    this.#looks = convergenceLooks({
      records: { store, keySets },
      keys,
      declarations,
      fleet: () => this.#fleet(),
      isUnderWay: async () => {
        const run = await this.#note.read();
        return isUnderWay(run) && run.phase !== "hold";
      },
      clock,
      listItems,
    });
    this.#live = this.#liveOf(working?.options ?? {});
    this.#activity = this.#activityOf(working?.options ?? {});
    this.#worker = working === null ? null : this.#work(working);
    this.#announcer = working === null ? null : this.#announce(working.options);
  }

  /** `vault.convergence`, on behalf of a caller. */
  as(audit: Auditor | null): Convergence {
    const { keys, keySets, store } = this.#parts;
    const runs = convergenceRuns({
      note: this.#note,
      keySets: [
        ...(keys === null ? [] : [{ store: "keys" as const, keySets: keys.keySets, inventory: keys.store.inventory }]),
        { store: "records", keySets, inventory: store.inventory },
      ],
      plan: (options) => this.#looks.plan(options),
      kinds: () => kindsToChange(this.#parts),
      fleet: async () => (await this.#fleet()).members,
      progressOf: (run) => this.#progress(run),
      audit,
      clock: this.#parts.clock,
      onChanged: () => {
        this.#worker?.wake();
        this.#announcer?.changed();
      },
    });
    return { ...this.#looks, ...runs };
  }

  /** Whether a run is under way that keeps what it replaces. @throws VaultError of the store */
  async isKeeping(): Promise<boolean> {
    return isUnderWay(await this.#note.read());
  }

  /** Another key set is known from now on. */
  learned(): void {
    this.#announcer?.changed();
    this.#worker?.wake();
  }

  /** Begins nothing more, and resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#worker?.ended;
    await this.#activity.rest();
    await this.#live.rests();
    await this.#announcer?.close();
  }

  #work({ stores, options }: NonNullable<ConvergenceParts["working"]>): ConvergenceWorker {
    const { health = () => [], keysHealth = health, signal, onFault = noop, sleep = systemSleep, ...given } = options;
    const stop = this.#stopping.signal;
    return new ConvergenceWorker({
      note: this.#note,
      stores,
      settings: parseRepairSettings(given),
      clock: this.#parts.clock,
      health: { records: health, keys: keysHealth },
      paceOf: (run) => this.#activity.paceOf(run),
      tallyOf: (run) => this.#activity.tallyOf(run),
      live: this.#live,
      rest: () => this.#activity.rest(),
      onMoved: async ({ id, phase, state }) => {
        await stores.records.audit?.tell("converge", "done", { details: { does: phase, run: id, state } });
      },
      onFault,
      sleep,
      stop: signal === undefined ? stop : AbortSignal.any([stop, signal]),
    });
  }

  #activityOf({ onFault = noop, sleep = systemSleep }: RepairOptions): RunActivity {
    const { store, keySets, keys, clock } = this.#parts;
    const keyrings = (): readonly Keyring[] =>
      [keySets, ...(keys === null ? [] : [keys.keySets])].flatMap((sets) =>
        sets.digests.flatMap((digest) => sets.known(digest)?.keyring ?? []),
      );
    const { notes, jobs } = store;
    const onChanged = (): void => this.#announcer?.changed();
    return new RunActivity({
      notes,
      jobs,
      process: this.#process,
      clock,
      latency: this.#live,
      keyrings,
      sleep,
      onFault,
      onChanged,
    });
  }

  #liveOf({ onFault = noop, sleep = systemSleep }: RepairOptions): FleetLatency {
    const { notes } = this.#parts.store;
    const now = (): number => performance.now();
    return new FleetLatency({ notes, process: this.#process, own: this.latency, now, sleep, onFault });
  }

  #announce({ sleep = systemSleep }: RepairOptions): FleetAnnouncer {
    const { store, keySets, keys, declarations, clock } = this.#parts;
    return new FleetAnnouncer({
      notes: store.notes,
      process: this.#process,
      clock,
      says: () => ({
        records: keySets.digests,
        keys: keys?.keySets.digests ?? [],
        scopes: declarations.scopesDigest,
        works: this.#worker?.state === "working",
      }),
      sleep,
    });
  }

  async #fleet(): Promise<FleetSeen> {
    const { store, keySets, keys, declarations, clock } = this.#parts;
    const [notes, records, ofKeys] = await Promise.all([
      store.notes.list(FLEET_PREFIX),
      store.gate.current(),
      keys?.store.gate.current(),
    ]);
    const inForce = { records: records.digest, ...(ofKeys === undefined ? {} : { keys: ofKeys.digest }) };
    const declared = {
      records: keySets.declared.digest,
      ...(keys === null ? {} : { keys: keys.keySets.declared.digest }),
    };
    return readFleet(notes, { inForce, declared, scopes: declarations.scopesDigest }, clock().getTime());
  }

  async #progress(run: StoredRun): Promise<RunProgress> {
    const { store, keys, clock } = this.#parts;
    const inventories = [store.inventory, ...(keys === null ? [] : [keys.store.inventory])];
    const progress = await progressOf(run, { notes: store.notes, clock, failed: () => countFailed(inventories) });
    const own = isUnderWay(run) && run.state === "running" ? (this.#worker?.waits ?? null) : null;
    return { ...progress, waits: progress.waits ?? own };
  }
}

/** Where no collection is left in the scope in which people have keys. */
async function kindsToChange({ store, keys, declarations }: ConvergenceParts): Promise<StoredRun["kinds"]> {
  if (keys === null) return null;
  const counts = await keys.store.keys.counts();
  if (counts.subject === 0 && counts["tenant-subject"] === 0) return null;
  const collections = await store.records.collections();
  const scopes = new Set(collections.map(({ name }) => declarations.of(name as Collection).scope));
  if (scopes.has("tenant") && !scopes.has("subject") && counts.subject > 0)
    return { from: "subject", to: "tenant-subject" };
  if (scopes.has("subject") && !scopes.has("tenant") && counts["tenant-subject"] > 0)
    return { from: "tenant-subject", to: "subject" };
  return null;
}
