/**
 * A run of regular frames for one worker thread. Input and output are shared memory,
 * so nothing is copied between threads; the key travels as a key object, never as bytes.
 */
import { readBlock } from "../format/body.ts";
import type { FramedAs } from "../format/body.ts";
import { FORMAT_LIMITS } from "../format/limits.ts";
import { FrameCipher } from "../message/frame-cipher.ts";
import type { FrameCipherKey } from "../message/frame-cipher.ts";

interface Run {
  readonly frameKey: FrameCipherKey;
  readonly frameLength: number;
  readonly input: SharedArrayBuffer;
  readonly output: SharedArrayBuffer;
  /** Where the run begins in either. */
  readonly inputOffset: number;
  readonly outputOffset: number;
  readonly firstSequence: number;
  readonly frames: number;
}

export type FramingTask = (Run & { readonly kind: "seal" }) | (Run & { readonly kind: "open" });

/** @throws EnvelopeError `decryption-failed`; the output then holds only what did authenticate, and must not be used */
export function runTask(task: FramingTask): void {
  const cipher = new FrameCipher(task.frameKey);
  if (task.kind === "seal") sealRun(cipher, task);
  else openRun(cipher, task);
}

function sealRun(cipher: FrameCipher, { input, output, inputOffset, outputOffset, firstSequence, frames, frameLength }: Run): void {
  const plaintext = Buffer.from(input);
  const message = Buffer.from(output);
  let offset = outputOffset;
  for (let index = 0; index < frames; index++) {
    const start = inputOffset + index * frameLength;
    offset = cipher.sealFrame(message, offset, "regular", firstSequence + index, plaintext.subarray(start, start + frameLength));
  }
}

function openRun(cipher: FrameCipher, { input, output, inputOffset, outputOffset, firstSequence, frames, frameLength }: Run): void {
  const message = Buffer.from(input);
  const plaintext = Buffer.from(output);
  const header: FramedAs = { contentType: "framed", frameLength };
  let position = inputOffset;
  for (let index = 0; index < frames; index++) {
    const block = readBlock(message, position, header, firstSequence + index, FORMAT_LIMITS);
    cipher.openBlockInto(plaintext, outputOffset + index * frameLength, message, block);
    position = block.end;
  }
}
