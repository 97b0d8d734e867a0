import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CliError } from "../../src/errors.ts";
import { LONGEST_LINE } from "../../src/formats/document.ts";
import { rounds } from "../../../../tests/support/rounds.ts";
import { openFile, readFile } from "../support/formats.ts";

const RUNS: number = rounds(40, 150);
const JSON_FILE = { path: "people.json", format: "json" } as const;

/** Any JSON object, as JSON text keeps it. */
const object = fc
  .dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ stringUnit: "binary" }), { noNullPrototype: true })
  .map((one) => JSON.parse(JSON.stringify(one)) as Record<string, unknown>);

describe("JSON", () => {
  it("is cut into the records that a parser finds, in every layout and however the bytes are cut", async () => {
    const layouts = [
      (all: unknown[], space: number) => ({ text: JSON.stringify(all, null, space), records: null }),
      (all: unknown[], space: number) => ({
        text: all.map((one) => JSON.stringify(one, null, space)).join("\n"),
        records: ".",
      }),
      (all: unknown[], space: number) => ({
        text: JSON.stringify(
          { first: [{ a: 1 }, "]"], "l.1": { no: { "l.1": 3 }, list: all }, list: [1] },
          null,
          space,
        ),
        records: "l\\.1.list",
      }),
      (all: unknown[], space: number) => ({
        text: JSON.stringify([...all.map((resource) => ({ x: "{", resource }))], null, space),
        records: "[].resource",
      }),
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(object, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...layouts),
        fc.constantFrom(0, 1, 3),
        fc.constantFrom(1, 2, 7, 65_536),
        async (all, layout, space, chunk) => {
          const { text, records } = layout(all, space);
          const found = await readFile(text, { ...JSON_FILE, records }, chunk);
          assert.deepEqual(
            found.map((record) => (record.kind === "document" ? record.document : record.reason)),
            all,
          );
        },
      ),
      { numRuns: RUNS },
    );
  });

  const records: readonly (readonly [what: string, text: string, reasons: readonly (string | null)[]])[] = [
    [
      "a name that is there twice",
      '[{"id":"1","phone":"111","phone":"222"},{"id":"2"}]',
      ["the same name is in one object twice, at character 25 (it begins on line 1)", null],
    ],
    [
      "such a name further down",
      '[\n{"id":"1",\n "a":{"b":1,"b":2}}]',
      ["the same name is in one object twice, at its line 2, character 13 (it begins on line 2)"],
    ],
    [
      "values that are no objects",
      '[1,"a",null,[{}],true,{}]',
      [
        "not a JSON object (it begins on line 1)",
        "not a JSON object (it begins on line 1)",
        "not a JSON object (it begins on line 1)",
        "not a JSON object (it begins on line 1)",
        "not a JSON object (it begins on line 1)",
        null,
      ],
    ],
    ["words that are none", '[{"a":secret},{"a":1}]', ["The body is not valid JSON (it begins on line 1)", null]],
    [
      "a record nested 5,000 deep",
      `[{"a":${"[".repeat(5000)}${"]".repeat(5000)}},{"a":1}]`,
      ["nested deeper than 64 levels, at character 69 (it begins on line 1)", null],
    ],
    [
      "a record nested 200,000 deep",
      `[${'{"a":'.repeat(200_000)}1${"}".repeat(200_000)},{"a":1}]`,
      ["nested deeper than 64 levels, at character 321 (it begins on line 1)", null],
    ],
    [
      "a number that a double cannot hold",
      '[{"n":12345678901234567890},{"n":1}]',
      [
        "The document has a number that would come back changed (more digits or a larger exponent than a double holds); send it as a string: n (it begins on line 1)",
        null,
      ],
    ],
    ["nothing", "[]", []],
  ];
  for (const [what, text, reasons] of records) {
    it(`with ${what} loses no other record`, async () => {
      const found = await readFile(text, JSON_FILE);
      assert.deepEqual(
        found.map((record) => (record.kind === "document" ? null : record.reason)),
        reasons,
      );
      assert.deepEqual(
        found.map(({ position }) => position),
        found.map((_, index) => index + 1),
      );
    });
  }

  it("gives the records before the place where it breaks", async () => {
    const { records: reading } = await openFile('[{"id":"1"},{"id":"2"} {"id":"3"}]', JSON_FILE);
    const seen: unknown[] = [];
    await assert.rejects(
      async () => {
        for await (const record of reading) seen.push(record.kind === "document" ? record.document : record.reason);
      },
      (error) => error instanceof CliError && error.message.includes("line 1: a comma is missing"),
    );
    assert.deepEqual(seen, [{ id: "1" }, { id: "2" }]);
  });

  const hostile: readonly (readonly [
    what: string,
    before: string,
    repeated: string,
    after: string,
    reasons: number,
  ])[] = [
    ["one record of a gigabyte", '[{"a":"', "x", '"},{"id":"2"}]', 1],
    ["a name of a gigabyte outside of the records", '{"', "x", '":1,"users":[{"id":"2"}]}', 0],
    ["a gigabyte beside the records", '{"other":["', "x", '"],"users":[{"id":"2"}]}', 0],
    ["a gigabyte of brackets", "[", "[", ",", -1],
    ["a gigabyte of blanks", "[", " ", '{"id":"2"}]', 0],
  ];
  for (const [what, before, repeated, after, bad] of hostile) {
    it(`holds no more than one record of ${what}`, async () => {
      // 24 MB here: more than a record would show.
      const block = Buffer.alloc(1024 * 1024, repeated);
      const chunks = async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from(before);
        for (let written = 0; written < 24; written++) yield block;
        yield Buffer.from(after);
      };
      const idle = process.memoryUsage().arrayBuffers;
      let most = 0;
      const watched = async function* (): AsyncGenerator<Uint8Array> {
        for await (const chunk of chunks()) {
          most = Math.max(most, process.memoryUsage().arrayBuffers - idle);
          yield chunk;
        }
      };
      const reading = readFile(watched(), { ...JSON_FILE, records: before.startsWith("{") ? "users" : null });
      if (bad === -1) await assert.rejects(reading, /Not valid JSON/);
      else {
        const found = await reading;
        assert.deepEqual(found.at(-1), { kind: "document", position: found.length, document: { id: "2" } });
        assert.equal(found.length, bad + 1);
        if (bad === 1) assert.match(JSON.stringify(found[0]), new RegExp(`longer than ${LONGEST_LINE} bytes`));
      }
      assert.ok(most < 16 * 1024 * 1024, `${most} bytes were held`);
    });
  }
});
