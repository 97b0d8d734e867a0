// Files that are compressed as a whole. What comes out is a stream and costs no memory; how much may come out of how
// little is bounded, because a few kilobytes can be made to unfold for days.
import { pipeline, Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { CliError } from "../errors.ts";
import { beginsWith } from "./encoding.ts";

/** A way to compress. */
export interface Compression {
  readonly title: string;
  readonly endings: readonly string[];
  readonly start: readonly number[];
  readonly open: () => ZlibStream;
  /** Whether Node goes on behind the end of what was compressed at once, where more follows. */
  readonly goesOn: boolean;
}

type ZlibStream = ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>;

/** The ways that are undone while a file is read. */
export const COMPRESSIONS: readonly Compression[] = [
  { title: "gzip", endings: ["gz", "gzip"], start: [0x1f, 0x8b, 0x08], open: () => createGunzip(), goesOn: true },
  {
    title: "zstd",
    endings: ["zst", "zstd"],
    start: [0x28, 0xb5, 0x2f, 0xfd],
    open: () => createZstdDecompress(),
    goesOn: false,
  },
];

/** How a file that begins with these bytes is compressed, or null. */
export function compressionOf(bytes: Uint8Array): Compression | null {
  return COMPRESSIONS.find(({ start }) => beginsWith(bytes, start)) ?? null;
}

/** Text of people never shrinks so far; what does is made to fill memory, disks or time. */
const LARGEST_RATIO = 250;
/** Below this nothing is said of the ratio. */
const UNSUSPICIOUS_BYTES = 16 * 1024 * 1024;

/** The bytes behind a compression. @throws CliError `input-invalid` */
export async function* decompressed(
  chunks: AsyncIterable<Uint8Array>,
  { title, open, goesOn }: Compression,
): AsyncGenerator<Uint8Array> {
  let read = 0;
  let written = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      read += chunk.length;
      yield chunk;
    }
  };
  const unpacked = goesOn ? pipeline(Readable.from(counted()), open(), () => undefined) : frames(counted(), open);
  try {
    for await (const chunk of unpacked as AsyncIterable<Uint8Array>) {
      written += chunk.length;
      if (written > UNSUSPICIOUS_BYTES && written > read * LARGEST_RATIO)
        throw new CliError("input-invalid", {
          detail: `The file unfolds to more than ${LARGEST_RATIO} times its size, as no real data does.`,
          remedy: "If it is to be trusted, unpack it first and import what comes out.",
        });
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("input-invalid", {
      detail: `The file is damaged or cut off: ${title} cannot unpack it.`,
      remedy: "Fetch or make it again. Records that are stored already are left alone.",
      cause,
    });
  }
}

/**
 * What is behind frames that stand one after another, as parallel compressors and `cat` write them. Node's stream ends
 * in silence behind the first, so that each gets a stream of its own, from where the one before left off.
 */
async function* frames(chunks: AsyncGenerator<Uint8Array>, open: () => ZlibStream): AsyncGenerator<Uint8Array> {
  /** Read and not yet known to be unpacked. */
  let ahead: readonly Uint8Array[] = [];
  try {
    do {
      const stream = open();
      let dropped = 0;
      const forget = (): void => {
        ahead = behind(ahead, stream.bytesWritten - dropped);
        dropped = stream.bytesWritten;
      };
      const given = (async function* (): AsyncGenerator<Uint8Array> {
        yield* ahead;
        for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
          forget();
          ahead = [...ahead, next.value];
          yield next.value;
        }
      })();
      yield* pipeline(Readable.from(given), stream, () => undefined) as AsyncIterable<Uint8Array>;
      // The stream asks for more than it needs: what is still on its way belongs to the next.
      await given.return(undefined);
      forget();
      stream.destroy();
    } while (ahead.length > 0);
  } finally {
    // Not awaited: a pipe that is given up may never end.
    void chunks.return(undefined).catch(() => undefined);
  }
}

/** What is left of chunks without so many bytes at their beginning. */
function behind(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  return chunks.flatMap((chunk) => {
    const rest = chunk.subarray(Math.min(left, chunk.length));
    left = Math.max(0, left - chunk.length);
    return rest.length === 0 ? [] : [rest];
  });
}
