/**
 * One round of the repair: finds what owes a wrap in a region that may be asked, takes partitions in turn, and repairs
 * what is due in each at a bounded pace.
 *
 * A lease saves work, so that two processes do not wrap the same item. What keeps data safe is the fence: whoever
 * was taken over, because it stood still or its clock did, changes nothing any more.
 */
import { mapBounded } from "@strongroom/base/work";
import { envelopeFailure } from "../envelope-failure.ts";
import { isVaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { BucketRange, InventoryItem, InventoryPage } from "../stores/inventory.ts";
import type { Leased, Progress } from "../stores/jobs.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";
import { bucketsOf, holderName } from "./partitions.ts";
import type { EndedOutcome, WantedSets, Work } from "./work.ts";
import { originOf, waitMs } from "./schedule.ts";
import type { Access, Pace, RegionGate, RegionHealth, RepairSettings } from "./schedule.ts";

/** A pace that does its waiting itself. */
export interface BeginPace {
  /** Waits until an item may be begun; false: none may now. */
  begin(stop: AbortSignal): Promise<boolean>;
}

/** What a round works with. */
export interface RoundDependencies<Place> {
  readonly work: Work<Place>;
  readonly clock: () => Date;
  readonly settings: RepairSettings;
  /** Begins with what has failed and is to wait, too: what it failed by may be gone. */
  readonly retries?: boolean;
  readonly gate: RegionGate;
  readonly pace: Pick<Pace, "turn"> | BeginPace;
  readonly counters: {
    ended(outcome: EndedOutcome, at: Date): void;
    failed(code: VaultErrorCode, at: Date): void;
  };
  readonly health: () => readonly RegionHealth[];
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Nothing more is begun after it. */
  readonly stop: AbortSignal;
}

/** Which wrap sets are worked on, and for the sake of which regions each. */
interface Plan {
  readonly access: Exclude<Access, "closed">;
  readonly asked: ReadonlyMap<WrapSetId, readonly string[]>;
  /** Whether what has failed and is to wait is worked on, too. */
  readonly retries: boolean;
}

/**
 * What became of an item. `left`: nothing was done, and it is as due as it was. `busy`: so too, but not at once.
 * `damaged`: it cannot even be noted at the item that it failed.
 */
type Ended = "done" | "left" | "busy" | "damaged" | { readonly failed: VaultErrorCode };

/**
 * A partition is due again this much after it was given back: behind all that are due already, also where a clock has
 * not moved on meanwhile.
 */
const NEXT_MS = 1;

export class Round<Place> {
  readonly #d: RoundDependencies<Place>;
  /** What this process calls itself where others see who works. */
  readonly #holder = holderName();

  constructor(dependencies: RoundDependencies<Place>) {
    this.#d = dependencies;
  }

  /**
   * Works until nothing is due in a region that may be asked. Tells whether anything was done.
   *
   * @throws VaultError of the store
   */
  async work(): Promise<boolean> {
    let begun = 0;
    for (let retries = this.#d.retries ?? false; !this.#d.stop.aborted; retries = false) {
      this.#d.gate.look(this.#d.health());
      const plan = await this.#plan(retries);
      const more = plan === null ? 0 : await this.#follow(plan);
      begun += more;
      // What is due is in partitions that others hold.
      if (more === 0) break;
    }
    return begun > 0;
  }

  /** Everything that is due in regions that are open; otherwise what one region may be tried with. */
  async #plan(retries: boolean): Promise<Plan | null> {
    const wanted = await this.#d.work.wanted();
    const regions = new Set([...wanted.values()].flat());
    const having = (access: Access): readonly string[] =>
      [...regions].filter((region) => this.#d.gate.access(region, this.#now) === access);
    const open = { access: "open", asked: askedOf(wanted, having("open"), "and what needs none"), retries } as const;
    if (await this.#isDue(open)) return open;
    for (const region of having("trial")) {
      const trial = { access: "trial", asked: askedOf(wanted, [region]), retries } as const;
      if (await this.#isDue(trial)) return trial;
    }
    return null;
  }

  async #isDue(plan: Plan): Promise<boolean> {
    if (plan.asked.size === 0) return false;
    const items = itemsOf(plan);
    // Of a set that nothing has any more the first answer is the quick one.
    if (!(await this.#inventory.any(items.sets))) return false;
    return (await this.#inventory.list({ ...items, after: null, limit: 1 })).length > 0;
  }

  /** Takes each partition once, of a trial only until one item was tried. Tells how many items were begun. */
  async #follow(plan: Plan): Promise<number> {
    const { job, jobs } = this.#d.work;
    const seen = new Set<string>();
    let begun = 0;
    while (!this.#d.stop.aborted && (plan.access === "open" || begun === 0)) {
      const until = this.#now + this.#d.settings.leaseMs;
      const leased = await jobs.lease({ job, holder: this.#holder, ms: this.#d.settings.leaseMs });
      if (leased === null) break;
      const buckets = bucketsOf(leased.partition);
      // Another program's: it is left as it is.
      if (buckets === null) await jobs.finish(leased, nothingDone(leased.cursor), this.#d.settings.intervalMs);
      else if (seen.has(leased.partition)) {
        await jobs.finish(leased, nothingDone(leased.cursor), NEXT_MS);
        break;
      } else begun += await this.#visit({ leased, buckets, plan, until });
      seen.add(leased.partition);
    }
    return begun;
  }

  /** Repairs what is due in a partition and gives it back. Tells how many items were begun. */
  async #visit({ leased, buckets, plan, until }: Visit): Promise<number> {
    const { jobs } = this.#d.work;
    const { claimItems, leaseMs, regionWaitMs } = this.#d.settings;
    const limit = plan.access === "trial" ? 1 : claimItems;
    let held = { leased, plan, until };
    // What failed before is before the cursor, too.
    let cursor = plan.retries ? null : leased.cursor;
    let begun = 0;
    try {
      for (;;) {
        const items = await this.#listed({ ...itemsOf(plan), buckets, after: cursor, limit });
        const ended = await mapBounded(items, this.#d.settings.atOnce, (item) => this.#take(item, held));
        const counted = this.#count(ended);
        begun += ended.filter((end) => end === "done" || typeof end === "object").length;
        const isLast = items.length < limit || plan.access === "trial" || ended.includes("left");
        cursor = isLast ? null : (items.at(-1)?.position ?? null);
        const progress = { cursor, ...counted };
        if (isLast || ended.includes("busy") || this.#d.stop.aborted) {
          await jobs.finish(leased, progress, ended.includes("busy") ? regionWaitMs : NEXT_MS);
          return begun;
        }
        const renewed = this.#now + leaseMs;
        if ((await jobs.save(leased, progress, leaseMs)) === "overtaken") return begun;
        held = { ...held, until: renewed };
      }
    } catch (error) {
      // Others need not wait for a lease that nobody works under; when the store cannot be used, they do.
      await jobs.finish(leased, nothingDone(cursor), NEXT_MS).catch(() => undefined);
      throw error;
    }
  }

  /** What there is to do behind a position; from the first when the position, which was stored, is none. */
  async #listed(page: InventoryPage): Promise<readonly InventoryItem<Place>[]> {
    try {
      return await this.#inventory.list(page);
    } catch (error) {
      if (!isVaultError(error) || error.code !== "cursor-invalid" || page.after === null) throw error;
      return this.#inventory.list({ ...page, after: null });
    }
  }

  #count(ended: readonly Ended[]): Omit<Progress, "cursor"> {
    const failed = ended.flatMap((end): readonly VaultErrorCode[] =>
      typeof end === "object" ? [end.failed] : end === "damaged" ? [this.#d.work.damaged] : [],
    );
    const code = failed.at(-1);
    return {
      done: ended.filter((end) => end === "done").length,
      failed: failed.length,
      problem: code === undefined ? null : { code, at: this.#d.clock().toISOString() },
    };
  }

  async #take(item: InventoryItem<Place>, held: Held): Promise<Ended> {
    const { pace, gate, health, sleep, stop } = this.#d;
    if (item.place === null) return "damaged";
    if ("begin" in pace) {
      if (!(await pace.begin(stop))) return "left";
    } else {
      const wait = pace.turn(this.#now);
      if (wait > 0) await sleep(wait, stop);
    }
    gate.look(health());
    const asked = held.plan.asked.get(item.wrapSet) ?? [];
    const isOpen = asked.length === 0 || asked.some((region) => gate.access(region, this.#now) === "open");
    const isClosed = held.plan.access === "open" && !isOpen;
    // A lease that has run out is somebody else's by now.
    if (stop.aborted || isClosed || this.#now >= held.until) return "left";
    if (held.plan.access === "trial") for (const region of asked) gate.tried(region, this.#now);
    return this.#repair({ ...item, place: item.place }, asked, held);
  }

  /** @throws VaultError of the store */
  async #repair(
    { place, failure, since }: Pick<InventoryItem<Place>, "failure" | "since"> & { readonly place: Place },
    asked: readonly string[],
    { leased }: Held,
  ): Promise<Ended> {
    const { work, clock, settings, gate, counters } = this.#d;
    try {
      const outcome = await work.converge(place, leased, since);
      if (outcome.kind === "waits") return "left";
      counters.ended(outcome, clock());
      if (outcome.kind === "repaired") {
        for (const gained of outcome.gained) gate.gained(gained);
        for (const region of asked) if (!outcome.gained.includes(region)) gate.missed(region, this.#now);
      }
      return "done";
    } catch (error) {
      const { code } = envelopeFailure(error);
      const origin = originOf(code);
      if (origin === "store") throw error;
      if (origin === "caller") return "left";
      // Who reads and writes comes first.
      if (origin === "load") return "busy";
      if (origin === "region") for (const region of asked) gate.missed(region, this.#now);
      await this.#inventory.fail(leased, place, {
        code,
        at: clock().toISOString(),
        waitMs: waitMs(origin, (failure?.attempts ?? 0) + 1, settings),
      });
      counters.failed(code, clock());
      return { failed: code };
    }
  }

  get #inventory(): Work<Place>["inventory"] {
    return this.#d.work.inventory;
  }

  get #now(): number {
    return this.#d.clock().getTime();
  }
}

/** A partition that is held for a plan, and until when it surely is. */
interface Held {
  readonly leased: Leased;
  readonly plan: Plan;
  readonly until: number;
}

interface Visit extends Held {
  readonly buckets: BucketRange;
}

/** Which items of the inventory a plan is about. */
function itemsOf({ asked, retries }: Plan): Pick<InventoryPage, "sets" | "due"> {
  return { sets: [...asked.keys()], ...(retries ? {} : { due: true }) };
}

/** The sets that want one of these regions, with those of them that they want. */
function askedOf(wanted: WantedSets, regions: readonly string[], also?: "and what needs none"): Plan["asked"] {
  const asked = new Map<WrapSetId, readonly string[]>();
  for (const [id, own] of wanted) {
    const some = regions.filter((region) => own.includes(region));
    if (some.length > 0 || (own.length === 0 && also !== undefined)) asked.set(id, some);
  }
  return asked;
}

const nothingDone = (cursor: string | null): Progress => ({ cursor, done: 0, failed: 0, problem: null });
