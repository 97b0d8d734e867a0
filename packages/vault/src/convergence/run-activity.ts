/**
 * What this process does for a run, as others see it: at what pace, by which slots of the KMS's quota, and counted. One
 * run at a time; it rests when there is none, and what it held others may have.
 */
import { hasMethods } from "@strongroom/base/options";
import type { Keyring } from "@strongroom/envelope";
import type { Notes } from "../stores/notes.ts";
import type { JobStore } from "../stores/jobs.ts";
import { AwaitedRegions } from "./awaited-regions.ts";
import { FLEET_PREFIX, workersAlive } from "./fleet.ts";
import type { FleetLatency } from "./fleet-latency.ts";
import { KmsSlots } from "./kms-slots.ts";
import type { StoredRun } from "./run.ts";
import { RunPace } from "./run-pace.ts";
import type { RunTally } from "./run-tally.ts";
import { NO_TALLY } from "./run-tally.ts";
import { forgetTallies, sumTallies, tallyPrefix } from "./tallies.ts";
import { TallyKeeper, TallyNote } from "./tally-note.ts";
import type { RunProgress } from "./view.ts";

/** What it works with. */
export interface ActivityDependencies {
  /** Of the record store. */
  readonly notes: Notes;
  readonly jobs: JobStore;
  /** What this process calls itself. */
  readonly process: string;
  readonly clock: () => Date;
  readonly latency: Pick<FleetLatency, "suffers" | "accept">;
  /** Those that are known now, which may tell how often they were throttled. */
  readonly keyrings: () => readonly Keyring[];
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onFault: (error: unknown) => void;
  /** It works now, or rests: the others are to know, who share the quota with it. */
  readonly onChanged: () => void;
}

/** How often keyrings are asked whether they were throttled, in milliseconds. */
const THROTTLE_LOOK_MS = 500;

/** The present run, in this process. */
interface Active {
  readonly run: string;
  readonly pace: RunPace;
  readonly keeper: TallyKeeper;
  readonly tally: RunTally;
  readonly stopping: AbortController;
  readonly watching: Promise<void>;
}

export class RunActivity {
  readonly #d: ActivityDependencies;
  #active: Active | null = null;

  constructor(dependencies: ActivityDependencies) {
    this.#d = dependencies;
  }

  paceOf(run: StoredRun): RunPace {
    return this.#of(run).pace;
  }

  tallyOf(run: StoredRun): RunTally {
    const { keeper, tally } = this.#of(run);
    keeper.in(run.phase);
    return tally;
  }

  /** Why it goes slower than it might; null: nothing, or it rests. */
  get waits(): string | null {
    return this.#active?.pace.waits ?? null;
  }

  /** Gives the slots back, and writes down what is left. */
  async rest(): Promise<void> {
    const active = this.#active;
    this.#active = null;
    if (active === null) return;
    this.#d.onChanged();
    await this.#end(active);
  }

  #of(run: StoredRun): Active {
    if (this.#active?.run !== run.id) {
      const before = this.#active;
      this.#active = null;
      if (before !== null) void this.#end(before);
      this.#active = this.#begin(run);
      this.#d.onChanged();
    }
    return this.#active;
  }

  async #end({ stopping, watching, pace, keeper }: Active): Promise<void> {
    stopping.abort();
    await watching;
    await pace.close();
    await keeper.close();
  }

  #begin(run: StoredRun): Active {
    const { notes, jobs, process, clock, latency, sleep, onFault } = this.#d;
    const now = (): number => performance.now();
    const workers = async (): Promise<number> => workersAlive(await notes.list(FLEET_PREFIX), clock().getTime());
    const slots = new KmsSlots({ jobs, holder: process, workers, now });
    const { rate } = run.options;
    const pace = new RunPace({ rate, callsPerItem: 1, slots, latency, now, sleep, onFault });
    const note = new TallyNote(notes, run.id, process, clock);
    const awaited = new AwaitedRegions(now);
    const waits = (): string | null => [pace.waits, awaited.said].filter((why) => why !== null).join("; ") || null;
    const keeper = new TallyKeeper({ note, now, waits, sleep });
    const stopping = new AbortController();
    void forgetTallies(notes, run.id).catch(onFault);
    return {
      run: run.id,
      pace,
      keeper,
      tally: tallyOver(keeper, pace, awaited),
      stopping,
      watching: this.#watchThrottles(keeper, pace, stopping.signal),
    };
  }

  /** A keyring counts its throttled calls, those of live traffic too: the quota is one. */
  async #watchThrottles(keeper: TallyKeeper, pace: RunPace, stop: AbortSignal): Promise<void> {
    let before = throttledBy(this.#d.keyrings());
    while (!stop.aborted) {
      await this.#d.sleep(THROTTLE_LOOK_MS, stop);
      const now = throttledBy(this.#d.keyrings());
      for (let call = before; call < now; call++) keeper.throttled();
      if (now > before) pace.throttled();
      before = now;
    }
  }
}

function tallyOver(keeper: TallyKeeper, pace: RunPace, awaited: AwaitedRegions): RunTally {
  return {
    ...NO_TALLY,
    done: () => {
      keeper.done();
    },
    failed: () => {
      keeper.failed();
    },
    ended: () => {
      pace.ended();
    },
    called: (region, operation) => {
      keeper.called(region, operation);
      pace.called(region);
    },
    wrote: (bytes) => {
      keeper.wrote(bytes);
    },
    missed: (regions) => {
      awaited.missed(regions);
    },
    gained: (regions) => {
      awaited.gained(regions);
    },
    settled: () => keeper.flush(),
  };
}

/** What a keyring over regions tells of them. */
interface TellingKeyring extends Keyring {
  health(): readonly { readonly failuresByKind: Readonly<Partial<Record<"throttled", number>>> }[];
}

const tells = (keyring: Keyring): keyring is TellingKeyring => hasMethods(keyring, "health");

function throttledBy(keyrings: readonly Keyring[]): number {
  const regions = [...new Set(keyrings)].filter(tells).flatMap((keyring) => keyring.health());
  return regions.reduce((sum, { failuresByKind }) => sum + (failuresByKind.throttled ?? 0), 0);
}

/** How far a run is, by the notes of all processes. */
export async function progressOf(
  run: StoredRun,
  { notes, clock, failed }: Pick<ActivityDependencies, "notes" | "clock"> & { readonly failed: () => Promise<number> },
): Promise<RunProgress> {
  const [found, failing] = await Promise.all([notes.list(tallyPrefix(run.id)), failed()]);
  const { done, calls, rate, throttled, bytes, seconds, waits } = sumTallies(found, clock().getTime());
  const isUnderWay = run.state === "running" && run.phase !== "hold";
  // Of a run that has ended: all that was done in it.
  const items = run.phase === "end" ? Object.values(done).reduce((a, b) => Math.max(a, b), 0) : (done[run.phase] ?? 0);
  const { of } = run;
  const remainingSeconds = of === null || rate === 0 || !isUnderWay ? null : Math.max(0, of - items) / rate;
  return {
    of,
    done: items,
    failed: failing,
    rate: isUnderWay ? rate : 0,
    remainingSeconds,
    calls,
    throttled,
    bytes,
    seconds,
    waits: isUnderWay ? waits : null,
  };
}
