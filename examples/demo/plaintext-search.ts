// Looks for texts in every file below a folder, as they are and in the disguises in which they usually leak:
// hexadecimal, base64 (at each of the three offsets that a text can have inside of a longer one), base64url and UTF-16.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** What a search found. */
export interface SearchResult {
  readonly files: number;
  readonly bytes: number;
  readonly patterns: number;
  /** The texts that were found, in whatever disguise. */
  readonly found: readonly string[];
}

/** Searches all files below `folder`. */
export async function searchFiles(folder: string, texts: readonly string[]): Promise<SearchResult> {
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const contents = await Promise.all(entries.map((entry) => readFile(join(entry.parentPath, entry.name))));
  const patterns = texts.map((text) => ({ text, disguises: disguises(text) }));
  return {
    files: contents.length,
    bytes: contents.reduce((sum, content) => sum + content.length, 0),
    patterns: patterns.reduce((sum, { disguises: all }) => sum + all.length, 0),
    found: patterns
      .filter(({ disguises: all }) => all.some((pattern) => contents.some((content) => content.includes(pattern))))
      .map(({ text }) => text),
  };
}

function disguises(text: string): Buffer[] {
  const bytes = Buffer.from(text, "utf8");
  const little = Buffer.from(text, "utf16le");
  const plain = [bytes, little, Buffer.from(little).swap16()];
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].map((offset) => insideOfBase64(bytes, offset));
  const written = [
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((one) => one.replaceAll("+", "-").replaceAll("/", "_")),
  ];
  return [...plain, ...written.map((one) => Buffer.from(one, "latin1"))];
}

/** The base64 characters that depend on these bytes alone when `offset` bytes stand before them. */
function insideOfBase64(bytes: Buffer, offset: number): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString("base64")
    .replace(/=+$/, "");
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor(((offset + bytes.length) * 8) / 6);
  return encoded.slice(first, last);
}
