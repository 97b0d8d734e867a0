/**
 * One call for many who want the same thing at the same moment. The call belongs to none of them: one who gives up
 * leaves, and the others still get the answer. Each takes its part at the moment the answer comes, before the cache
 * may evict it again.
 */
import { abortedError, requireNotAborted } from "../errors.ts";
import type { CancelTimer, Time } from "../resilience/time.ts";

/**
 * Milliseconds after which a call is not joined any more, and who waits for it looks again: one lost answer must not
 * hold up everyone who comes later. Longer than any call should take, so that a slow keyring is not asked twice.
 */
export const JOINABLE_MS = 5_000;

/** What {@link SingleFlight.join} gives to one who has to look again: into the cache, then for another call. */
export const ASK_AGAIN: unique symbol = Symbol("ask again");

/** How one kind of call is shared. `State` is what a call knows of those who wait for it, `Party` one of these. */
export interface FlightRules<State, Party, Value> {
  readonly time: Time;
  begin(): State;
  /** Whether one more may wait for this call; the one for whom it is made always may. */
  admit(state: State, party: Party): boolean;
  /** One has given up. */
  leave(state: State, party: Party): void;
  /** Takes over the answer, after everyone had a part of it: keeps or wipes it. */
  land(answer: Landing<State, Value>): void;
}

export interface Landing<State, Value> {
  readonly id: string;
  readonly value: Value;
  readonly state: State;
  /** When the call was made: what it brought may be outdated since then. */
  readonly startedAt: number;
  /** false after `clear`: what began before it must not be kept. */
  readonly keep: boolean;
}

export interface FlightRequest<State, Party, Value, Part> {
  readonly party: Party;
  readonly signal: AbortSignal | undefined;
  /** Makes the call, for this and for all who join. It gets no signal of a single caller. */
  call(state: State): Promise<Value>;
  /** This caller's part of the answer. */
  take(value: Value): Part;
}

export interface Joined<Part> {
  /** Whether the call was under way already. */
  readonly isShared: boolean;
  readonly part: Promise<Part | typeof ASK_AGAIN>;
}

interface Waiter<Value> {
  answer(value: Value): void;
  fail(error: unknown): void;
  sendBack(): void;
}

/** What `clear` does with those who wait: they still get the answer, once, or they have to ask anew. */
export type WhoWaits = "is-served" | "asks-again";

export class SingleFlight<State, Party, Value> {
  readonly #rules: FlightRules<State, Party, Value>;
  /** The calls that may be joined. */
  readonly #joinable = new Map<string, Flight<State, Value>>();
  readonly #underWay = new Set<Flight<State, Value>>();

  constructor(rules: FlightRules<State, Party, Value>) {
    this.#rules = rules;
  }

  /**
   * Waits for the call for `id` that is under way, or makes one. `part` rejects as the call does, or with EnvelopeError
   * `aborted`.
   *
   * @throws EnvelopeError `aborted` when the signal is already
   */
  join<Part>(id: string, request: FlightRequest<State, Party, Value, Part>): Joined<Part> {
    const { party, signal } = request;
    requireNotAborted(signal);
    const known = this.#joinable.get(id);
    const isShared = known?.isJoinable === true && this.#rules.admit(known.state, party);
    const flight = isShared ? known : this.#begin(id, request);
    const { promise, resolve, reject } = Promise.withResolvers<Part | typeof ASK_AGAIN>();
    const waiter: Waiter<Value> = {
      answer(value) {
        try {
          resolve(request.take(value));
        } catch (error) {
          reject(error);
        }
      },
      fail: reject,
      sendBack() {
        resolve(ASK_AGAIN);
      },
    };
    flight.add(waiter);
    if (signal === undefined) return { isShared, part: promise };
    const onAbort = (): void => {
      if (!flight.remove(waiter)) return;
      this.#rules.leave(flight.state, party);
      reject(abortedError(signal));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const part = promise.finally(() => {
      signal.removeEventListener("abort", onAbort);
    });
    return { isShared, part };
  }

  /** Lets nothing in that is under way, and nobody join it. */
  clear(whoWaits: WhoWaits): void {
    this.#joinable.clear();
    for (const flight of this.#underWay) {
      flight.keep = false;
      if (whoWaits === "asks-again") flight.sendBack();
    }
  }

  #begin<Part>(id: string, request: FlightRequest<State, Party, Value, Part>): Flight<State, Value> {
    const { time } = this.#rules;
    const flight = new Flight<State, Value>(this.#rules.begin(), time, () => {
      this.#unlist(id, flight);
    });
    this.#rules.admit(flight.state, request.party);
    this.#joinable.set(id, flight);
    this.#underWay.add(flight);
    request.call(flight.state).then(
      (value) => {
        this.#end(id, flight);
        flight.answer(value);
        const { state, startedAt, keep } = flight;
        this.#rules.land({ id, value, state, startedAt, keep });
      },
      (error: unknown) => {
        this.#end(id, flight);
        flight.fail(error);
      },
    );
    return flight;
  }

  #end(id: string, flight: Flight<State, Value>): void {
    this.#unlist(id, flight);
    this.#underWay.delete(flight);
  }

  #unlist(id: string, flight: Flight<State, Value>): void {
    if (this.#joinable.get(id) === flight) this.#joinable.delete(id);
  }
}

/** One call and who waits for it. */
class Flight<State, Value> {
  readonly state: State;
  readonly startedAt: number;
  keep = true;
  readonly #time: Time;
  readonly #onOverdue: () => void;
  /** The first of them is the one for whom the call was made. */
  readonly #waiters = new Set<Waiter<Value>>();
  #leader: Waiter<Value> | null = null;
  #cancelTimer: CancelTimer | null = null;

  constructor(state: State, time: Time, onOverdue: () => void) {
    this.state = state;
    this.startedAt = time.now();
    this.#time = time;
    this.#onOverdue = onOverdue;
  }

  get isJoinable(): boolean {
    return this.#time.now() < this.startedAt + JOINABLE_MS;
  }

  add(waiter: Waiter<Value>): void {
    this.#waiters.add(waiter);
    this.#leader ??= waiter;
    // Who is alone would be no better off with a second call.
    if (waiter === this.#leader) return;
    this.#cancelTimer ??= this.#time.after(this.startedAt + JOINABLE_MS - this.#time.now(), () => {
      this.#onOverdue();
      for (const one of [...this.#waiters]) if (one !== this.#leader) this.#sendBack(one);
    });
  }

  /** false when it had its answer already. */
  remove(waiter: Waiter<Value>): boolean {
    return this.#waiters.delete(waiter);
  }

  answer(value: Value): void {
    for (const waiter of this.#leaving()) waiter.answer(value);
  }

  fail(error: unknown): void {
    for (const waiter of this.#leaving()) waiter.fail(error);
  }

  sendBack(): void {
    for (const waiter of this.#leaving()) waiter.sendBack();
  }

  #sendBack(waiter: Waiter<Value>): void {
    this.#waiters.delete(waiter);
    waiter.sendBack();
  }

  #leaving(): readonly Waiter<Value>[] {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const all = [...this.#waiters];
    this.#waiters.clear();
    return all;
  }
}
