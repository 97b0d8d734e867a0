/**
 * Whether reads and writes suffer by a run, in any process: each looks at its own while a run is under way and, where
 * they suffer, says so in a note of its own; those that work on the run hear it, and go slower.
 *
 * No clock of another machine is believed: a note that is another one than at the last look was written since. A note
 * is a row, and a row is anybody's: forged ones make a run go as slowly as load may make it, and nothing else.
 */
import type { Note, Notes } from "../stores/notes.ts";
import { ALIVE_MS } from "./fleet.ts";
import type { LiveLatency } from "./live-latency.ts";

/** Of the names of the notes in which processes say that their reads and writes suffer. */
export const SUFFERING_PREFIX = "suffering/";

/** How often a process looks at its own, and hears of the others', in milliseconds. */
export const LIVE_LOOK_MS = 1_000;

/** A process says that they suffer by what ended in so many milliseconds before. */
const SAID_OF_MS = 2_000;

/** A run is heard of so late: what ended since may have suffered by it, in milliseconds. */
const HEARD_MS = 1_000;

/** If they suffer without a break for as long as this it is by something else, in milliseconds. */
const NOT_BY_RUN_MS = 30_000;

/** What latency is watched with. */
export interface FleetLatencyDependencies {
  /** Of the record store. */
  readonly notes: Notes;
  /** What this process calls itself, of `a-z0-9._-`. */
  readonly process: string;
  /** Of this process. */
  readonly own: Pick<LiveLatency, "works" | "rests" | "suffers" | "accept">;
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Told of what the store threw. */
  readonly onFault: (error: unknown) => void;
}

/** While a run is under way. */
interface Watching {
  readonly stopping: AbortController;
  readonly ended: Promise<void>;
}

/** What was seen and heard since a run is under way. Moments are of the clock that nobody sets. */
interface Seen {
  /** Notes of others as they were at the last look, and since when; null: there was no look. */
  others: ReadonlyMap<string, { readonly text: string; readonly since: number }> | null;
  heardAt: number;
  deafUntil: number;
  /** Since when those of this process suffer; null: they do not. */
  sufferedSince: number | null;
}

const NOTHING_SEEN: Readonly<Seen> = {
  others: null,
  heardAt: Number.NEGATIVE_INFINITY,
  deafUntil: Number.NEGATIVE_INFINITY,
  sufferedSince: null,
};

/** Reads and writes of all processes, as this one sees and hears of them. */
export class FleetLatency {
  readonly #d: FleetLatencyDependencies;
  #watching: Watching | null = null;
  #seen: Seen = { ...NOTHING_SEEN };
  /** The note as it was last written; null: there is none, as far as is known. */
  #said: string | null = null;
  #words = 0;

  constructor(dependencies: FleetLatencyDependencies) {
    this.#d = dependencies;
  }

  /** A run is under way. */
  works(): void {
    if (this.#watching !== null) return;
    const { own, now } = this.#d;
    own.works(now() - HEARD_MS);
    const stopping = new AbortController();
    this.#watching = { stopping, ended: this.#watch(stopping.signal) };
  }

  /** None is, and what was seen and heard while one was is forgotten. */
  async rests(): Promise<void> {
    const watching = this.#watching;
    if (watching === null) return;
    watching.stopping.abort();
    await watching.ended;
    this.#watching = null;
    this.#seen = { ...NOTHING_SEEN };
    this.#d.own.rests();
    await this.#unsay();
  }

  /** Whether reads and writes of late suffer, here or elsewhere. @param since of what ended after it alone is asked */
  suffers(now: number, since: number): boolean {
    const { heardAt, deafUntil } = this.#seen;
    const isHeard = now - heardAt <= SAID_OF_MS && heardAt - LIVE_LOOK_MS > since;
    return this.#d.own.suffers(now, since) || (isHeard && now >= deafUntil);
  }

  /** It is not the run that they suffer by: what is of late is how it is without one, from now on. */
  accept(now: number): void {
    this.#d.own.accept(now);
    // By then the others have come to the same by themselves.
    this.#seen.deafUntil = now + NOT_BY_RUN_MS;
  }

  async #watch(stop: AbortSignal): Promise<void> {
    const { sleep, onFault } = this.#d;
    // Not within the turn of whoever said that it works.
    await Promise.resolve();
    while (!stop.aborted) {
      try {
        await this.#look();
      } catch (error) {
        onFault(error);
      }
      await sleep(LIVE_LOOK_MS, stop);
    }
  }

  /** @throws VaultError of the store */
  async #look(): Promise<void> {
    const { own, now } = this.#d;
    const at = now();
    const seen = this.#seen;
    if (own.suffers(at, at - SAID_OF_MS)) {
      seen.sufferedSince ??= at;
      await this.#say(JSON.stringify({ word: (this.#words += 1) }));
      if (at - seen.sufferedSince >= NOT_BY_RUN_MS) {
        own.accept(at);
        seen.sufferedSince = null;
      }
    } else seen.sufferedSince = null;
    await this.#hear(await this.#d.notes.list(SUFFERING_PREFIX));
  }

  /** What is there when it is looked for first may have been there for long. */
  async #hear(notes: readonly Note[]): Promise<void> {
    const at = this.#d.now();
    const before = this.#seen.others;
    const others = new Map<string, { readonly text: string; readonly since: number }>();
    for (const { name, text } of notes) {
      if (name === this.#name) continue;
      const known = before?.get(name);
      const isSame = known?.text === text;
      if (before !== null && !isSame) this.#seen.heardAt = at;
      const since = isSame ? known.since : at;
      // Of a process that was killed while they suffered.
      if (at - since >= ALIVE_MS) await this.#d.notes.replace(name, null, text);
      else others.set(name, { text, since });
    }
    this.#seen.others = others;
  }

  /** @throws VaultError of the store */
  async #say(text: string): Promise<void> {
    const { notes } = this.#d;
    if ((await notes.replace(this.#name, text, this.#said)) === "replaced") {
      this.#said = text;
      return;
    }
    // Somebody took it away, or a lost answer wrote it: it is said again at the next look.
    this.#said = (await notes.list(this.#name)).find(({ name }) => name === this.#name)?.text ?? null;
  }

  /** What fails is left to whoever finds it. */
  async #unsay(): Promise<void> {
    const said = this.#said;
    this.#said = null;
    if (said !== null) await this.#d.notes.replace(this.#name, null, said).catch(() => undefined);
  }

  get #name(): string {
    return `${SUFFERING_PREFIX}${this.#d.process}`;
  }
}
