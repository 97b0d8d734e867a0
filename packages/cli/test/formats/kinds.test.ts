// What is seen of a file before its first record: each kind is taken, or refused once with what it is and what to do.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import { CliError } from "../../src/errors.ts";
import type { OpenOptions } from "../../src/formats/open.ts";
import { collect } from "../support/collect.ts";
import { openFile } from "../support/formats.ts";

const ADA = { id: "1", name: "Ada" };
const ZOE = { id: "2", name: "Zoë" };
const CSV = "id,name\n1,Ada\n2,Zoë\n";
const NDJSON = `${JSON.stringify(ADA)}\n${JSON.stringify(ZOE)}\n`;
const PEOPLE = [ADA, ZOE];

function utf16(text: string, order: "le" | "be"): Buffer {
  const bytes = Buffer.from(text, "utf16le");
  return order === "le" ? bytes : bytes.swap16();
}

/** A ZIP archive of one file; readers of a beginning see its name and no more. */
function zip(name: string, content: string): Buffer {
  const packed = deflateRawSync(content);
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(8, 8);
  head.writeUInt32LE(packed.length, 18);
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, Buffer.from(name), packed]);
}

interface Taken {
  readonly what: string;
  readonly file: string | Uint8Array;
  readonly options?: Partial<OpenOptions>;
  readonly format: string;
  readonly documents?: readonly unknown[];
  readonly note?: RegExp;
}

const taken: readonly Taken[] = [
  { what: "commas", file: CSV, format: "csv" },
  { what: "semicolons", file: CSV.replaceAll(",", ";"), format: "csv" },
  { what: "tabs", file: CSV.replaceAll(",", "\t"), format: "csv" },
  { what: "bars", file: CSV.replaceAll(",", "|"), format: "csv" },
  {
    what: "semicolons, with commas in headings and cells",
    file: "id;name, first\n1;Ada, A.\n2;Zoë, Z.\n",
    format: "csv",
    documents: [
      { id: "1", "name, first": "Ada, A." },
      { id: "2", "name, first": "Zoë, Z." },
    ],
  },
  {
    what: "commas, with semicolons in quoted headings",
    file: '"a;b;c;d",id\n1,2\n',
    format: "csv",
    documents: [{ "a;b;c;d": "1", id: "2" }],
  },
  {
    what: "more semicolons than commas in the heading, but rows of commas",
    file: "id,tags;a;b;c\n1,x\n2,y\n3,z\n",
    format: "csv",
    documents: [
      { id: "1", "tags;a;b;c": "x" },
      { id: "2", "tags;a;b;c": "y" },
      { id: "3", "tags;a;b;c": "z" },
    ],
  },
  { what: "Excel's line that names the delimiter", file: `sep=;\r\n${CSV.replaceAll(",", ";")}`, format: "csv" },
  { what: "a delimiter that is asked for", file: CSV.replaceAll(",", "^"), options: { delimiter: "^" }, format: "csv" },
  {
    what: "a delimiter named by a word",
    file: CSV.replaceAll(",", "\t"),
    options: { delimiter: "tab" },
    format: "csv",
  },
  { what: "one column", file: "id\n1\n2\n\n", format: "csv", documents: [{ id: "1" }, { id: "2" }] },
  { what: "line ends of old Macs", file: CSV.replaceAll("\n", "\r"), format: "csv" },
  { what: "line ends of Windows", file: CSV.replaceAll("\n", "\r\n"), format: "csv" },
  { what: "line ends of both kinds", file: "id,name\r\n1,Ada\n2,Zoë\r\n", format: "csv" },
  { what: "no last line end", file: CSV.trimEnd(), format: "csv" },
  { what: "CSV with a byte order mark", file: `\uFEFF${CSV}`, format: "csv" },
  { what: "CSV with a byte order mark and quotes", file: '\uFEFF"id","name"\n"1","Ada"\n"2","Zoë"\n', format: "csv" },
  { what: "CSV by another ending", file: CSV, options: { path: "people.txt" }, format: "csv" },
  { what: "UTF-16 with its mark, little end first", file: utf16(`\uFEFF${CSV}`, "le"), format: "csv" },
  { what: "UTF-16 with its mark, big end first", file: utf16(`\uFEFF${CSV}`, "be"), format: "csv" },
  { what: "UTF-16 without a mark, little end first", file: utf16(CSV, "le"), format: "csv" },
  { what: "UTF-16 without a mark, big end first", file: utf16(CSV, "be"), format: "csv" },
  { what: "UTF-16 of NDJSON", file: utf16(`\uFEFF${NDJSON}`, "le"), format: "ndjson" },
  { what: "UTF-16 of a JSON list", file: utf16(JSON.stringify(PEOPLE), "be"), format: "json" },
  {
    what: "UTF-16 of Excel's Unicode text",
    file: utf16(`\uFEFF${CSV.replaceAll(",", "\t").replaceAll("\n", "\r\n")}`, "le"),
    format: "csv",
  },
  {
    what: "Windows-1252 that is said",
    file: Buffer.from(`${CSV}3,\x80 20\n`, "latin1"),
    options: { encoding: "windows-1252" },
    format: "csv",
    documents: [...PEOPLE, { id: "3", name: "€ 20" }],
  },
  {
    what: "ISO-8859-15 that is said",
    file: Buffer.from("id,name\n1,\xa4\n", "latin1"),
    options: { encoding: "ISO-8859-15" },
    format: "csv",
    documents: [{ id: "1", name: "€" }],
  },
  {
    what: "UTF-8 with a mark although another encoding is said",
    file: `\uFEFF${CSV}`,
    options: { encoding: "windows-1252" },
    format: "csv",
  },
  { what: "gzip of CSV", file: gzipSync(CSV), options: { path: "people.csv.gz" }, format: "csv" },
  { what: "gzip of NDJSON", file: gzipSync(NDJSON), format: "ndjson" },
  { what: "gzip of a JSON list", file: gzipSync(JSON.stringify(PEOPLE)), format: "json" },
  {
    what: "gzip in two members",
    file: Buffer.concat([gzipSync("id,name\n1,Ada\n"), gzipSync("2,Zoë\n")]),
    format: "csv",
  },
  { what: "gzip of UTF-16", file: gzipSync(utf16(`\uFEFF${CSV}`, "le")), format: "csv" },
  { what: "zstd of NDJSON", file: zstdCompressSync(Buffer.from(NDJSON)), format: "ndjson" },
  { what: "NDJSON", file: NDJSON, format: "ndjson" },
  { what: "NDJSON with a byte order mark", file: `\uFEFF${NDJSON}`, format: "ndjson" },
  { what: "NDJSON by the ending of CSV", file: NDJSON, options: { path: "people.csv" }, format: "ndjson" },
  {
    what: "NDJSON of one line",
    file: `${JSON.stringify(ADA)}\n`,
    options: { path: "a.jsonl" },
    format: "ndjson",
    documents: [ADA],
  },
  { what: "one object from a pipe", file: `${JSON.stringify(ADA)}\n`, format: "json", documents: [ADA] },
  {
    what: "one object with a list of objects from a pipe",
    file: '{"id":"1","tags":[{"id":"x"}]}\n',
    format: "json",
    documents: [{ id: "1", tags: [{ id: "x" }] }],
  },
  { what: "a JSON list", file: JSON.stringify(PEOPLE), format: "json" },
  {
    what: "a JSON list by the ending of NDJSON",
    file: JSON.stringify(PEOPLE),
    options: { path: "a.ndjson" },
    format: "json",
  },
  {
    what: "a JSON list with an object a line",
    file: `[\n${PEOPLE.map((one) => JSON.stringify(one)).join(",\n")}\n]\n`,
    format: "json",
  },
  { what: "a JSON list over many lines", file: JSON.stringify(PEOPLE, null, 2), format: "json" },
  {
    what: "objects over many lines",
    file: PEOPLE.map((one) => JSON.stringify(one, null, 2)).join("\n"),
    format: "json",
  },
  { what: "objects one after another", file: PEOPLE.map((one) => JSON.stringify(one)).join(""), format: "json" },
  { what: "JSON lists one after another", file: PEOPLE.map((one) => JSON.stringify([one])).join("\n"), format: "json" },
  {
    what: "a list inside of an object",
    file: JSON.stringify({ users: PEOPLE }),
    format: "json",
    note: /The records are taken from users\./,
  },
  {
    what: "a list inside of an object in UTF-16",
    file: utf16(`\uFEFF${JSON.stringify({ users: PEOPLE }, null, 2)}`, "le"),
    format: "json",
    note: /users/,
  },
  {
    what: "a list inside of an object in gzip",
    file: gzipSync(JSON.stringify({ users: PEOPLE })),
    format: "json",
    note: /users/,
  },
  {
    what: "a list inside of an object, by the ending of NDJSON",
    file: JSON.stringify({ users: PEOPLE }, null, 1),
    options: { path: "users.ndjson" },
    format: "json",
  },
  {
    what: "a list inside of an object with an object a line",
    file: `{"users":[\n${PEOPLE.map((one) => JSON.stringify(one)).join(",\n")}\n]}\n`,
    format: "json",
  },
  {
    what: "a list inside of an object, beside lists of other things",
    file: JSON.stringify({ total: 2, schemas: ["x"], groups: [{ gid: 1 }], users: PEOPLE, next: null }),
    format: "json",
  },
  { what: "a list inside of objects", file: JSON.stringify({ data: { page: { users: PEOPLE } } }), format: "json" },
  {
    what: "a list whose path is said",
    file: JSON.stringify({ admins: [{ id: "9" }], data: { "a.b": PEOPLE } }),
    options: { records: "data.a\\.b" },
    format: "json",
  },
  {
    what: "a path inside of each element",
    file: JSON.stringify({ rows: PEOPLE.map((doc) => ({ doc })) }),
    options: { records: "rows[].doc" },
    format: "json",
  },
  {
    what: "a path inside of each line",
    file: PEOPLE.map((Item) => JSON.stringify({ Item })).join("\n"),
    options: { records: "Item" },
    format: "json",
  },
  {
    what: "a Bundle of FHIR, which has an id of its own",
    file: JSON.stringify({
      resourceType: "Bundle",
      id: "bundle-1",
      type: "searchset",
      link: [{ relation: "self" }],
      entry: PEOPLE.map((resource) => ({ fullUrl: "urn:x", resource })),
    }),
    options: { path: "bundle.json" },
    format: "json",
    note: /entry\[\]\.resource/,
  },
  {
    what: "one object that is said to be the record",
    file: JSON.stringify({ id: "1", users: PEOPLE }, null, 2),
    options: { records: "." },
    format: "json",
    documents: [{ id: "1", users: PEOPLE }],
  },
];

interface Refused {
  readonly what: string;
  readonly file: string | Uint8Array;
  readonly options?: Partial<OpenOptions>;
  readonly says: RegExp;
  readonly remedy?: RegExp;
}

const refused: readonly Refused[] = [
  { what: "an empty file", file: "", says: /The file is empty/ },
  { what: "blank lines", file: "\n \r\n", says: /The file is empty/ },
  { what: "a mark and nothing else", file: "\uFEFF", says: /The file is empty/ },
  { what: "gzip of nothing", file: gzipSync(""), says: /The file is empty/ },
  {
    what: "Windows-1252",
    file: Buffer.from(CSV, "latin1"),
    says: /The file is text that is not UTF-8/,
    remedy: /--encoding windows-1252/,
  },
  { what: "NDJSON in Windows-1252", file: Buffer.from(NDJSON, "latin1"), says: /not UTF-8/, remedy: /--encoding/ },
  {
    what: "UTF-8 cut in a character within the file",
    file: Buffer.from([0x69, 0x64, 0x0a, 0xc3, 0x0a]),
    says: /not UTF-8/,
  },
  { what: "UTF-32", file: Buffer.from([0xff, 0xfe, 0, 0, 0x69, 0, 0, 0]), says: /UTF-32/ },
  { what: "an encoding that is none", file: CSV, options: { encoding: "klingon" }, says: /--encoding/ },
  { what: "a delimiter of two characters", file: CSV, options: { delimiter: "ab" }, says: /--delimiter/ },
  { what: "a Word document", file: zip("word/document.xml", "x"), says: /a Word document/ },
  {
    what: "an OpenDocument sheet",
    file: zip("mimetype", "").subarray(0, 38).toString("latin1") + "application/vnd.oasis.opendocument.spreadsheet",
    says: /an OpenDocument file/,
    remedy: /CSV/,
  },
  { what: "a ZIP archive", file: zip("people.csv", CSV), says: /a ZIP archive/, remedy: /Unpack/ },
  {
    what: "an old Excel workbook",
    file: Buffer.from("d0cf11e0a1b11ae1000000", "hex"),
    says: /Excel 97/,
    remedy: /CSV/,
  },
  { what: "gzip twice", file: gzipSync(gzipSync(CSV)), says: /compressed twice/ },
  { what: "gzip that is cut off", file: gzipSync(CSV).subarray(0, 20), says: /damaged or cut off/ },
  { what: "zstd that is damaged", file: Buffer.from("28b52ffd0000ffffff", "hex"), says: /damaged or cut off/ },
  { what: "bzip2", file: Buffer.from("BZh91AY&SY\0\x01", "latin1"), says: /bzip2/, remedy: /Unpack/ },
  { what: "xz", file: Buffer.from("fd377a585a0000", "hex"), says: /xz/, remedy: /Unpack/ },
  { what: "a 7-Zip archive", file: Buffer.from("377abcaf271c0004", "hex"), says: /7-Zip/ },
  {
    what: "a tar archive",
    file: Buffer.concat([Buffer.alloc(257, 0x61), Buffer.from("ustar\0"), Buffer.alloc(249)]),
    says: /tar archive/,
  },
  { what: "a PDF document", file: "%PDF-1.7\n%âãÏÓ\n", says: /a PDF document/ },
  { what: "a SQLite database", file: Buffer.from("SQLite format 3\0\x10\0"), says: /SQLite/, remedy: /sqlite3/ },
  { what: "a Parquet file", file: Buffer.from("PAR1\x15\0\0\xff", "latin1"), says: /Parquet/ },
  { what: "an Avro file", file: Buffer.from("Obj\x01\x04\0", "latin1"), says: /Avro/ },
  { what: "a custom dump of PostgreSQL", file: Buffer.from("PGDMP\x01\x0e\0", "latin1"), says: /dump of PostgreSQL/ },
  { what: "a picture", file: Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"), says: /binary data/ },
  { what: "an HTML page", file: "\n<!DOCTYPE html>\n<html><body>Sign in", says: /an HTML page/ },
  { what: "a calendar", file: "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", says: /a calendar/ },
  {
    what: "a table of Markdown",
    file: "| id | name |\n|---:|:-----|\n| 1 | Ada |\n",
    says: /a table drawn for a screen/,
  },
  { what: "XML", file: '<?xml version="1.0"?>\n<people/>', says: /XML/ },
  { what: "a Rich Text document", file: "{\\rtf1\\ansi people}", says: /Rich Text/ },
  {
    what: "a dump of PostgreSQL",
    file: "--\n-- PostgreSQL database dump\n--\n\n\\restrict 52K7\n\nSET statement_timeout = 0;\n",
    says: /an SQL dump/,
  },
  {
    what: "a dump of MySQL",
    file: "-- MySQL dump 10.13\n/*!40101 SET NAMES utf8 */;\nDROP TABLE IF EXISTS `people`;\n",
    says: /an SQL dump/,
  },
  { what: "statements of SQL", file: "INSERT INTO people VALUES (1,'Ada');\n", says: /an SQL dump/ },
  { what: "YAML", file: "---\n- id: 1\n", says: /YAML/ },
  { what: "Python's notation", file: "[{'id': 1}, {'id': 2}]", says: /Python/ },
  { what: "JavaScript's notation", file: "[{id: 1}, {id: 2}]", says: /JavaScript/ },
  { what: "a module of JavaScript", file: "export default [{ id: 1 }];", says: /JavaScript/ },
  { what: "JSON with comments", file: '// people\n[{"id": 1}]', says: /JSON with comments/ },
  {
    what: "a list of records that is there twice",
    file: '{"users":[{"id":"1"}],"users":[{"id":"2"}]}',
    options: { records: "users" },
    says: /line 1: the same name is in one object twice/,
  },
  {
    what: "something behind an object",
    file: '{"users":[{"id":"1"}]} x',
    options: { records: "users" },
    says: /an object is missing/,
  },
  { what: "a list where a path is said", file: "[]", options: { records: "users" }, says: /an object is missing/ },
  {
    what: "psql's table",
    file: " id | name\n----+------\n  1 | Ada\n",
    says: /drawn for a screen/,
    remedy: /psql --csv/,
  },
  { what: "mysql's table", file: "+----+------+\n| id | name |\n+----+------+\n", says: /drawn for a screen/ },
  {
    what: "an object of several lists that may be meant",
    file: JSON.stringify({ users: PEOPLE, admins: PEOPLE }),
    says: /may be in users, admins/,
    remedy: /--records users/,
  },
  {
    what: "an object that has the id and holds a list that has it",
    file: JSON.stringify({ id: "realm", users: PEOPLE }, null, 2),
    options: { path: "realm.json" },
    says: /may be in users/,
    remedy: /--records users.*--records \./,
  },
  {
    what: "an object whose list has no such id",
    file: JSON.stringify({ users: PEOPLE }),
    options: { idField: ["email"] },
    says: /may be in users/,
    remedy: /--id/,
  },
  {
    what: "a path that leads nowhere",
    file: JSON.stringify({ users: PEOPLE }),
    options: { records: "people" },
    says: /nothing at --records people/,
    remedy: /"users"/,
  },
  { what: "a path that is none", file: "[]", options: { records: "a[].b[].c" }, says: /--records is no path/ },
  { what: "a path in CSV", file: CSV, options: { records: "users" }, says: /a CSV file, and --records is for json/ },
  { what: "a delimiter in NDJSON", file: NDJSON, options: { delimiter: ";" }, says: /--delimiter is for csv/ },
  {
    what: "a JSON list that is said to be NDJSON",
    file: "[\n{}\n]",
    options: { format: "ndjson" },
    says: /JSON and not NDJSON/,
    remedy: /--format json/,
  },
  {
    what: "NDJSON that is said to be CSV",
    file: NDJSON,
    options: { format: "csv" },
    says: /NDJSON.* and not a CSV file/,
  },
  {
    what: "JSON that is cut off",
    file: JSON.stringify(PEOPLE).slice(0, -5),
    says: /Not valid JSON at line 1: it ends in the middle of a value/,
  },
  { what: "JSON with a comma missing", file: '[{"id":1}\n{"id":2}]', says: /line 2: a comma is missing/ },
  { what: "JSON with something behind", file: '[{"id":1}],', says: /a comma too many/ },
  { what: "brackets that do not fit", file: '[{"id":1]', says: /a bracket is closed by one of the other kind/ },
  {
    what: "a backslash that COPY doubled before a quote",
    file: `{"id":"0","a":"b"}\n${JSON.stringify({ id: "1", a: 'say "hi"' }).replaceAll("\\", "\\\\")}\n`,
    options: { format: "ndjson" },
    says: /COPY … TO STDOUT/,
    remedy: /psql -XAtc/,
  },
  {
    what: "backslashes that COPY doubled before line breaks",
    file: `{"id":"0","a":"b"}\n${JSON.stringify({ id: "1", a: "Street 1\nCity", b: "\\" }).replaceAll("\\", "\\\\")}\n`,
    says: /COPY … TO STDOUT/,
    remedy: /--format ndjson/,
  },
];

describe("a file", () => {
  for (const { what, file, options, format, documents = PEOPLE, note } of taken) {
    it(`is taken: ${what}`, async () => {
      for (const chunk of [1, 65_536]) {
        const opened = await openFile(file, options, chunk);
        const records = await collect(opened.records);
        assert.equal(opened.format.name, format);
        assert.deepEqual(
          records.map((record) => (record.kind === "document" ? record.document : record.reason)),
          documents,
        );
        assert.match(opened.notes.join(" "), note ?? /^/);
      }
    });
  }

  for (const { what, file, options, says, remedy } of refused) {
    it(`is refused: ${what}`, async () => {
      for (const chunk of [1, 65_536]) {
        const reading = (async () => collect((await openFile(file, options, chunk)).records))();
        await assert.rejects(reading, (error) => {
          assert.ok(error instanceof CliError, String(error));
          assert.match(error.message, says);
          assert.match(error.remedy, remedy ?? /./);
          return true;
        });
      }
    });
  }

  it("may have paths of Windows and logins in its texts", async () => {
    for (const text of ["C:\\new\\readme", "CORP\\bob", "\\\\server\\notes", "a\\d+"]) {
      const records = await collect((await openFile(`${JSON.stringify({ id: "1", text })}\n{"id":"2"}\n`)).records);
      assert.deepEqual(records[0], { kind: "document", position: 1, document: { id: "1", text } });
    }
  });
});
