/**
 * Divides a body into tasks: runs of regular frames for the worker threads. The final frame stays with the caller.
 */
import { REGULAR_FRAME_OVERHEAD } from "../format/body.ts";
import type { FrameCipherKey } from "../message/frame-cipher.ts";
import type { FramingTask } from "./framing-task.ts";
import type { FramingWorkers } from "./framing-workers.ts";
import { PARALLEL_FROM_BYTES } from "./framing-workers.ts";

/** Bytes of plaintext in one task: long against handing it over, short against the whole. */
const TASK_BYTES = 1024 * 1024;

export interface ParallelRun {
  readonly kind: FramingTask["kind"];
  readonly frameKey: FrameCipherKey;
  readonly frameLength: number;
  /** Regular frames in all. */
  readonly frames: number;
  readonly input: Uint8Array;
  /** Where the first frame begins in `input`. */
  readonly inputOffset: number;
  readonly output: SharedArrayBuffer;
  readonly outputOffset: number;
}

/** Whether this body is worth it: long enough, and of more than one frame. */
export function isParallel(workers: FramingWorkers | undefined, plaintextLength: number, frameLength: number): workers is FramingWorkers {
  return workers !== undefined && plaintextLength >= PARALLEL_FROM_BYTES && frameLength * 2 <= plaintextLength;
}

/** Copies the input to shared memory unless it is there already: run by run, while the threads work on the runs before. */
export function* framingTasks(run: ParallelRun): Generator<FramingTask> {
  const { kind, frameKey, frameLength, frames, input, output } = run;
  const sealed = frameLength + REGULAR_FRAME_OVERHEAD;
  const [inputStep, outputStep] = kind === "seal" ? [frameLength, sealed] : [sealed, frameLength];
  const shared = input.buffer instanceof SharedArrayBuffer ? input.buffer : null;
  const perTask = Math.max(1, Math.floor(TASK_BYTES / frameLength));
  for (let first = 0; first < frames; first += perTask) {
    const count = Math.min(perTask, frames - first);
    const start = run.inputOffset + first * inputStep;
    const memory = shared ?? copyToShared(input.subarray(start, start + count * inputStep));
    yield {
      kind,
      frameKey,
      frameLength,
      input: memory,
      inputOffset: shared === null ? 0 : input.byteOffset + start,
      output,
      outputOffset: run.outputOffset + first * outputStep,
      firstSequence: first + 1,
      frames: count,
    };
  }
}

function copyToShared(bytes: Uint8Array): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(bytes.length);
  new Uint8Array(memory).set(bytes);
  return memory;
}

