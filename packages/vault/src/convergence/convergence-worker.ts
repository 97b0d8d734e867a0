/**
 * Works on the run of the convergence, in each process whose vault repairs: looks at the run's note, does what its
 * phase asks, and moves it on when nothing is left in either store. Any number of processes do so at once; a phase is
 * moved on by compare-and-swap, and all that is changed hangs on leases, fences and the epoch. It never throws.
 */
import { isVaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import { envelopeFailure } from "../envelope-failure.ts";
import type { FleetLatency } from "./fleet-latency.ts";
import { notingKeyWork } from "../keys/key-work.ts";
import type { KeySets } from "../keys/key-sets.ts";
import { REPAIR_PARTITIONS } from "./partitions.ts";
import { Round } from "./round.ts";
import type { RoundDependencies } from "./round.ts";
import { isSameRun, isUnderWay, movedFrom } from "./run.ts";
import type { RunNote, StoredRun } from "./run.ts";
import { RunPhaseWork } from "./run-phases.ts";
import type { RunStores } from "./run-phases.ts";
import type { RunTally } from "./run-tally.ts";
import { RegionGate } from "./schedule.ts";
import type { RegionHealth, RepairSettings } from "./schedule.ts";
import type { RunPhase } from "./view.ts";
import type { EndedOutcome, Work } from "./work.ts";

/** What a worker works with. */
export interface ConvergenceWorkerDependencies {
  readonly note: RunNote;
  readonly stores: RunStores;
  readonly settings: RepairSettings;
  readonly clock: () => Date;
  /** Of a store. */
  readonly health: { readonly keys: () => readonly RegionHealth[]; readonly records: () => readonly RegionHealth[] };
  /** At what pace items are begun. */
  readonly paceOf: (run: StoredRun) => RoundDependencies<never>["pace"];
  readonly tallyOf: (run: StoredRun) => RunTally;
  /** Told whether a run is under way, whoever works on it. */
  readonly live: Pick<FleetLatency, "works" | "rests">;
  /** Nothing of a run is worked on for now. */
  readonly rest: () => Promise<void>;
  /** The process that moved a run to its end tells it. */
  readonly onMoved: (run: StoredRun) => Promise<void>;
  readonly onFault: (error: unknown) => void;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Nothing more is begun after it. */
  readonly stop: AbortSignal;
}

/** What a worker does now. `unknown-keys`: the run is under keys that this process does not know. */
export type ConvergenceWorkState = "resting" | "working" | "unknown-keys" | "stopped";

/** How often the note is looked at while a phase is worked on: so soon a pause is heard of. */
const WATCH_MS = 500;

/** A flip that its own process has not finished after so long is finished by another one. */
const FLIP_WAIT_MS = 5_000;

export class ConvergenceWorker {
  readonly #d: ConvergenceWorkerDependencies;
  readonly #gates: { readonly keys: RegionGate; readonly records: RegionGate };
  readonly #added = new Set<string>();
  #state: ConvergenceWorkState = "resting";
  #waits: string | null = null;
  #awake = false;
  /** The run that this process has last worked on, and by whose word. */
  #told = "";
  /** Resolves when it was stopped, and what was under way has ended. */
  readonly ended: Promise<void>;

  /** Starts it. */
  constructor(dependencies: ConvergenceWorkerDependencies) {
    this.#d = dependencies;
    const { intervalMs } = dependencies.settings;
    this.#gates = { keys: new RegionGate(intervalMs), records: new RegionGate(intervalMs) };
    this.ended = this.#work();
  }

  get state(): ConvergenceWorkState {
    return this.#state;
  }

  /** Why it goes no further now, or slower; null: nothing. */
  get waits(): string | null {
    if (this.#state !== "working") return this.#waits;
    const { keys, records } = this.#d.health;
    return awayText([...keys(), ...records()]) ?? this.#waits;
  }

  /** A run was begun or changed: look soon. */
  wake(): void {
    this.#awake = true;
  }

  async #work(): Promise<void> {
    const { note, sleep, stop, onFault, settings } = this.#d;
    // Not within the constructor's own turn: opening a vault must not wait for it.
    await Promise.resolve();
    while (!stop.aborted) {
      try {
        await this.#turn(await note.read());
      } catch (error) {
        // The store cannot be used now, or a region that must answer does not.
        this.#waits = isVaultError(error) ? error.code : "store-failed";
        onFault(error);
      }
      for (let waited = 0; waited < settings.lookMs && !this.#isAwake(); waited += LOOK_STEP_MS)
        await sleep(Math.min(LOOK_STEP_MS, settings.lookMs), stop);
      this.#awake = false;
    }
    this.#state = "stopped";
  }

  #isAwake(): boolean {
    return this.#awake || this.#d.stop.aborted;
  }

  async #turn(run: StoredRun | null): Promise<void> {
    if (!isUnderWay(run) || run.state === "paused" || run.phase === "hold") {
      this.#state = "resting";
      this.#waits = null;
      await this.#d.rest();
      await this.#d.live.rests();
      return;
    }
    this.#d.live.works();
    if (!this.#knows(run)) {
      await this.#d.rest();
      this.#state = "unknown-keys";
      this.#waits = "key-set-unknown";
      return;
    }
    this.#state = "working";
    if (run.phase === "flip" || run.phase === "undo") await this.#finishFlip(run);
    if (run.phase === "flip") return;
    // Somebody has put another set in force beside the run: what it asks for is not what is written under.
    for (const { keySets, digest } of this.#sets(run))
      if (digest !== null && !(await isInForce(keySets, digest))) {
        this.#waits = "key-set-moved";
        return;
      }
    await this.#watched(run, (phase) => this.#phase(run, phase));
  }

  /** Whether this process knows the key sets that the run brings everything to. */
  #knows(run: StoredRun): boolean {
    return this.#sets(run).every(({ keySets, digest }) => digest === null || keySets.known(digest) !== null);
  }

  #sets({ sets, phase }: StoredRun): readonly { readonly keySets: KeySets; readonly digest: string | null }[] {
    const { keys, records } = this.#d.stores;
    const to = (of: StoredRun["sets"]["keys"]): string | null => (phase === "undo" ? of?.before : of?.to) ?? null;
    return [
      ...(keys === null ? [] : [{ keySets: keys.keySets, digest: to(sets.keys) }]),
      { keySets: records.keys, digest: to(sets.records) },
    ];
  }

  /** Where the process that began it has not. */
  async #finishFlip(run: StoredRun): Promise<void> {
    const { note, clock } = this.#d;
    if (run.phase === "flip" && clock().getTime() - Date.parse(run.phaseAt) < FLIP_WAIT_MS) return;
    for (const { keySets, digest } of this.#sets(run)) if (digest !== null) await keySets.flipTo(digest);
    if (run.phase === "flip") await note.change(movedFrom(run, "add", clock));
  }

  /** Does it until it has ended, or the run is another one by then or in another phase. */
  async #watched(run: StoredRun, work: (phase: AbortSignal) => Promise<void>): Promise<void> {
    const { stop, sleep, note } = this.#d;
    const over = new AbortController();
    const phase = AbortSignal.any([stop, over.signal]);
    const watching = (async () => {
      while (!phase.aborted) {
        await sleep(WATCH_MS, phase);
        const now = await note.read().catch(() => run);
        if (!isSameRun(now, run)) over.abort();
      }
    })();
    try {
      await work(phase);
    } finally {
      over.abort();
      await watching;
    }
  }

  /** Whether somebody has begun it, or said that it is to go on, since this process last looked. */
  #retries({ id, resumedAt }: StoredRun): boolean {
    const told = `${id} ${resumedAt ?? ""}`;
    const isNews = told !== this.#told;
    this.#told = told;
    return isNews;
  }

  async #phase(run: StoredRun, stop: AbortSignal): Promise<void> {
    const { stores, settings, clock, health, note, sleep } = this.#d;
    const work = new RunPhaseWork(run, stores);
    const tally = this.#d.tallyOf(run);
    const retries = this.#retries(run);
    const pace = this.#d.paceOf(run);
    const rounds = async <Place>(works: readonly Work<Place>[], of: "keys" | "records"): Promise<void> => {
      for (const one of works) {
        if (!this.#added.has(one.job)) await one.jobs.add(one.job, REPAIR_PARTITIONS);
        this.#added.add(one.job);
        await one.jobs.wake(one.job);
        const counters = countersOf(tally);
        const shared = { settings: ofRun(settings), retries, clock, pace, counters, sleep, stop };
        await new Round({ ...shared, work: watched(one, tally), gate: this.#gates[of], health: health[of] }).work();
      }
    };
    const all = await Promise.allSettled([rounds(work.keyWorks(), "keys"), rounds(work.recordWorks(), "records")]);
    for (const one of all) if (one.status === "rejected") throw envelopeFailure(one.reason);
    if (!stop.aborted)
      await work.passes({
        settings,
        retries,
        begin: () => mayBegin(pace, { stop, sleep, clock }),
        ...toldTo(tally),
        stop,
      });
    if (!stop.aborted) await work.kept({ leaseMs: settings.leaseMs, stop });
    if (stop.aborted) return;
    const left = await work.left();
    this.#waits = left === null ? null : LEFT[left];
    if (left !== null) return;
    await tally.settled();
    const next = NEXT[run.phase](run);
    const { run: moved, isChanged } = await note.change(movedFrom(run, next, clock));
    if (isChanged && moved !== null) await this.#d.onMoved(moved);
  }
}

/** What is not done yet, in words: it waits for its next try, or for the end of a lease. */
const LEFT: Readonly<Record<"items" | "kept", string>> = {
  items: "items that fail, or that a process holds which has died",
  kept: "old messages that are kept",
};

function awayText(health: readonly RegionHealth[]): string | null {
  const away = new Set(health.filter(({ state }) => state === "down").map(({ region }) => region));
  return away.size === 0 ? null : `no answer from ${[...away].sort().join(", ")}`;
}

/** Sleeps are cut, so that a wake is heard. */
const LOOK_STEP_MS = 100;

/** What comes after a phase. */
const NEXT: Readonly<Record<RunPhase, (run: StoredRun) => RunPhase>> = {
  flip: () => "add",
  add: ({ options }) => (options.keepOld ? "hold" : "drop"),
  hold: () => "drop",
  drop: () => "end",
  undo: () => "end",
  end: () => "end",
};

/** A run takes many items at a time: it is not the few that an outage has left. */
function ofRun(settings: RepairSettings): RepairSettings {
  return { ...settings, claimItems: settings.convergeItems, atOnce: settings.convergeAtOnce };
}

/** Asked anew where it seems not to be: another process may have put it in force a moment ago. */
async function isInForce(keySets: KeySets, digest: string): Promise<boolean> {
  if ((await keySets.forWriting()).digest === digest) return true;
  keySets.moved();
  return (await keySets.forWriting()).digest === digest;
}

/** The work with what it takes of keys told to the tally. */
function watched<Place>(work: Work<Place>, watch: RunTally): Work<Place> {
  return {
    ...work,
    converge: async (place, lease, since) => {
      const notes = { calls: [], made: [], watch };
      try {
        const outcome = await notingKeyWork(notes, () => work.converge(place, lease, since));
        if (outcome.kind === "repaired") watch.gained(outcome.gained);
        return outcome;
      } catch (error) {
        watch.missed(envelopeFailure(error).regions ?? []);
        throw error;
      }
    },
  };
}

/** Waits until an item may be begun; false: none may now. */
async function mayBegin(
  pace: RoundDependencies<never>["pace"],
  { stop, sleep, clock }: Pick<ConvergenceWorkerDependencies, "sleep" | "clock"> & { readonly stop: AbortSignal },
): Promise<boolean> {
  if ("begin" in pace) return pace.begin(stop);
  const wait = pace.turn(clock().getTime());
  if (wait > 0) await sleep(wait, stop);
  return !stop.aborted;
}

function toldTo(tally: RunTally): Pick<RunTally, "ended" | "done" | "failed"> {
  return {
    ended: () => {
      tally.ended();
    },
    done: () => {
      tally.done();
    },
    failed: (code) => {
      tally.failed(code);
    },
  };
}

function countersOf(tally: RunTally): {
  ended(outcome: EndedOutcome): void;
  failed(code: VaultErrorCode): void;
} {
  return {
    ended: (outcome) => {
      tally.ended();
      if (outcome.kind === "settled" || (outcome.kind === "repaired" && outcome.isPartial !== true)) tally.done();
    },
    failed: (code) => {
      tally.ended();
      tally.failed(code);
    },
  };
}
