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

/** A text in one of its disguises. */
interface Disguise {
  readonly text: string;
  readonly bytes: Buffer;
}

/** Bytes of a disguise by which it is looked up; none is shorter. */
const HEAD = 4;

/** Searches all files below `folder`: each is read through once, however many texts there are. */
export async function searchFiles(folder: string, texts: readonly string[]): Promise<SearchResult> {
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const all = texts.flatMap((text) => disguises(text).map((bytes): Disguise => ({ text, bytes })));
  const byHead = Map.groupBy(all, ({ bytes }) => bytes.readUInt32LE(0));
  const begins = new Uint8Array(0x1_00_00);
  for (const { bytes } of all) begins[bytes.readUInt16LE(0)] = 1;
  const found = new Set<string>();
  let size = 0;
  for (const { parentPath, name } of entries) {
    const content = await readFile(join(parentPath, name));
    size += content.length;
    for (let at = 0; at + HEAD <= content.length; at++) {
      if (begins[(content[at] ?? 0) | ((content[at + 1] ?? 0) << 8)] === 0) continue;
      for (const { text, bytes } of byHead.get(content.readUInt32LE(at)) ?? [])
        if (content.subarray(at, at + bytes.length).equals(bytes)) found.add(text);
    }
  }
  return { files: entries.length, bytes: size, patterns: all.length, found: texts.filter((text) => found.has(text)) };
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
