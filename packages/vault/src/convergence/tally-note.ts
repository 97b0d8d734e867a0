/**
 * A process' own tally, counted in memory and written down every few seconds.
 */
import type { Note, Notes } from "../stores/notes.ts";
import { ALIVE_MS } from "./fleet.ts";
import { addTallies, NO_WORK, parseTally, TALLY_EVERY_MS, tallyPrefix, tallyText, withoutDate } from "./tallies.ts";
import type { Tally } from "./tallies.ts";
import type { RunPhase } from "./view.ts";

type Work = Omit<Tally, "at">;

/** A note as it lies there, or is to. */
interface Held {
  readonly name: string;
  /** Null: there is none yet, or what lies there is nobody's. */
  readonly tally: Tally | null;
  readonly text: string | null;
}

/** Tries of a note against whoever else takes it. */
const WRITE_ATTEMPTS = 4;

/** The note of a process for one run. */
export class TallyNote {
  readonly #notes: Notes;
  readonly #prefix: string;
  readonly #name: string;
  readonly #clock: () => Date;
  #held: Held | null = null;
  /** What is not written yet. */
  #pending: Work = NO_WORK;
  /** What was given to the store, which did not say whether it is written. */
  #lost: (Held & { readonly work: Work }) | null = null;

  /** @param process what it calls itself, of `a-z0-9._-` */
  constructor(notes: Notes, run: string, process: string, clock: () => Date) {
    this.#notes = notes;
    this.#prefix = tallyPrefix(run);
    this.#name = `${this.#prefix}${process}`;
    this.#clock = clock;
  }

  /**
   * Adds what was done since the last call. One call at a time.
   *
   * @throws VaultError of the store: it is added with the next call
   */
  async add(work: Work): Promise<void> {
    this.#pending = together(this.#pending, work);
    for (let attempt = 1; attempt <= WRITE_ATTEMPTS; attempt++) {
      const base = this.#held ?? (await this.#claim());
      const given = this.#pending;
      const tally = tallyOf(base.tally, given, this.#clock());
      const next = { name: base.name, tally, text: tallyText(tally) };
      this.#held = null;
      this.#lost = { ...next, work: given };
      this.#pending = NO_WORK;
      const result = await this.#notes.replace(base.name, next.text, base.text);
      this.#lost = null;
      if (result === "replaced") {
        this.#held = next;
        return;
      }
      this.#pending = given;
    }
  }

  /** The note to write to: what was lost, one that a dead process has left, or one of its own. */
  async #claim(): Promise<Held> {
    const notes = await this.#notes.list(this.#prefix);
    const lost = this.#lost;
    this.#lost = null;
    if (lost !== null) {
      if (notes.some(({ name, text }) => name === lost.name && text === lost.text)) return lost;
      this.#pending = together(lost.work, this.#pending);
    }
    const now = this.#clock().getTime();
    const found = notes.map(heldOf);
    const left = found.find(isLeft(now));
    if (left !== undefined) return left;
    // One of its own name that it does not hold was taken over by another: it takes it back, with what is in it by now.
    return found.find(({ name }) => name === this.#name) ?? { name: this.#name, tally: null, text: null };
  }
}

const heldOf = ({ name, text }: Note): Held => ({ name, text, tally: parseTally(text) });

const isLeft =
  (now: number) =>
  ({ tally }: Held): boolean =>
    tally !== null && now - Date.parse(tally.at) >= ALIVE_MS;

function tallyOf(base: Tally | null, work: Work, clock: Date): Tally {
  const at = clock.toISOString();
  return base === null ? { ...work, at } : { ...addTallies(base, { ...work, at }), at };
}

/** In the order in which they were done. */
function together(a: Work, b: Work): Work {
  const at = "";
  return withoutDate(addTallies({ ...a, at }, { ...b, at }));
}

/** What a keeper of a tally works with. */
export interface TallyDependencies {
  readonly note: Pick<TallyNote, "add">;
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  /** Why it goes slower than it might; null: nothing. */
  readonly waits: () => string | null;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** How much the newest rate weighs. */
const RATE_WEIGHT = 0.3;

/** Counts while a process works, and writes it down until it is closed. */
export class TallyKeeper {
  readonly #d: TallyDependencies;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  #phase: RunPhase = "add";
  #calls = new Map<string, { readonly region: string; readonly operation: string; calls: number }>();
  #counts = { throttled: 0, failed: 0, bytes: 0 };
  #done = new Map<RunPhase, number>();
  #rate = 0;
  #at: number;
  #waits: string | null = null;
  #flushed: Promise<void> = Promise.resolve();

  constructor(dependencies: TallyDependencies) {
    this.#d = dependencies;
    this.#at = dependencies.now();
    this.#ended = this.#run();
  }

  /** What is done from now on is done in this phase. */
  in(phase: RunPhase): void {
    this.#phase = phase;
  }

  done(items = 1): void {
    this.#done.set(this.#phase, (this.#done.get(this.#phase) ?? 0) + items);
  }

  failed(): void {
    this.#counts.failed += 1;
  }

  called(region: string, operation: string): void {
    const name = `${region} ${operation}`;
    const row = this.#calls.get(name);
    if (row === undefined) this.#calls.set(name, { region, operation, calls: 1 });
    else row.calls += 1;
  }

  throttled(): void {
    this.#counts.throttled += 1;
  }

  wrote(bytes: number): void {
    this.#counts.bytes += bytes;
  }

  /** Writes down what is left, and counts no more. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
    await this.flush();
  }

  /** Writes down what was done since it was called last, if there is anything. What fails is written the next time. */
  flush(): Promise<void> {
    // A note is written by one call at a time.
    return (this.#flushed = this.#flushed.then(() => this.#flush()));
  }

  async #flush(): Promise<void> {
    const waits = this.#d.waits();
    const work = this.#taken(waits);
    // A rate that has become none, and a reason that is gone, are news too; one that lasts is believed no longer than
    // other news.
    const isNews =
      work.calls.length > 0 ||
      Object.keys(work.done).length > 0 ||
      work.failed > 0 ||
      waits !== null ||
      waits !== this.#waits;
    if (!isNews && work.rate === 0 && !this.#isStale) return;
    this.#isStale = work.rate > 0;
    this.#waits = waits;
    await this.#d.note.add(work).catch(() => undefined);
  }

  /** Whether the rate that was written last is not that of one who rests. */
  #isStale = false;

  #taken(waits: string | null): Work {
    const now = this.#d.now();
    const seconds = Math.max(0, now - this.#at) / 1000;
    const done = [...this.#done.values()].reduce((sum, items) => sum + items, 0);
    const hasWorked = done > 0 || this.#calls.size > 0;
    const rate = seconds === 0 ? 0 : done / seconds;
    this.#rate = this.#rate === 0 || rate === 0 ? rate : this.#rate + RATE_WEIGHT * (rate - this.#rate);
    const work = {
      calls: [...this.#calls.values()],
      ...this.#counts,
      done: Object.fromEntries(this.#done),
      seconds: hasWorked ? seconds : 0,
      rate: this.#rate,
      waits,
    };
    this.#at = now;
    this.#calls = new Map();
    this.#done = new Map();
    this.#counts = { throttled: 0, failed: 0, bytes: 0 };
    return work;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    for (;;) {
      await this.#d.sleep(TALLY_EVERY_MS, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
      await this.flush();
    }
  }
}
