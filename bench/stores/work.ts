// One process at work: so many operations under way all the time, each noted when it ends, until everybody has enough.

import { setImmediate as turn } from "node:timers/promises";

import type { Trace } from "./window.ts";

export interface Work {
  /** Operations under way. */
  readonly atOnce: number;
  readonly warmupMs: number;
  /** How long it is measured at least. */
  readonly measureMs: number;
}

/** Operations that are measured at least, however slow the machine is. */
const LEAST = 5;
/** How long what has nothing to do with the operations, such as the word to stop, waits at most. */
const TURN_MS = 20;

/**
 * Does the operation again and again, with numbers from 0, and ends when the last of them has.
 *
 * @param stop called once it has been measured for long enough; it goes on until what that answers resolves
 */
export async function workUntilEnough(
  operation: (index: number) => Promise<void>,
  { atOnce, warmupMs, measureMs }: Work,
  stop: () => Promise<void>,
): Promise<{ readonly trace: Trace; readonly operations: number }> {
  const clock = sharedClock();
  const ended: number[] = [];
  const took: number[] = [];
  const mark = (): Mark => ({ at: clock(), operations: ended.length, cpu: process.cpuUsage() });
  const warmAt = clock() + warmupMs;
  const marks: Mark[] = [];
  let state: "warming-up" | "measured" | "enough" | "stopped" = "warming-up";
  let operations = 0;
  let turnedAt = warmAt;
  let turning: Promise<void> | undefined;

  const look = (now: number): void => {
    const [begin] = marks;
    if (begin === undefined) {
      if (now < warmAt) return;
      marks.push(mark());
      state = "measured";
    } else if (state === "measured" && now >= begin.at + measureMs && ended.length >= begin.operations + LEAST) {
      state = "enough";
      void stop().then(() => {
        marks.push(mark());
        state = "stopped";
      });
    }
  };
  const loop = async (): Promise<void> => {
    while (state !== "stopped") {
      const start = clock();
      await operation(operations++);
      const now = clock();
      ended.push(now);
      took.push(now - start);
      look(now);
      // Operations that wait for nothing outside of this process let nothing else have its turn, unless all make way.
      if (now >= turnedAt + TURN_MS) {
        turnedAt = now;
        turning = turn();
      }
      await turning;
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, loop));
  } finally {
    state = "stopped";
  }

  const [begin, end] = marks;
  if (begin === undefined || end === undefined) throw new Error("the work ended before it was measured");
  return {
    operations,
    trace: {
      from: begin.at,
      to: end.at,
      ended: Float64Array.from(ended),
      took: Float64Array.from(took),
      cpuMicros: microsBetween(begin.cpu, end.cpu) / (end.operations - begin.operations),
    },
  };
}

/** Does something so many times, with numbers from 0, so many of them at once. */
export async function atOnce(width: number, count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, loop));
}

interface Mark {
  readonly at: number;
  /** Ended so far. */
  readonly operations: number;
  readonly cpu: NodeJS.CpuUsage;
}

function microsBetween(begin: NodeJS.CpuUsage, end: NodeJS.CpuUsage): number {
  return end.user + end.system - begin.user - begin.system;
}

/** Milliseconds of a clock that all processes of the machine share, and that nobody sets. */
function sharedClock(): () => number {
  const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  return () => performance.now() + offset;
}
