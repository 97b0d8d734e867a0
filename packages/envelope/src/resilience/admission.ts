/**
 * How many operations are under way at once, and how many may wait for that, for how long. What is more than can be
 * served is refused before any region is asked: taken in, it would make late what could have been in time, and a region
 * that is asked late looks as if it were lost.
 */
import { EnvelopeError } from "../errors.ts";
import type { RegionAttempt } from "../errors.ts";
import type { Deadline, Time } from "./time.ts";

export interface AdmissionRules {
  readonly operationsWaiting: number;
  readonly operationsWaitMs: number;
}

interface Waiting {
  readonly give: () => void;
}

/** The places of one kind of operations: reads must go on while writes wait for regions that are lost. */
export class Admission {
  readonly #places: () => number;
  readonly #rules: AdmissionRules;
  readonly #time: Time;
  readonly #waiting = new Set<Waiting>();
  #underWay = 0;

  /** @param places how many there are now; at least one */
  constructor(places: () => number, rules: AdmissionRules, time: Time) {
    this.#places = places;
    this.#rules = rules;
    this.#time = time;
  }

  get underWay(): number {
    return this.#underWay;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Does the work when there is a place for it: at once, or in the order of asking. Work whose caller gives up before
   * is done without one: it finds that out itself.
   *
   * @throws EnvelopeError `keyring-overloaded`; whatever the work throws
   */
  async run<T>(deadline: Deadline, work: () => Promise<T>): Promise<T> {
    if (!(await this.#enter(deadline))) return await work();
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
      this.#letIn();
    }
  }

  async #enter(deadline: Deadline): Promise<boolean> {
    if (deadline.cutShort() !== null) return false;
    this.#letIn();
    if (this.#underWay >= this.#places()) return await this.#turn(deadline);
    this.#underWay += 1;
    return true;
  }

  /** Whether a place was given, which is then counted already. */
  async #turn(deadline: Deadline): Promise<boolean> {
    const { operationsWaiting, operationsWaitMs } = this.#rules;
    if (this.#waiting.size >= operationsWaiting) throw overloadedError(`${this.#waiting.size} more wait already`);
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const entry: Waiting = {
      give: () => {
        this.#waiting.delete(entry);
        this.#underWay += 1;
        cancelTimer();
        resolve(true);
      },
    };
    const cancelTimer = this.#time.after(operationsWaitMs, () => {
      this.#waiting.delete(entry);
      reject(overloadedError(`it waited ${operationsWaitMs} ms for one of them to end`));
    });
    this.#waiting.add(entry);
    return await deadline.guard({
      result: promise,
      stop: (why) => {
        if (!this.#waiting.delete(entry)) return;
        cancelTimer();
        if (why === "aborted") resolve(false);
        else reject(overloadedError("the deadline passed while it waited for one of them to end"));
      },
    });
  }

  /** Those that wait, in their order and before anybody who comes later. */
  #letIn(): void {
    for (const next of this.#waiting) {
      if (this.#underWay >= this.#places()) return;
      next.give();
    }
  }
}

/** What is refused for want of room in this process; no region is at fault. */
export function overloadedError(why: string, attempts?: readonly RegionAttempt[]): EnvelopeError {
  return new EnvelopeError(
    "keyring-overloaded",
    `As many operations as may be are under way in this keyring: ${why}`,
    attempts === undefined ? {} : { attempts },
  );
}
