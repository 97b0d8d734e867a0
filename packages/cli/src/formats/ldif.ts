// LDIF (RFC 2849): the entries of a directory. Own code, about as long as what would call a library: the only one there
// is (`ldif`) has no types, does not read base64 as text and was last touched years ago. Change records are refused:
// they say what to do to a directory, not what is in it. A value behind a URL is refused too: no file of ours is read
// because a file of others names it.
import { isBase64 } from "./base64.ts";
import { type Document, LONGEST_LINE } from "./document.ts";
import type { InputFormat, SourceRecord } from "./format.ts";
import { type Fold, type TextLine, textLines, unfolded } from "./text-lines.ts";

/** Directories. */
export const ldifFormat: InputFormat = {
  kind: "taken",
  name: "ldif",
  title: "an LDIF file",
  content: "text",
  unit: "line",
  looksLike: ({ text }) =>
    text !== null && (/^dn:(?::| ?[^=]+=)/i.test(firstLine(text)) || SEARCH.test(firstLine(text))),
  read: async ({ chunks }) => ({ columns: null, notes: [], records: readEntries(chunks) }),
};

/** The first line that says something: no comment, nor what is folded to it, nor the version. */
function firstLine(text: string): string {
  return text.split(/\r?\n/).find((line) => !/^(?:#| |version:|$)/i.test(line)) ?? "";
}

/** A line that begins with one blank goes on with the one before; comments may be folded as well. */
const fold: Fold = ({ last, next }) => (next.startsWith(" ") ? { last, added: next.slice(1) } : null);

async function* readEntries(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SourceRecord> {
  let entry: TextLine[] = [];
  let length = 0;
  const taken = (): SourceRecord[] => {
    const record = length > LONGEST_LINE ? tooLong(entry) : parseEntry(entry);
    entry = [];
    length = 0;
    return record === null ? [] : [record];
  };
  for await (const line of unfolded(textLines(chunks), fold)) {
    if (line.text === "") yield* taken();
    else if (!line.text.startsWith("#")) {
      length += line.text.length;
      if (length <= LONGEST_LINE || entry.length === 0) entry.push(line);
    }
  }
  yield* taken();
}

function tooLong([first]: readonly TextLine[]): SourceRecord {
  return { kind: "bad", position: first?.number ?? 0, reason: `the entry is longer than ${LONGEST_LINE} bytes` };
}

/** Null: no entry, but blank lines or the version alone. */
function parseEntry(lines: readonly TextLine[]): SourceRecord | null {
  const own = lines.filter(({ text }, index) => index > 0 || !/^version:\s*1\s*$/i.test(text));
  const [first] = own;
  if (first === undefined) return null;
  const position = first.number;
  if (SEARCH.test(first.text)) return searchEnd(own, position);
  try {
    return { kind: "document", position, document: entryDocument(own) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { kind: "bad", position, reason: error.message };
  }
}

/** What ldapsearch writes behind the entries where it was not told to leave it out (-LLL): how the search ended. */
const SEARCH = /^search: \d+$/;

/** Null: it found everything. */
function searchEnd(lines: readonly TextLine[], position: number): SourceRecord | null {
  const result = lines.flatMap(({ text }) => /^result: (\d{1,9}) /.exec(text)?.[1] ?? [])[0] ?? "of no number";
  if (result === "0") return null;
  const reason = `the search that made the file ended with result ${result}, so that entries may be missing`;
  return { kind: "bad", position, reason };
}

/** What only a change record has. `changetype: add` is none: it says what is in an entry, and ldifde writes it so. */
const OF_CHANGES: ReadonlySet<string> = new Set(["changetype", "control", "newrdn", "deleteoldrdn", "newsuperior"]);

function entryDocument(lines: readonly TextLine[]): Document {
  const attributes = new Map<string, { readonly name: string; readonly values: unknown[] }>();
  for (const { number, text } of lines) {
    const { name, value } = parseLine(text, number);
    const key = name.toLowerCase();
    if (key === "changetype" && value === "add") continue;
    if (OF_CHANGES.has(key))
      throw new RangeError(
        `is a change record (line ${number}): export the entries themselves, as ldapsearch -LLL does`,
      );
    if (attributes.size === 0 && key !== "dn") throw new RangeError("does not begin with its dn");
    const known = attributes.get(key);
    if (known === undefined) attributes.set(key, { name, values: [value] });
    else if (key === "dn") throw new RangeError(`has a second dn (line ${number}): a blank line is missing before it`);
    else known.values.push(value);
  }
  // One value is a text, several are a list: a directory's schema knows which may be several, its export does not.
  return Object.fromEntries(
    [...attributes.values()].map(({ name, values }) => [name, values.length === 1 ? values[0] : values]),
  );
}

/** `cn: Ada`, `cn:: QWRh`; the name may have options, `cn;lang-de`. */
const LINE = /^([A-Za-z\d][A-Za-z\d.;-]*):([:<]?) *([^\r]*)$/;

function parseLine(text: string, number: number): { readonly name: string; readonly value: unknown } {
  const [, name, kind, value] = LINE.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new RangeError(`line ${number} is not understood`);
  if (kind === "<") throw new RangeError(`line ${number} names a file instead of a value`);
  return { name, value: kind === ":" ? decoded(value, number) : value };
}

/** Text where the bytes are text, else an object that says that they are not: a photo, a certificate. */
function decoded(base64: string, number: number): unknown {
  const digits = base64.trim();
  if (!isBase64(digits)) throw new RangeError(`line ${number} is not base64`);
  const bytes = Buffer.from(digits, "base64");
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!/[\0-\x08\x0e-\x1f]/.test(text)) return text;
  } catch {
    // Not text.
  }
  return { base64: digits };
}
