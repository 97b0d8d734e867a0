import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { collect } from "../support/collect.ts";
import { CliError } from "../../src/errors.ts";
import { ColumnCollector, heading, parseHeading } from "../../src/formats/columns.ts";
import { csvHeading, csvRow } from "../../src/formats/csv.ts";
import type { Document } from "../../src/formats/document.ts";
import type { SourceRecord } from "../../src/formats/format.ts";
import { AS_IT_LOOKS, openRecords } from "../../src/formats/open.ts";

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function read(text: string | Uint8Array, chunk = 7): Promise<SourceRecord[]> {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  return collect(
    (await openRecords(chunked(bytes, chunk), { ...AS_IT_LOOKS, path: "people.csv", idField: null })).records,
  );
}

async function documentsOf(text: string): Promise<Document[]> {
  return (await read(text)).map((line) =>
    line.kind === "document" ? line.document : assert.fail(`line ${line.position}: ${line.reason}`),
  );
}

function write(documents: readonly Document[], formulas: "keep" | "escape" = "keep"): string {
  const collector = new ColumnCollector();
  for (const document of documents) collector.add(document);
  const columns = collector.columns();
  return csvHeading(columns) + documents.map((document) => csvRow(document, columns, { formulas })).join("");
}

/** JSON objects as a vault stores them; names and texts chosen to be awkward. */
const awkward = fc.oneof(
  fc.constantFrom(
    "a",
    "a.b",
    "a:number",
    "x\\",
    "\\.",
    ":json",
    "__proto__",
    "toString",
    '"',
    ",",
    "\n",
    "ß🦊",
    "=1+1",
    " ",
  ),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }),
);
const value = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, true, false, "", 0, -1, 1.5, 1e21),
    awkward,
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(awkward, tie("json"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).json;
const document = fc
  .dictionary(awkward, value, { minKeys: 1, maxKeys: 4, noNullPrototype: true })
  .map((one) => JSON.parse(JSON.stringify(one)) as Document);

describe("CSV", () => {
  it("gives back every document equal to what was written", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(document, { minLength: 1, maxLength: 5 }), async (documents) => {
        assert.deepEqual(await documentsOf(write(documents)), documents);
      }),
      { numRuns: 300 },
    );
  });

  it("reads every heading that it writes", () => {
    fc.assert(
      fc.property(
        fc.array(awkward, { minLength: 1, maxLength: 4 }),
        fc.constantFrom("text", "number", "boolean", "json"),
        (path, kind) => {
          assert.deepEqual(parseHeading(heading({ path, kind })), { path, kind });
        },
      ),
    );
  });

  it("takes the cells of a foreign file as text, and empty cells as absent", async () => {
    assert.deepEqual(await documentsOf('\uFEFFid,name,zip,address.city\r\n1,Ada,02139,London\r\n2,,"",\r\n'), [
      { id: "1", name: "Ada", zip: "02139", address: { city: "London" } },
      { id: "2", zip: "" },
    ]);
  });

  it("keeps names that belong to a prototype as plain members", async () => {
    const [one] = await documentsOf("__proto__.polluted,constructor\nyes,c\n");
    assert.deepEqual(Object.keys(one ?? {}), ["__proto__", "constructor"]);
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  });

  it("reports rows that do not fit by line, without their content", async () => {
    const lines = await read("id,n:number\n1,2\n2,secret\n3\n4,5,6\n\n5,6\n");
    assert.deepEqual(lines, [
      { kind: "document", position: 2, document: { id: "1", n: 2 } },
      { kind: "bad", position: 3, reason: "column 2 does not hold what its heading says" },
      { kind: "bad", position: 4, reason: "1 cells, but the heading has 2" },
      { kind: "bad", position: 5, reason: "3 cells, but the heading has 2" },
      { kind: "document", position: 7, document: { id: "5", n: 6 } },
    ]);
  });

  const broken: readonly { readonly what: string; readonly text: string | Uint8Array; readonly says: RegExp }[] = [
    {
      what: "a quote that is never closed",
      text: 'id,name\n1,"secret\n2,b\n',
      says: /a quote is opened and never closed/,
    },
    { what: "a stray quote", text: 'id,name\n1,sec"ret\n', says: /at line 2: a quote stands inside of a cell/ },
    {
      what: "a heading that is there twice",
      text: "id,id\n1,2\n",
      says: /heading of column 2 names the same value as column 1/,
    },
    { what: "a heading without a name", text: "id,\n1,2\n", says: /heading of column 2 has no name/ },
    { what: "bytes that are no UTF-8", text: Buffer.from("id,name\n1,Zo\xeb\n", "latin1"), says: /not UTF-8/ },
  ];
  for (const { what, text, says } of broken) {
    it(`refuses ${what}, without quoting the file`, async () => {
      await assert.rejects(read(text), (error) => {
        assert.ok(error instanceof CliError);
        assert.match(error.message, says);
        assert.doesNotMatch(`${error.message}${error.remedy}`, /secret|ret\b/);
        return true;
      });
    });
  }

  it("escapes formulas where that is asked for", () => {
    assert.match(write([{ a: "=HYPERLINK(1)" }], "escape"), /'=HYPERLINK/);
    assert.doesNotMatch(write([{ a: "=HYPERLINK(1)" }]), /'=/);
  });
});
