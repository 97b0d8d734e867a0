/**
 * Divides a body into runs of regular frames for the worker threads. The final frame stays with the caller.
 */
import { REGULAR_FRAME_OVERHEAD } from "../format/body.ts";
import type { FrameCipherKey } from "../message/frame-cipher.ts";
import type { FramingRun } from "./framing-task.ts";
import type { FramingWorkers } from "./framing-workers.ts";
import { PARALLEL_FROM_BYTES } from "./framing-workers.ts";

/** Bytes of plaintext in one run: long against handing it over, short against the whole. */
const SHORTEST_RUN = 1024 * 1024;
const LONGEST_RUN = 4 * 1024 * 1024;
/** Runs of a message whose length leaves the choice: several for each thread, so that none waits long for the last. */
const WANTED_RUNS = 8;

export interface ParallelRun {
  readonly kind: FramingRun["kind"];
  readonly frameKey: FrameCipherKey;
  readonly frameLength: number;
  /** Regular frames in all. */
  readonly frames: number;
  readonly input: Uint8Array;
  /** Where the first frame begins in `input`. */
  readonly inputOffset: number;
  /** Holds every byte only when all runs have gone well. */
  readonly output: Uint8Array;
  readonly outputOffset: number;
}

/** Whether this body is worth it: long enough, and of more than one frame. */
export function isParallel(
  workers: FramingWorkers | undefined,
  plaintextLength: number,
  frameLength: number,
): workers is FramingWorkers {
  return workers !== undefined && plaintextLength >= PARALLEL_FROM_BYTES && frameLength * 2 <= plaintextLength;
}

/** The runs that make up the body, but for its last frame. */
export function* framingRuns({
  kind,
  frameKey,
  frameLength,
  frames,
  input,
  inputOffset,
  output,
  outputOffset,
}: ParallelRun): Generator<FramingRun> {
  const sealed = frameLength + REGULAR_FRAME_OVERHEAD;
  const [inputStep, outputStep] = kind === "seal" ? [frameLength, sealed] : [sealed, frameLength];
  // Memory of its own: a view would take the whole message along to every thread.
  const ownKey = { ...frameKey, messageId: Uint8Array.from(frameKey.messageId) };
  const runBytes = Math.min(LONGEST_RUN, Math.max(SHORTEST_RUN, (frames * frameLength) / WANTED_RUNS));
  const perRun = Math.max(1, Math.floor(runBytes / frameLength));
  for (let first = 0; first < frames; first += perRun) {
    const count = Math.min(perRun, frames - first);
    const [from, to] = [inputOffset + first * inputStep, outputOffset + first * outputStep];
    yield {
      kind,
      frameKey: ownKey,
      frameLength,
      input: input.subarray(from, from + count * inputStep),
      output: output.subarray(to, to + count * outputStep),
      firstSequence: first + 1,
      frames: count,
    };
  }
}
