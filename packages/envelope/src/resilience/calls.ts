/**
 * A race with staggered starts: the nearest contestant first; the next one at once when it fails, and beside it when it
 * keeps us waiting. The first value wins and everybody else is told to stop.
 */
import type { CancelTimer, Time } from "./time.ts";

/** One contestant on its way. */
export interface Runner<T> {
  /** Its value, or null when it failed. Never rejects. */
  readonly outcome: Promise<T | null>;
  /** How long to wait before another is started beside it. */
  readonly patienceMs: number;
  /** Calls back once when waiting for it has become pointless; the returned function takes that back. */
  onHopeless(callback: () => void): () => void;
  /** Ends it; its outcome must then settle. */
  stop(): void;
}

export type StartReason = "first" | "failover" | "hedge";

export interface Field<T> {
  /** Starts the next contestant, or null when there is none (for a hedge: none that may be asked). */
  start(reason: StartReason): Runner<T> | null;
  /** Gets every value that did not win. */
  discard(value: T): void;
}

export interface Race<T> {
  /** The winner's value, null when all failed or the race was stopped. */
  readonly result: Promise<T | null>;
  /** Stops the contestants, those in the background too. */
  stop(): void;
}

/**
 * @param background contestants that may win but are neither waited for nor stopped when another wins: they run to find
 *   something out.
 */
export function staggeredRace<T>(field: Field<T>, time: Time, background: readonly Runner<T>[] = []): Race<T> {
  const { promise, resolve } = Promise.withResolvers<T | null>();
  const running = new Set<Runner<T>>(background);
  const isBackground = new Set(background);
  let newest: Runner<T> | null = null;
  let forgetNewest: CancelTimer = () => undefined;
  let over = false;

  function finish(value: T | null): void {
    over = true;
    forgetNewest();
    for (const runner of running) if (!isBackground.has(runner)) runner.stop();
    resolve(value);
  }

  function follow(runner: Runner<T>): void {
    running.add(runner);
    void runner.outcome.then((value) => {
      running.delete(runner);
      if (over) {
        if (value !== null) field.discard(value);
      } else if (value !== null) finish(value);
      else {
        // An older contestant's failure changes nothing: the one that was started beside it is on its way.
        if (runner === newest) next("failover");
        if (running.size === 0) finish(null);
      }
    });
  }

  function next(reason: StartReason): void {
    if (over) return;
    const runner = field.start(reason);
    if (runner === null) return;
    forgetNewest();
    newest = runner;
    const cancelTimer = time.after(runner.patienceMs, () => {
      next("hedge");
    });
    const takeBack = runner.onHopeless(() => {
      next("failover");
    });
    forgetNewest = () => {
      cancelTimer();
      takeBack();
    };
    follow(runner);
  }

  for (const runner of background) follow(runner);
  next("first");
  if (running.size === 0) finish(null);

  return {
    result: promise,
    stop: () => {
      for (const runner of running) runner.stop();
      if (!over) finish(null);
    },
  };
}
