/**
 * Numbers of entries. A lane is a stream of an outbox that one transaction at a time writes to: so a number that was
 * not written is used again by the next one, and a process that is killed leaves no hole behind. Where nobody can say
 * what became of a transaction, its lane is left as it is, and another one is taken.
 */
import { randomUUID } from "node:crypto";
import { isVaultError } from "../errors.ts";
import type { StreamId } from "../stores/outbox.ts";
import type { NumberedOutcome } from "./auditor.ts";
import type { Place } from "./draft.ts";

/** Most lanes of an outbox: whoever finds all in use waits. */
const MOST_LANES = 256;

/** A stream, and the number that comes next in it. */
interface Lane {
  readonly stream: StreamId;
  next: number;
  /** When an entry of it was made, by the process' own clock. */
  madeAt: number;
}

/** A stream that was written to. */
export interface UsedStream {
  readonly stream: StreamId;
  /** The number of the last entry that was made in it. */
  readonly last: number;
  /** For how long it was not used, in milliseconds. */
  readonly idleMs: number;
}

/** Where a lane is. */
export interface LanePlace {
  readonly stream: StreamId;
  /** Of the first entry. */
  readonly first: number;
}

/** The place of the entry that is `index` behind the first. */
export const placeIn = ({ stream, first }: LanePlace, index: number): Place => ({
  stream,
  number: first + index,
  ends: false,
});

export const newStream = (): StreamId => randomUUID() as string as StreamId;

/** The lanes of one outbox in one process. */
export class Lanes {
  /** Not in use, the one that was used last at the end: few are used where few are needed. */
  readonly #free: Lane[] = [];
  readonly #takers: ((lane: Lane) => void)[] = [];
  readonly #idlers: (() => void)[] = [];
  readonly #onMoved: (moved: UsedStream) => void;
  /** Of which nobody can say what became of the last transaction. */
  #abandoned: Lane[] = [];
  #busy = 0;

  /** @param onMoved is told of a stream that had entries */
  constructor(onMoved: (moved: UsedStream) => void = () => undefined) {
    this.#onMoved = onMoved;
  }

  /**
   * Numbers `count` entries one after another, and has them made. The numbers count as used when `make` answers `made`;
   * when it answers `not-made` or throws an error that says so, they are given out again.
   *
   * @returns the result that `make` answered. After `moved` the lane was left: the next call is in another stream.
   * @throws what `make` throws
   */
  async numbered<Result>(
    count: number,
    make: (place: LanePlace) => Promise<{ readonly outcome: NumberedOutcome; readonly result: Result }>,
  ): Promise<Result> {
    const lane = await this.#take();
    let [isSettled, isMoved] = [false, false];
    try {
      const { outcome, result } = await make({ stream: lane.stream, first: lane.next });
      isSettled = outcome !== "moved";
      if (outcome === "made") [lane.next, lane.madeAt] = [lane.next + count, performance.now()];
      if (outcome === "moved" && lane.next > 1) this.#onMoved(usedOf(lane));
      isMoved = outcome === "moved";
      return result;
    } catch (error) {
      isSettled = isVaultError(error) && error.code !== "outcome-unknown";
      throw error;
    } finally {
      if (!isSettled && !isMoved && lane.next > 1) this.#abandoned = [...this.#abandoned.slice(1 - MOST_LANES), lane];
      this.#release(isSettled ? lane : null);
    }
  }

  /** Those that are whole and not in use; they are not used any more. */
  takeUsed(): readonly UsedStream[] {
    return this.#free
      .splice(0)
      .filter(({ next }) => next > 1)
      .map(usedOf);
  }

  /** Those that were left because nobody could say what became of a transaction, the newest; each once. */
  takeAbandoned(): readonly UsedStream[] {
    return this.#abandoned.splice(0).map(usedOf);
  }

  /** Resolves when none is in use. */
  async idle(): Promise<void> {
    if (this.#busy === 0) return;
    await new Promise<void>((resolve) => {
      this.#idlers.push(resolve);
    });
  }

  async #take(): Promise<Lane> {
    if (this.#busy >= MOST_LANES)
      return new Promise((resolve) => {
        this.#takers.push(resolve);
      });
    this.#busy++;
    return this.#free.pop() ?? freshLane();
  }

  #release(lane: Lane | null): void {
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker(lane ?? freshLane());
      return;
    }
    if (lane !== null) this.#free.push(lane);
    this.#busy--;
    if (this.#busy === 0) for (const idler of this.#idlers.splice(0)) idler();
  }
}

const usedOf = ({ stream, next, madeAt }: Lane): UsedStream => ({
  stream,
  last: next - 1,
  idleMs: performance.now() - madeAt,
});

const freshLane = (): Lane => ({ stream: newStream(), next: 1, madeAt: performance.now() });
