import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CliError } from "../../src/errors.ts";
import { heading, parseHeading } from "../../src/formats/columns.ts";
import { csvHeading, csvRow } from "../../src/formats/csv.ts";
import { documentsOf, exported, openFile, readFile } from "../support/formats.ts";
import { ODD_TEXTS } from "../support/odd-texts.ts";

const FILE = { path: "people.csv" } as const;
const name = fc.oneof(fc.constantFrom(...ODD_TEXTS), fc.string({ unit: "binary", maxLength: 6 }));

describe("a heading", () => {
  it("is read as it was written, whatever its names hold", () => {
    fc.assert(
      fc.property(
        fc.array(name, { minLength: 1, maxLength: 4 }),
        fc.constantFrom("text", "number", "boolean", "json"),
        fc.constantFrom("literal", "nested"),
        (path, kind, bare) => {
          const text = heading({ path, kind });
          // A bare heading says nothing of dots, so that only --nest may read it otherwise.
          fc.pre(bare === "literal" || text.endsWith(`:${kind}`));
          assert.deepEqual(parseHeading(text, bare), { path, kind });
          assert.ok(text.isWellFormed());
        },
      ),
    );
  });

  const headings: readonly (readonly [text: string, literal: unknown, nested: unknown])[] = [
    ["name", ["name"], ["name"]],
    ["Geb.datum", ["Geb.datum"], ["Geb", "datum"]],
    ["Str.", ["Str."], ["Str", ""]],
    ["a\\.b", ["a\\.b"], ["a.b"]],
    ["a.b:text", ["a", "b"], ["a", "b"]],
    ["a\\.b:text", ["a.b"], ["a.b"]],
    [":text", [""], [""]],
    [".:text", ["", ""], ["", ""]],
    ["a\\:text", ["a\\:text"], ["a:text"]],
    ["a:Text", ["a:Text"], ["a:Text"]],
    ["\\ud800:text", ["\ud800"], ["\ud800"]],
    ["\\\\ud800:text", ["\\ud800"], ["\\ud800"]],
  ];
  for (const [text, literal, nested] of headings) {
    it(`${JSON.stringify(text)} is ${JSON.stringify(literal)}, and with --nest ${JSON.stringify(nested)}`, () => {
      assert.deepEqual(parseHeading(text, "literal")?.path, literal);
      assert.deepEqual(parseHeading(text, "nested")?.path, nested);
    });
  }

  it("that Strongroom writes nests and says so, and nothing else does", async () => {
    const document = { id: "1", address: { city: "London" }, "Geb.datum": "1815", age: 36 };
    assert.equal(await exported([document], "csv"), "id,address.city:text,Geb.datum,age:number\n1,London,1815,36\n");
  });
});

describe("a CSV file of another program", () => {
  const files: readonly (readonly [what: string, file: string, documents: unknown])[] = [
    [
      "dots in headings",
      "id,Geb.datum,Str.\n1,1.1.70,Am Ring\n",
      [{ id: "1", "Geb.datum": "1.1.70", "Str.": "Am Ring" }],
    ],
    ["headings that differ by a dot", "id,Tel,Tel.\n1,2,3\n", [{ id: "1", Tel: "2", "Tel.": "3" }]],
    [
      "a comma behind the heading",
      "id,name,\n1,Ada,\n2,Zoë\n",
      [
        { id: "1", name: "Ada" },
        { id: "2", name: "Zoë" },
      ],
    ],
    [
      "a comma behind the rows",
      "id,name\n1,Ada,\n2,Zoë,,\n",
      [
        { id: "1", name: "Ada" },
        { id: "2", name: "Zoë" },
      ],
    ],
    ["an empty column in the middle", "id,,name\n1,,Ada\n", [{ id: "1", name: "Ada" }]],
    [
      "cells that look like something else",
      "id,a,b,c,d\n01,TRUE,1.0,=1+1,{}\n",
      [{ id: "01", a: "TRUE", b: "1.0", c: "=1+1", d: "{}" }],
    ],
    ["empty cells and empty texts", 'id,a,b\n1,,""\n', [{ id: "1", b: "" }]],
    ["blank lines before the heading", "\n\r\nid,a\n1,x\n", [{ id: "1", a: "x" }]],
    ["Excel's line and the line ends of old Macs", "sep=;\rid;a\r1;x\r", [{ id: "1", a: "x" }]],
    ["line breaks in cells", 'id,a\n1,"x\ny\r\nz\rw"\n', [{ id: "1", a: "x\ny\r\nz\rw" }]],
    [
      "names of a prototype",
      "id,__proto__,constructor\n1,x,y\n",
      [
        Object.fromEntries([
          ["id", "1"],
          ["__proto__", "x"],
          ["constructor", "y"],
        ]),
      ],
    ],
  ];
  for (const [what, file, documents] of files) {
    it(`may have ${what}`, async () => {
      assert.deepStrictEqual(await documentsOf(file, FILE, 7), documents);
      assert.equal(({} as Record<string, unknown>)["x"], undefined);
    });
  }

  it("nests its headings where that is asked for", async () => {
    assert.deepEqual(await documentsOf("id,address.city\n1,London\n", { ...FILE, headings: "nested" }), [
      { id: "1", address: { city: "London" } },
    ]);
  });

  it("has its rows that do not fit told by line, without their content, and the others taken", async () => {
    const lines = await readFile("id,n:number\n1,2\n2,secret\n3\n4,5,6\n\n5,6\n", FILE, 7);
    assert.deepEqual(lines, [
      { kind: "document", position: 2, document: { id: "1", n: 2 } },
      { kind: "bad", position: 3, reason: "column 2 does not hold what its heading says" },
      { kind: "bad", position: 4, reason: "1 cells, but the heading has 2" },
      { kind: "bad", position: 5, reason: "3 cells, but the heading has 2" },
      { kind: "document", position: 7, document: { id: "5", n: 6 } },
    ]);
  });

  it("has a row named by the line on which it begins, whatever ends a line", async () => {
    for (const end of ["\n", "\r", "\r\n"]) {
      const lines = await readFile(["id,a", '1,"x', 'y"', "", "2", "3,z", "4"].join(end), FILE, 7);
      assert.deepEqual(
        lines.map(({ position, kind }) => `${position} ${kind}`),
        ["2 document", "5 bad", "6 document", "7 bad"],
        JSON.stringify(end),
      );
    }
  });

  it("has a row named by its line behind Excel's line, too", async () => {
    const lines = await readFile("sep=;\r\nid;a\r\n1;x\r\n2\r\n", FILE, 7);
    assert.deepEqual(
      lines.map(({ position, kind }) => `${position} ${kind}`),
      ["3 document", "4 bad"],
    );
    const behindBlank = await readFile("\n\nid,a\n1,x\n2\n", FILE, 7);
    assert.deepEqual(
      behindBlank.map(({ position, kind }) => `${position} ${kind}`),
      ["4 document", "5 bad"],
    );
  });

  it("has a member that is there twice in a cell of JSON told by its row", async () => {
    const [record] = await readFile('id,a:json\n1,"{""b"":1,""b"":2}"\n', FILE);
    assert.deepEqual(record, { kind: "bad", position: 2, reason: "column 2 does not hold what its heading says" });
  });

  it("gives its columns", async () => {
    const { columns } = await openFile("id,Geb.datum,,a.b:text\n", FILE);
    assert.deepEqual(columns, [
      { heading: "id", field: ["id"] },
      { heading: "Geb.datum", field: ["Geb.datum"] },
      { heading: "a.b:text", field: ["a", "b"] },
    ]);
  });

  const broken: readonly (readonly [what: string, file: string | Uint8Array, says: RegExp])[] = [
    ["a quote that is never closed", 'id,name\n1,"secret\n2,b\n', /a quote is opened and never closed/],
    ["a stray quote", 'id,name\n1,sec"ret\n', /at line 2: a quote stands inside of a cell/],
    ["a heading that is there twice", "id,Tel,Tel\n1,2,3\n", /Columns 2 and 3 have the same heading, "Tel"\./],
    ["two headings of one field", "id,a.b:text,a.b:json\n1,2,3\n", /Columns 2 and 3 have the same heading/],
    ["a filled column without a heading", ",id\n0,1\n", /Column 1 has no heading, and its cells are not empty/],
    [
      "200,000 dots in a heading with a kind",
      `id,${".".repeat(200_000)}:text\n1,2\n`,
      /The heading of column 2 goes deeper than 64 levels/,
    ],
    [
      "more columns than a table has",
      `id,${"a,".repeat(1_000_000)}b\n1\n`,
      /The heading has 1000002 columns; at most 16384/,
    ],
    ["a row that never ends", Buffer.alloc(9 * 1024 * 1024, "x"), /A row of the CSV file is longer than 8388608 bytes/],
    [
      "bytes behind the sample that are no UTF-8",
      Buffer.concat([Buffer.from(`id,name\n${"1,a\n".repeat(70_000)}`), Buffer.from("2,Zo\xeb\n", "latin1")]),
      /not utf-8 to its end/,
    ],
  ];
  for (const [what, file, says] of broken) {
    it(`is refused for ${what}, without quoting its cells`, async () => {
      await assert.rejects(readFile(file, FILE, 70_001), (error) => {
        assert.ok(error instanceof CliError, String(error));
        assert.match(error.message, says);
        assert.doesNotMatch(`${error.message}${error.remedy}`, /secret|ret\b/);
        return true;
      });
    });
  }

  it("may have 200,000 dots in a heading, which are a name, and a row of a million commas", async () => {
    const dots = ".".repeat(200_000);
    const lines = await readFile(`id,${dots}\n1,2\n2${",".repeat(1_000_000)}x\n3,4\n`, FILE);
    assert.deepEqual(lines, [
      { kind: "document", position: 2, document: { id: "1", [dots]: "2" } },
      { kind: "bad", position: 3, reason: "1000001 cells, but the heading has 2" },
      { kind: "document", position: 4, document: { id: "3", [dots]: "4" } },
    ]);
  });
});

describe("a CSV row", () => {
  it("has its formulas escaped where that is asked for", () => {
    const columns = [
      { path: ["a"], kind: "text" as const },
      { path: ["b"], kind: "text" as const },
    ];
    assert.equal(csvRow({ a: "=HYPERLINK(1)", b: "" }, columns, { formulas: "escape" }), '\'=HYPERLINK(1),""\n');
    assert.equal(csvRow({ a: "=HYPERLINK(1)" }, columns, { formulas: "keep" }), "=HYPERLINK(1),\n");
  });

  it("has the names of its heading escaped as well, and no number", () => {
    const columns = [
      { path: ["=HYPERLINK(1)"], kind: "text" as const },
      { path: ["b"], kind: "number" as const },
      { path: ["c"], kind: "json" as const },
    ];
    const document = { "=HYPERLINK(1)": "-a", b: -1.5e-7, c: -2 };
    assert.equal(csvHeading(columns, { formulas: "escape" }), `"'=HYPERLINK(1)",b:number,c:json\n`);
    assert.equal(csvHeading(columns, { formulas: "keep" }), '"=HYPERLINK(1)",b:number,c:json\n');
    assert.equal(csvRow(document, columns, { formulas: "escape" }), "'-a,-1.5e-7,-2\n");
  });
});
