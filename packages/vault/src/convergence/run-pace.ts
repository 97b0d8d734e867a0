/**
 * At what pace this process begins items of a run: what its slots are worth, the part of it that the KMS and live
 * traffic leave, and the calls that an item takes in the busiest region.
 */
import { CallsPerItem, EvenPace, TakenPart } from "./rate.ts";
import type { Turn } from "./rate.ts";
import { SLOT_LOOK_MS, SLOTS } from "./kms-slots.ts";
import type { KmsSlots } from "./kms-slots.ts";
import type { FleetLatency } from "./fleet-latency.ts";

/** What a pace is kept with. */
export interface RunPaceDependencies {
  /** Calls of a KMS a second and region, of all processes together. */
  readonly rate: number;
  /** Calls that an item takes in the busiest region, as far as that was forecast. */
  readonly callsPerItem: number;
  readonly slots: Pick<KmsSlots, "count" | "look" | "close">;
  /** Null: nobody reads and writes. */
  readonly latency: Pick<FleetLatency, "suffers" | "accept"> | null;
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Told of what the store threw when slots were looked after. */
  readonly onFault: (error: unknown) => void;
}

/** How often live traffic is looked at, in milliseconds. */
const LATENCY_LOOK_MS = 1_000;

/** Who has no slot looks for one again so soon: those that were given back, or whose holder died, are free then. */
const SLOTLESS_LOOK_MS = 500;

/** Whoever has no slot asks again so soon, and gives up after so long: a partition may then be another process'. */
const NO_SLOT: Turn = { waitMs: 100, isTaken: false };
const SLOTLESS_MS = 2_000;

/** Items a second that are never gone below because of live traffic, and the part of what there were before. */
const LEAST_ITEMS = 1;
const LEAST_LOAD = 1 / 8;

/** If they suffer as long as this while as little is done as can be, it is by something else, in milliseconds. */
const NOT_BY_RUN_MS = 10_000;

/** So long after it fell there is no telling yet whether they still suffer, in milliseconds. */
const LATENCY_TELLS_MS = 5_000;

export class RunPace {
  readonly #d: RunPaceDependencies;
  readonly #throttled = new TakenPart();
  readonly #load = new TakenPart(LEAST_LOAD);
  readonly #even = new EvenPace();
  readonly #perItem: CallsPerItem;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  /** Items a second before live traffic suffered, of which `#load` says how much is left. Null: it does not suffer. */
  #itemsBefore: number | null = null;
  #items = { since: 0, begun: 0 };
  #sufferedAt = Number.NEGATIVE_INFINITY;
  /** Since when as little is done as can be, and they suffer; null: they do not. */
  #leastSince: number | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** Begins to take slots. */
  constructor(dependencies: RunPaceDependencies) {
    this.#d = dependencies;
    this.#perItem = new CallsPerItem(dependencies.callsPerItem);
    const now = dependencies.now();
    this.#items = { since: now, begun: 0 };
    this.#ended = this.#run();
  }

  /**
   * Waits until the next item may be begun.
   *
   * @returns false: it was stopped, or there was no slot for a while; nothing may be begun
   */
  async begin(stop: AbortSignal): Promise<boolean> {
    const { slots, now, sleep } = this.#d;
    const isStopped = (): boolean => stop.aborted;
    let hadNoneSince: number | null = null;
    while (!isStopped()) {
      const { waitMs, isTaken } = this.#turn(now());
      if (waitMs > 0) await sleep(waitMs, stop);
      // A turn that was waited for is over when the slots are.
      if (slots.count > 0) {
        if (isTaken) return !isStopped();
        hadNoneSince = null;
      } else {
        hadNoneSince ??= now();
        if (now() - hadNoneSince >= SLOTLESS_MS) return false;
      }
    }
    return false;
  }

  #turn(now: number): Turn {
    this.#look(now);
    const slots = this.#d.slots.count;
    if (slots === 0) return NO_SLOT;
    const calls = ((this.#d.rate * slots) / SLOTS) * this.#throttled.now(now);
    const gapMs = 1000 * Math.max(this.#perItem.each / calls, 1 / this.#itemsPerSecond(now));
    const turn = this.#even.turn(now, gapMs);
    if (turn.isTaken) this.#items.begun += 1;
    return turn;
  }

  /** A call was answered. */
  called(region: string): void {
    this.#perItem.called(region);
  }

  /** An item has ended, well or not. */
  ended(): void {
    this.#perItem.ended();
  }

  /** A KMS said that it was too much. */
  throttled(): void {
    this.#throttled.tooMuch(this.#d.now());
  }

  /** Why it goes slower than it might; null: nothing. */
  get waits(): string | null {
    const now = this.#d.now();
    if (this.#d.slots.count === 0) return "slots";
    if (this.#load.now(now) < 1) return "load";
    return this.#throttled.now(now) < 1 ? "throttled" : null;
  }

  /** Gives the slots back. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
    await this.#d.slots.close();
  }

  #look(now: number): void {
    if (now - this.#lookedAt < LATENCY_LOOK_MS) return;
    const { since, begun } = this.#items;
    const perSecond = now > since ? (1000 * begun) / (now - since) : 0;
    this.#items = { since: now, begun: 0 };
    this.#lookedAt = now;
    if (this.#load.now(now) === 1) this.#itemsBefore = null;
    // What ended before it fell says nothing of after.
    const { latency } = this.#d;
    if (latency?.suffers(now, this.#sufferedAt) !== true) {
      // Too few have ended since it fell to tell, or they do not suffer any more.
      if (now - this.#sufferedAt > LATENCY_TELLS_MS) this.#leastSince = null;
      return;
    }
    this.#itemsBefore ??= Math.max(LEAST_ITEMS, perSecond);
    if (this.#load.tooMuch(now)) this.#sufferedAt = now;
    if (this.#load.fellToLeast) this.#leastSince ??= now;
    if (this.#leastSince === null || now - this.#leastSince < NOT_BY_RUN_MS) return;
    // A run that waited for it would never end: the machine, or what else runs there, has got slower meanwhile.
    latency.accept(now);
    this.#leastSince = null;
  }

  #itemsPerSecond(now: number): number {
    const before = this.#itemsBefore;
    return before === null ? Number.POSITIVE_INFINITY : Math.max(LEAST_ITEMS, before * this.#load.now(now));
  }

  async #run(): Promise<void> {
    const { slots, sleep, onFault } = this.#d;
    while (!this.#stopping.signal.aborted) {
      try {
        await slots.look();
      } catch (error) {
        onFault(error);
      }
      await sleep(slots.count === 0 ? SLOTLESS_LOOK_MS : SLOT_LOOK_MS, this.#stopping.signal);
    }
  }
}
