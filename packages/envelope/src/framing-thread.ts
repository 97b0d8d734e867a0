/**
 * The worker thread's side of framing workers: seals or opens one run of regular frames after the other, and says only
 * whether it went well. Input and output are memory that both threads see; the key travels as a key object, never as
 * bytes.
 */
import { parentPort } from "node:worker_threads";
import { readBlock } from "./format/body.ts";
import type { FramedAs } from "./format/body.ts";
import { asBuffer } from "./format/byte-reader.ts";
import { FORMAT_LIMITS } from "./format/suites.ts";
import { FrameCipher } from "./message/sealing.ts";
import type { FrameCipherKey } from "./message/sealing.ts";

/** A run of frames whose bytes lie anywhere. */
export interface FramingRun {
  readonly kind: "seal" | "open";
  readonly frameKey: FrameCipherKey;
  readonly frameLength: number;
  /** This run's bytes and no others, as `output`. */
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  readonly firstSequence: number;
  readonly frames: number;
}

/** The same in shared memory: what a thread is sent. */
export interface FramingTask extends FramingRun {
  readonly input: Uint8Array<SharedArrayBuffer>;
  readonly output: Uint8Array<SharedArrayBuffer>;
}

/** @throws EnvelopeError `decryption-failed`; the output then holds only what did authenticate, and must not be used */
function runTask(task: FramingTask): void {
  const cipher = new FrameCipher(task.frameKey);
  if (task.kind === "seal") sealRun(cipher, task);
  else openRun(cipher, task);
}

function sealRun(cipher: FrameCipher, { input, output, firstSequence, frames, frameLength }: FramingTask): void {
  const message = asBuffer(output);
  let offset = 0;
  for (let index = 0; index < frames; index++) {
    const content = input.subarray(index * frameLength, (index + 1) * frameLength);
    offset = cipher.sealFrame(message, offset, "regular", firstSequence + index, content);
  }
}

function openRun(cipher: FrameCipher, { input, output, firstSequence, frames, frameLength }: FramingTask): void {
  const message = asBuffer(input);
  const plaintext = asBuffer(output);
  const header: FramedAs = { contentType: "framed", frameLength };
  let position = 0;
  for (let index = 0; index < frames; index++) {
    const block = readBlock(message, position, header, firstSequence + index, FORMAT_LIMITS);
    cipher.openBlockInto(plaintext, index * frameLength, message, block);
    position = block.end;
  }
}

/** What a thread answers. */
export interface TaskOutcome {
  readonly done: boolean;
}

parentPort?.on("message", (task: FramingTask) => {
  let done = false;
  try {
    runTask(task);
    done = true;
  } catch {
    // Whatever went wrong is one thing to the other side: the run is not good.
  }
  parentPort?.postMessage({ done } satisfies TaskOutcome);
});
