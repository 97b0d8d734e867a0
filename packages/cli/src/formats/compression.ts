// Files that are compressed as a whole. What comes out is a stream and costs no memory; how much may come out of how
// little is bounded, because a few kilobytes can be made to unfold for days.
import { pipeline, Readable, type Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { CliError } from "../errors.ts";
import { beginsWith } from "./encoding.ts";

/** A way to compress. */
export interface Compression {
  readonly title: string;
  readonly endings: readonly string[];
  readonly start: readonly number[];
  readonly open: () => Transform;
}

/** The ways that are undone while a file is read. */
export const COMPRESSIONS: readonly Compression[] = [
  { title: "gzip", endings: ["gz", "gzip"], start: [0x1f, 0x8b, 0x08], open: () => createGunzip() },
  { title: "zstd", endings: ["zst", "zstd"], start: [0x28, 0xb5, 0x2f, 0xfd], open: () => createZstdDecompress() },
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
  { title, open }: Compression,
): AsyncGenerator<Uint8Array> {
  let read = 0;
  let written = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      read += chunk.length;
      yield chunk;
    }
  };
  const unpacked = pipeline(Readable.from(counted()), open(), () => undefined);
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
