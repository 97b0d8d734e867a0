// Kinds of files that people have and that hold no records that could be read: each is refused once, by what it is.
import { beginsWith, isUtf32 } from "./encoding.ts";
import type { RefusedKind, Sample } from "./format.ts";

const AS_CSV = "Open it in a spreadsheet and save the sheet as CSV (UTF-8), or as .xlsx.";
const UNPACK = "Unpack it and import the file that is inside.";
const EXPORT = "Export the records as CSV or NDJSON from the program that made it.";

/** Known by their first bytes, before any text is looked at. */
export const BINARY_KINDS: readonly RefusedKind[] = [
  kind("empty", "Check the path, or the command before the pipe.", isEmpty),
  kind("an OpenDocument file", AS_CSV, ({ bytes }) => isZip(bytes) && zipHas(bytes, "application/vnd.oasis.")),
  kind("a Word document", EXPORT, ({ bytes }) => isZip(bytes) && zipHas(bytes, "word/")),
  kind("a ZIP archive", UNPACK, ({ bytes }) => isZip(bytes)),
  bytesKind("an Excel 97 workbook or another old Office file", AS_CSV, [0xd0, 0xcf, 0x11, 0xe0]),
  bytesKind("a PDF document", EXPORT, text("%PDF-")),
  bytesKind("packed by bzip2", UNPACK, text("BZh")),
  bytesKind("packed by xz", UNPACK, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
  bytesKind("packed by lz4", UNPACK, [0x04, 0x22, 0x4d, 0x18]),
  bytesKind("a 7-Zip archive", UNPACK, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]),
  bytesKind("a RAR archive", UNPACK, [...text("Rar!"), 0x1a, 0x07]),
  kind("a tar archive", UNPACK, ({ bytes }) => Buffer.from(bytes.subarray(257, 262)).equals(Buffer.from("ustar"))),
  bytesKind("a SQLite database", 'Let it print the rows: sqlite3 -json FILE "SELECT * FROM people"', [
    ...text("SQLite format 3"),
    0,
  ]),
  bytesKind(
    "a custom-format dump of PostgreSQL",
    "Restore it and let psql print the rows: see strongroom import --help.",
    [...text("PGDMP"), 0x01],
  ),
  bytesKind("COPY in PostgreSQL's binary format", "Use psql -XAtc: see strongroom import --help.", [
    ...text("PGCOPY\n"),
    0xff,
  ]),
  kind(
    "a Parquet file",
    "Convert it: duckdb -c \"COPY (FROM 'FILE') TO 'people.ndjson'\"",
    (sample) => sample.text === null && beginsWith(sample.bytes, text("PAR1")),
  ),
  bytesKind("an Avro file", "Convert it: avro-tools tojson FILE", [...text("Obj"), 0x01]),
  kind("UTF-32", "Write it again as UTF-8: iconv -f UTF-32 -t UTF-8 FILE", ({ bytes }) => isUtf32(bytes)),
  kind(
    "text that is not UTF-8",
    "Say how it is encoded; from Windows and Excel in Western Europe it is mostly --encoding windows-1252.",
    ({ bytes, text: found }) => found === null && !bytes.some((byte) => CONTROL[byte] === true),
  ),
  kind("binary data", EXPORT, ({ text: found }) => found === null),
];

/** The first statement of a dump, behind its comments and what psql is told. */
const SQL_COMMENTS = /(?:(?:--|#|\\)[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/;?|\s)*/;
const SQL_WORDS = [
  /(?:CREATE|DROP|ALTER)\s+(?:TABLE|DATABASE|SCHEMA|TYPE|EXTENSION|TEMPORARY)\b/,
  /(?:INSERT|REPLACE)\s+INTO\s/,
  /SET\s+[\w.@]+\s*(?:=|TO\b)/,
  /BEGIN(?:\s+TRANSACTION)?;|START\s+TRANSACTION;|PRAGMA\s|LOCK\s+TABLES\s|USE\s+`|COPY\s+\S+\s*\(/,
  /SELECT\s+pg_catalog\./,
];
const SQL_STATEMENT = new RegExp(`^${SQL_COMMENTS.source}(?:${SQL_WORDS.map(({ source }) => source).join("|")})`, "i");

/** Text that is something else than records. */
export const TEXT_KINDS: readonly RefusedKind[] = [
  textKind(
    "an HTML page",
    "Fetch the data itself; a page of this kind is often a login or an error.",
    /^<(?:!doctype html|html|head|body|table)\b/i,
  ),
  textKind("XML", "Convert it to JSON or CSV first.", /^<(?:\?xml|!--|!doctype|[A-Za-z_][\w.:-]*[\s/>])/i),
  textKind("a calendar", "A calendar holds no people: export the address book, as vCard.", /^BEGIN:\s*VCALENDAR\s/i),
  textKind("a Rich Text document", EXPORT, /^\{\\rtf/),
  textKind(
    "an SQL dump",
    "Restore it into a database and let that print the rows: see strongroom import --help.",
    SQL_STATEMENT,
  ),
  textKind("YAML", "Convert it to JSON: yq -o json . FILE", /^(?:%YAML|---[ \t]*\r?\n)/),
  textKind("JSON with comments", "Remove the comments.", /^(?:\/\/[^\n]*\n\s*)+[[{]/),
  textKind(
    "JavaScript's notation and not JSON",
    "Write it with JSON.stringify.",
    /^(?:export\s+default|module\.exports|(?:const|let|var)\s+\w+\s*=|\[?\s*\{\s*[A-Za-z_$][\w$]*\s*:)/,
  ),
  textKind("Python's notation and not JSON", "Write it with json.dump.", /^\[?\s*\{\s*'/),
  textKind(
    "a table drawn for a screen",
    "Let the program print CSV: psql --csv, mysql --batch, sqlite3 -csv.",
    /^(?:\+[-+]{3,}\+[ \t]*\r?\n|[^\n]*\r?\n(?:-{2,}(?:\+-+)+|\|(?: *:?-{2,}:? *\|)+)[ \t]*\r?\n)/,
  ),
];

function kind(title: string, remedy: string, looksLike: (sample: Sample) => boolean): RefusedKind {
  return { kind: "refused", title, remedy, looksLike };
}

function bytesKind(title: string, remedy: string, start: readonly number[]): RefusedKind {
  return kind(title, remedy, ({ bytes }) => beginsWith(bytes, start));
}

function textKind(title: string, remedy: string, start: RegExp): RefusedKind {
  return kind(title, remedy, ({ text: found }) => found !== null && start.test(found.slice(0, 16_384).trimStart()));
}

function text(start: string): readonly number[] {
  return [...Buffer.from(start, "latin1")];
}

function isEmpty({ bytes, text: found, whole }: Sample): boolean {
  return whole && (bytes.length === 0 || found?.trim() === "");
}

function isZip(bytes: Uint8Array): boolean {
  return beginsWith(bytes, [0x50, 0x4b, 0x03, 0x04]) || beginsWith(bytes, [0x50, 0x4b, 0x05, 0x06]);
}

function zipHas(bytes: Uint8Array, name: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(name, 0, "latin1");
}

/** Bytes that no text of a single-byte encoding has. */
const CONTROL: readonly boolean[] = Array.from(
  { length: 256 },
  (_, byte) => byte < 0x20 && ![9, 10, 12, 13, 26].includes(byte),
);
