/** Finds byte patterns in a file too large to hold, all at once. */
import { openSync, readSync, closeSync } from "node:fs";

const CHUNK = 32 * 1024 * 1024;
/** Most of a core dump is zeros: they are passed over by blocks of this size. */
const BLOCK = 4096;
const ZEROS = Buffer.alloc(BLOCK);

/**
 * Those of `patterns` (of 4 bytes or more, up to 1 KB, none beginning with three zeros) that occur anywhere in the
 * file.
 */
export function occurring(file: string, patterns: readonly Buffer[]): ReadonlySet<Buffer> {
  const longest = Math.max(...patterns.map(({ length }) => length));
  const byStart = new Map<number, Buffer[]>();
  // A bit for each value of the first three bytes: nearly every position is passed over with one look.
  const likely = new Uint8Array(1 << 21);
  for (const pattern of patterns) {
    const start = pattern.readUIntBE(0, 3);
    likely[start >> 3]! |= 1 << (start & 7);
    byStart.set(start, [...(byStart.get(start) ?? []), pattern]);
  }
  const found = new Set<Buffer>();
  const handle = openSync(file, "r");
  const memory = Buffer.alloc(CHUNK + longest);
  let kept = 0;
  try {
    for (;;) {
      const read = readSync(handle, memory, kept, CHUNK, null);
      if (read === 0) return found;
      const end = kept + read;
      let start = 0;
      for (let last = 0; last < end; last++) {
        if (
          start === 0 &&
          last % BLOCK === 0 &&
          last + BLOCK <= end &&
          memory.compare(ZEROS, 0, BLOCK, last, last + BLOCK) === 0
        ) {
          last += BLOCK - 1;
          continue;
        }
        start = ((start << 8) | memory[last]!) & 0xff_ffff;
        if ((likely[start >> 3]! & (1 << (start & 7))) === 0) continue;
        const index = last - 2;
        for (const pattern of byStart.get(start) ?? []) {
          if (
            index >= 0 &&
            index + pattern.length <= end &&
            memory.compare(pattern, 0, pattern.length, index, index + pattern.length) === 0
          )
            found.add(pattern);
        }
      }
      kept = Math.min(longest, end);
      memory.copy(memory, 0, end - kept, end);
    }
  } finally {
    closeSync(handle);
  }
}
