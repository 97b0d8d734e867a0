// Newline-delimited JSON: one JSON object a line, in UTF-8. Blank lines are skipped; a line that is too long is
// reported, not buffered.
import { parseJson } from "@strongroom/vault";
import { secretConcat } from "@strongroom/base/secret-memory";
import { type Document, isDocument, LONGEST_LINE } from "./document.ts";
import type { InputFormat, SourceRecord } from "./format.ts";

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Newline-delimited JSON, also known as JSON Lines. */
export const ndjsonFormat: InputFormat = {
  kind: "taken",
  name: "ndjson",
  title: "NDJSON, a JSON object a line",
  content: "text",
  unit: "line",
  looksLike: ({ text }) => text?.trimStart().startsWith("{") === true,
  read: async ({ chunks }) => ({ fields: null, notes: [], records: readNdjson(chunks) }),
};

/** Reads documents; every line that is none is yielded as bad with its reason. */
export async function* readNdjson(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SourceRecord> {
  let number = 0;
  for await (const line of splitLines(chunks)) {
    number++;
    if (line === "too-long") yield { kind: "bad", position: number, reason: `longer than ${LONGEST_LINE} bytes` };
    else if (!isBlank(line)) yield parseLine(number === 1 ? withoutMark(line) : line, number);
  }
}

/** One document as one line, newline included. */
export function ndjsonLine(document: Document): string {
  return `${JSON.stringify(document)}\n`;
}

function parseLine(bytes: Uint8Array, position: number): SourceRecord {
  try {
    const value = parseJson(bytes);
    return isDocument(value)
      ? { kind: "document", position, document: value }
      : { kind: "bad", position, reason: "not a JSON object" };
  } catch (error) {
    // The vault's parser never quotes its input.
    return { kind: "bad", position, reason: error instanceof Error ? error.message : "not JSON" };
  }
}

async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array | "too-long"> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let tooLong = false;
  const take = (part: Uint8Array): void => {
    length += part.length;
    if (length > LONGEST_LINE) {
      tooLong = true;
      parts = [];
    } else if (!tooLong) parts.push(part);
  };
  const finish = (): Uint8Array | "too-long" => {
    const line = tooLong ? "too-long" : parts.length === 1 ? (parts[0] ?? new Uint8Array()) : secretConcat(parts);
    parts = [];
    length = 0;
    tooLong = false;
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      take(chunk.subarray(start, end));
      yield finish();
      start = end + 1;
    }
    if (start < chunk.length) take(chunk.subarray(start));
  }
  if (length > 0) yield finish();
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function withoutMark(line: Uint8Array): Uint8Array {
  return BYTE_ORDER_MARK.equals(line.subarray(0, 3)) ? line.subarray(3) : line;
}
