// The exchange itself: every peer writes every message it can, every other peer reads it, and bytes and context must be
// those that went in.

import { isDeepStrictEqual } from "node:util";

import type { Cell, Opened, Peer } from "./peer.ts";

/**
 * Reserved for the SDKs themselves: signed messages carry their public key under it (framework/structures.md,
 * "Encryption Context").
 */
const RESERVED_PREFIX = "aws-crypto-";

export type Outcome =
  | { readonly kind: "read"; readonly writer: string; readonly reader: string; readonly cell: Cell }
  | {
      readonly kind: "failed";
      readonly writer: string;
      readonly reader: string | null;
      readonly cell: Cell;
      readonly reason: string;
    }
  | { readonly kind: "by-design"; readonly peer: string; readonly cell: Cell; readonly reason: string };

/** Messages in flight at once: enough to keep every peer busy. */
const AT_ONCE = 16;
const PROGRESS_EVERY = 1_000;

/** @param onProgress told now and then how many of how many messages were passed round */
export async function exchange(
  peers: readonly Peer[],
  cells: readonly Cell[],
  onProgress: (done: number, of: number) => void,
): Promise<readonly Outcome[]> {
  const tasks = cells.flatMap((cell) => peers.map((writer) => ({ writer, cell })));
  const outcomes: Outcome[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let task = tasks[next++]; task !== undefined; task = tasks[next++]) {
      if (next % PROGRESS_EVERY === 0) onProgress(next, tasks.length);
      outcomes.push(
        ...(await exchangeOne(
          task.writer,
          peers.filter(({ id }) => id !== task.writer.id),
          task.cell,
        )),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return outcomes;
}

async function exchangeOne(writer: Peer, readers: readonly Peer[], cell: Cell): Promise<readonly Outcome[]> {
  const notWritten = writer.cannotWrite(cell);
  if (notWritten !== null) return [{ kind: "by-design", peer: writer.id, cell, reason: notWritten }];
  let message: Uint8Array;
  try {
    message = await writer.encrypt(cell);
  } catch (error) {
    return [{ kind: "failed", writer: writer.id, reader: null, cell, reason: reasonOf(error) }];
  }
  return Promise.all(readers.map((reader) => readOne(writer, reader, message, cell)));
}

async function readOne(writer: Peer, reader: Peer, message: Uint8Array, cell: Cell): Promise<Outcome> {
  const notRead = reader.cannotRead(cell);
  if (notRead !== null) return { kind: "by-design", peer: reader.id, cell, reason: notRead };
  const place = { writer: writer.id, reader: reader.id, cell };
  try {
    const wrong = differenceOf(await reader.decrypt(message, cell), cell);
    return wrong === null ? { kind: "read", ...place } : { kind: "failed", ...place, reason: wrong };
  } catch (error) {
    return { kind: "failed", ...place, reason: reasonOf(error) };
  }
}

function differenceOf(opened: Opened, cell: Cell): string | null {
  if (Buffer.compare(opened.plaintext, cell.plaintext) !== 0) return "another plaintext came out";
  const own = Object.entries(opened.context).filter(([key]) => !key.startsWith(RESERVED_PREFIX));
  if (!isDeepStrictEqual(Object.fromEntries(own), { ...cell.context.pairs })) return "another context came out";
  return null;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
