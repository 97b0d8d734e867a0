// Searches files for texts that must not be there, in the forms in which a text ends up in a file: as it is, in UTF-16,
// in hex and in base64.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The byte patterns of one text. Base64 is searched at all three alignments, without the characters that neighbours
 * change.
 */
export function patternsOf(text: string): Buffer[] {
  const utf8 = Buffer.from(text, "utf8");
  const hex = utf8.toString("hex");
  const json = JSON.stringify(text).slice(1, -1);
  return [
    utf8,
    ...(json === text ? [] : [Buffer.from(json)]),
    Buffer.from(text, "utf16le"),
    Buffer.from(text, "utf16le").swap16(),
    Buffer.from(hex),
    Buffer.from(hex.toUpperCase()),
    ...[0, 1, 2].flatMap((shift) => {
      const encoded = Buffer.concat([Buffer.alloc(shift), utf8])
        .toString("base64")
        .replace(/=+$/, "");
      const start = shift === 0 ? 0 : shift + 1;
      const end = encoded.length - ((shift + utf8.length) % 3 === 0 ? 0 : 1);
      const core = encoded.slice(start, end);
      const urlSafe = core.replaceAll("+", "-").replaceAll("/", "_");
      return urlSafe === core ? [Buffer.from(core)] : [Buffer.from(core), Buffer.from(urlSafe)];
    }),
  ];
}

/** All files below a folder. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const PREFIX = 6;

/** How often any of the texts, each of at least 6 bytes, occurs in any of the files. */
export function countTraces(files: readonly string[], texts: readonly string[]): number {
  return findTraces(files, texts.flatMap(patternsOf)).length;
}

/** Where one of the patterns, each of at least 6 bytes, was found. */
export interface Trace {
  readonly file: string;
  readonly at: number;
  readonly pattern: Buffer;
}

/** Of a file that a running service has replaced meanwhile nothing: what it held is under its own name. */
function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (file.endsWith(".part") && (error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

/** Every place in the files at which one of the patterns lies. */
export function findTraces(files: readonly string[], patterns: readonly Buffer[]): readonly Trace[] {
  // Patterns by their first bytes: one look-up a position, however many patterns there are, and none where no pattern
  // begins with these two bytes and goes on with those two.
  const byPrefix = Map.groupBy(
    patterns.map((bytes) => bytes.toString("latin1")),
    (pattern) => pattern.slice(0, PREFIX),
  );
  const [first, second] = [0, 2].map((at) => {
    const pairs = new Uint8Array(2 ** 16);
    for (const pattern of patterns) pairs[pattern.readUInt16BE(at)] = 1;
    return pairs;
  }) as [Uint8Array, Uint8Array];
  const found: Trace[] = [];
  for (const file of files) {
    const content = contentOf(file);
    for (let at = 0; at + PREFIX <= content.length; at++) {
      if (first[content.readUInt16BE(at)] === 0 || second[content.readUInt16BE(at + 2)] === 0) continue;
      const candidates = byPrefix.get(content.toString("latin1", at, at + PREFIX)) ?? [];
      const pattern = candidates.find((one) => content.toString("latin1", at, at + one.length) === one);
      if (pattern !== undefined) found.push({ file, at, pattern: Buffer.from(pattern, "latin1") });
    }
  }
  return found;
}
