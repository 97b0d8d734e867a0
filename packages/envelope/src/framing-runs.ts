/**
 * Divides the frames of a large message into runs: each goes to one worker thread at a time, with memory of its own.
 */
import { REGULAR_FRAME_OVERHEAD } from "./format/body.ts";
import type { FramingRun } from "./framing-thread.ts";
import type { FrameWork } from "./message/options.ts";

/** Bytes of plaintext in one run: long against handing it over, short against the whole. */
const SHORTEST_RUN = 1024 * 1024;
const LONGEST_RUN = 4 * 1024 * 1024;
/** Runs of a message whose length leaves the choice: several for each thread, so that none waits long for the last. */
const WANTED_RUNS = 8;

/** Divides the work into runs. */
export function* framingRuns({
  kind,
  frameKey,
  frameLength,
  frames,
  input,
  inputOffset,
  output,
  outputOffset,
}: FrameWork): Generator<FramingRun> {
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
