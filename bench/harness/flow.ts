// Ends of the streaming rows: a source that costs nothing, a sink that counts and a sink that compares every byte with
// what went in.

import { Readable, Writable, type Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";

import { work, type Task, type Work } from "./contender.ts";
import { payloadOf } from "./payload.ts";

/** How much of a one-way stream is read back for its verification, in bytes. */
const READ_BACK_BYTES = 33_554_432;

/** The streams of one contender, made anew for each pass. */
export interface Flow {
  readonly seal: () => readonly Duplex[];
  readonly open: () => readonly Duplex[];
}

/** Times encryption alone; its verification checks the length and sends a part through both directions. */
export function sealingWork(task: Task, flow: Flow): Work {
  return work({
    unitsPerRun: task.payloadBytes,
    run: () => countBytes(task, flow.seal()),
    verify: async (sealedBytes: number) => {
      if (sealedBytes < task.payloadBytes) throw new Error(`${sealedBytes} sealed bytes for ${task.payloadBytes}`);
      await compareBytes({ ...task, payloadBytes: Math.min(task.payloadBytes, READ_BACK_BYTES) }, [
        ...flow.seal(),
        ...flow.open(),
      ]);
    },
  });
}

/** Times both directions in one pipeline; the comparison of every byte is part of what is timed. */
export function roundTripWork(task: Task, flow: Flow): Work {
  return work({
    unitsPerRun: task.payloadBytes,
    run: () => compareBytes(task, [...flow.seal(), ...flow.open()]),
    verify: (openedBytes: number) => {
      if (openedBytes !== task.payloadBytes) throw new Error(`${openedBytes} opened bytes for ${task.payloadBytes}`);
    },
  });
}

async function countBytes(task: Task, stages: readonly Duplex[]): Promise<number> {
  let bytes = 0;
  const sink = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.length;
      done();
    },
  });
  await pipeline([source(task), ...stages, sink]);
  return bytes;
}

async function compareBytes(task: Task, stages: readonly Duplex[]): Promise<number> {
  const chunk = payloadOf(task.chunkBytes);
  let bytes = 0;
  const sink = new Writable({
    write(opened: Buffer, _encoding, done) {
      for (let at = 0; at < opened.length;) {
        const from = bytes % chunk.length;
        const length = Math.min(chunk.length - from, opened.length - at);
        if (opened.compare(chunk, from, from + length, at, at + length) !== 0) {
          done(new Error(`a wrong byte between ${bytes} and ${bytes + length}`));
          return;
        }
        bytes += length;
        at += length;
      }
      done();
    },
  });
  await pipeline([source(task), ...stages, sink]);
  if (bytes !== task.payloadBytes) throw new Error(`${bytes} bytes came out for ${task.payloadBytes}`);
  return bytes;
}

function source(task: Task): Readable {
  const chunk = payloadOf(task.chunkBytes);
  let left = task.payloadBytes;
  return new Readable({
    highWaterMark: task.chunkBytes,
    read() {
      if (left === 0) {
        this.push(null);
        return;
      }
      const length = Math.min(left, chunk.length);
      left -= length;
      this.push(length === chunk.length ? chunk : chunk.subarray(0, length));
    },
  });
}
