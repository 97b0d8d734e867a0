// Whatever a vault takes comes back equal from an export and an import of it: in both formats, from a file and from a
// pipe, however the bytes are cut.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DEFAULT_VAULT_LIMITS, parseDocument } from "@strongroom/vault";
import { CliError } from "../../src/errors.ts";
import type { Document } from "../../src/formats/document.ts";
import { rounds } from "../../../../tests/support/rounds.ts";
import { documentsOf, exported } from "../support/formats.ts";
import { ODD_TEXTS } from "../support/odd-texts.ts";

const RUNS: number = rounds(40, 150);

const odd = fc.oneof(
  fc.constantFrom(...ODD_TEXTS),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.string({ maxLength: 8 }),
);
const number = fc.oneof(
  fc.constantFrom(0, 1e21, 1e-7, 2 ** 53, 5e-324, 1.7976931348623157e308),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const value = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    odd,
    number,
    fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [{}], [null], { "": null }, { a: {} }),
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(odd, tie("json"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).json;

/** Documents as a vault gives them back. */
const document = fc
  .dictionary(odd, value, { maxKeys: 5, noNullPrototype: true })
  .map((one) => parseDocument(Buffer.from(JSON.stringify(one)), DEFAULT_VAULT_LIMITS) as Document);
const documents = fc.array(document, { minLength: 1, maxLength: 5 });

/** What a person says of the file, and how its bytes come. */
const ways = fc.record({ named: fc.boolean(), chunk: fc.constantFrom(1, 3, 64, 65_536) });

/** With `idField` null no member decides what the file is. */
async function comesBack(
  written: readonly Document[],
  format: "ndjson" | "csv",
  { named, chunk }: { readonly named: boolean; readonly chunk: number },
): Promise<void> {
  const path = named ? `people.${format}` : "-";
  const text = await exported(written, format);
  assert.deepStrictEqual(
    await documentsOf(Buffer.from(text, "utf8"), { path, idField: null, format: null }, chunk),
    written,
  );
}

describe("export and import", () => {
  it("are equal in CSV, for any documents", async () => {
    await fc.assert(
      fc.asyncProperty(documents, ways, (written, way) => comesBack(written, "csv", way)),
      { numRuns: RUNS },
    );
  });

  it("are equal in NDJSON, for any documents", async () => {
    await fc.assert(
      fc.asyncProperty(documents, ways, (written, way) => comesBack(written, "ndjson", { ...way, named: true })),
      { numRuns: RUNS },
    );
  });

  it("are equal in NDJSON from a pipe, for documents that have the id", async () => {
    const withId = fc.array(
      document.map((one) => ({ ...one, id: "7" })),
      { minLength: 1, maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(withId, async (written) => {
        assert.deepStrictEqual(await documentsOf(await exported(written, "ndjson")), written);
      }),
    );
  });

  for (const name of ODD_TEXTS) {
    it(`are equal for ${JSON.stringify(name.slice(0, 20))} as a name, a value and inside of both`, async () => {
      const written: Document[] = [
        { [name]: name },
        { id: "1", [name]: { [name]: name } },
        { [name]: [name, { [name]: name }] },
        { [name]: {} },
        { [name]: null, x: name },
        {},
      ].map((one) => JSON.parse(JSON.stringify(one)) as Document);
      await comesBack(written, "csv", { named: true, chunk: 5 });
      await comesBack(written.slice(0, 1), "csv", { named: false, chunk: 65_536 });
      await comesBack(written, "ndjson", { named: true, chunk: 5 });
    });
  }

  it("are equal for a document of the largest size", async () => {
    const large: Document = {
      id: "1",
      ...Object.fromEntries(Array.from({ length: 4000 }, (_, index) => [`k${index}`, '"\n'.repeat(60)])),
    };
    assert.ok(JSON.stringify(large).length > DEFAULT_VAULT_LIMITS.documentBytes * 0.9);
    for (const format of ["csv", "ndjson"] as const)
      await comesBack([large, { id: "2" }], format, { named: true, chunk: 65_536 });
  });

  it("are equal for a document of the largest depth", async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(63)}{"b":1}${"}".repeat(63)}`) as Document;
    for (const format of ["csv", "ndjson"] as const) await comesBack([deep], format, { named: true, chunk: 65_536 });
  });

  const tooWide: readonly (readonly [what: string, documents: readonly Document[], reason: RegExp])[] = [
    [
      "more columns than a table has",
      Array.from({ length: 5 }, (_, row) =>
        Object.fromEntries(Array.from({ length: 4000 }, (__, index) => [`${row}-${index}`, 1])),
      ),
      /^Record r4: it needs more than 16384 columns\.$/,
    ],
    [
      "names that are too long for a heading",
      [{ ok: 1 }, { ["x".repeat(1_040_000)]: 1 }, { ["y".repeat(1_040_000)]: 1 }],
      /^Record r2: its names are too long for a heading\.$/,
    ],
  ];
  for (const [what, written, reason] of tooWide) {
    it(`refuse ${what} in CSV with the record named, before anything is written`, async () => {
      await assert.rejects(exported(written, "csv"), (error) => {
        assert.ok(error instanceof CliError);
        assert.equal(error.code, "export-incomplete");
        assert.match(error.detail ?? "", reason);
        return true;
      });
      await comesBack(written, "ndjson", { named: true, chunk: 65_536 });
    });
  }
});
