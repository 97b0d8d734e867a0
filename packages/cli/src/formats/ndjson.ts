// Newline-delimited JSON: one JSON object a line, in UTF-8. Blank lines are skipped; a line that is too long is
// reported, not buffered.
import { JSON_TOKEN, JsonTokenizer } from "@strongroom/base/json";
import { secretConcat } from "@strongroom/base/secret-memory";
import { type Document, LONGEST_LINE } from "./document.ts";
import type { InputFormat, Sample, SourceRecord } from "./format.ts";
import { readJsonRecord } from "./json-record.ts";
import { copyDamage, isCopyDamaged } from "./postgres-copy.ts";

const NEWLINE = 0x0a;

/** Newline-delimited JSON, also known as JSON Lines. */
export const ndjsonFormat: InputFormat = {
  kind: "taken",
  name: "ndjson",
  title: "NDJSON, a JSON object a line",
  content: "text",
  unit: "line",
  looksLike: isObjectALine,
  read: async ({ chunks }) => ({ columns: null, notes: [], records: readNdjson(chunks) }),
};

/**
 * Whether the first line is an object from its first bracket to its last. A line that is the only one may also be a
 * wrapping of records, and one that does not end in the sample a file of one line: then the file's name decides.
 */
function isObjectALine({ text, whole, asked, ending }: Sample): boolean {
  if (text === null) return false;
  const named = asked === null ? ending === "ndjson" || ending === "jsonl" : asked === "ndjson";
  if (!/^[ \t\r\n]*\{[ \t\r]*["}\n]/.test(text)) return named && /^\{/m.test(text) && !text.trimStart().startsWith("[");
  const lines = text.trimStart().split("\n");
  if (!whole) lines.pop();
  const [first, ...rest] = lines.filter((line) => line.trim() !== "");
  if (first === undefined) return named;
  if (rest.length === 0 && whole) return named && isBalanced(first);
  if (isBalanced(first)) return true;
  // A first line that is broken makes no other file of it.
  return named && rest.filter(isBalanced).length > rest.length / 2;
}

/** Whether a line opens one bracket and closes that, and nothing follows; of what is between it judges no more. */
function isBalanced(line: string): boolean {
  let depth = 0;
  let ends = 0;
  let after = false;
  new JsonTokenizer().push(Buffer.from(line), (token) => {
    if (ends > 0) after = true;
    if (token === JSON_TOKEN.objectStart || token === JSON_TOKEN.listStart) depth++;
    else if (token === JSON_TOKEN.objectEnd || token === JSON_TOKEN.listEnd) depth--;
    if (depth === 0) ends++;
    return true;
  });
  return line.trimStart().startsWith("{") && ends > 0 && depth === 0 && !after;
}

/** Reads documents; every line that is none is yielded as bad with its reason. */
export async function* readNdjson(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SourceRecord> {
  let number = 0;
  for await (const line of splitLines(chunks)) {
    number++;
    if (line === "too-long") yield { kind: "bad", position: number, reason: `longer than ${LONGEST_LINE} bytes` };
    else if (!isBlank(line)) yield parseLine(line, number);
  }
}

/**
 * One document as one line, newline included. A backslash before a letter of JSON's escapes is written `\u005c`: so no
 * file of such lines looks as if its backslashes had been doubled (postgres-copy.ts).
 */
export function ndjsonLine(document: Document): string {
  return `${JSON.stringify(document).replace(/(?<!\\)((?:\\\\)*)\\\\(?=[nrtu])/g, "$1\\u005c")}\n`;
}

function parseLine(bytes: Uint8Array, position: number): SourceRecord {
  const record = readJsonRecord(bytes);
  if (record.kind === "document") return { ...record, position };
  if (isCopyDamaged(bytes)) throw copyDamage(`line ${position}`);
  return { ...record, position };
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
