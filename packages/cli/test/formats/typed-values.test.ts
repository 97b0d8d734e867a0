import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Document } from "../../src/formats/document.ts";
import type { TypedValues } from "../../src/formats/typed-value-names.ts";
import { looksTyped, unwrapDocument } from "../../src/formats/typed-values.ts";

interface Case {
  readonly typed: unknown;
  readonly plain: unknown;
}

const VALUES: Readonly<Record<TypedValues, readonly Case[]>> = {
  dynamodb: [
    { typed: { S: "x" }, plain: "x" },
    { typed: { S: "" }, plain: "" },
    { typed: { N: "36" }, plain: 36 },
    { typed: { N: "-1.5E-7" }, plain: -1.5e-7 },
    { typed: { N: "12345678901234567890123456789012345678" }, plain: "12345678901234567890123456789012345678" },
    { typed: { N: "0.1234567890123456789" }, plain: "0.1234567890123456789" },
    { typed: { N: "007" }, plain: "007" },
    { typed: { N: "1E+2" }, plain: 100 },
    { typed: { BOOL: false }, plain: false },
    { typed: { NULL: true }, plain: null },
    { typed: { B: "QUJD" }, plain: "QUJD" },
    { typed: { SS: ["a", "b"] }, plain: ["a", "b"] },
    { typed: { NS: ["1", "9007199254740993"] }, plain: [1, "9007199254740993"] },
    { typed: { BS: ["QQ=="] }, plain: ["QQ=="] },
    { typed: { L: [{ S: "a" }, { L: [] }, { M: {} }] }, plain: ["a", [], {}] },
    { typed: { M: { S: { S: "a" }, N: { N: "1" } } }, plain: { S: "a", N: 1 } },
  ],
  mongodb: [
    { typed: { $oid: "5f1e" }, plain: "5f1e" },
    { typed: { $date: "2020-01-02T03:04:05Z" }, plain: "2020-01-02T03:04:05.000Z" },
    { typed: { $date: { $numberLong: "-62135596800000" } }, plain: "0001-01-01T00:00:00.000Z" },
    { typed: { $date: "2020-02-29T23:00:00.5-0130" }, plain: "2020-03-01T00:30:00.500Z" },
    { typed: { $date: "2020-02-29" }, plain: "2020-02-29T00:00:00.000Z" },
    { typed: { $date: { $numberLong: "253402300800000" } }, plain: "+010000-01-01T00:00:00.000Z" },
    { typed: { $date: 0 }, plain: "1970-01-01T00:00:00.000Z" },
    { typed: { $numberInt: "7" }, plain: 7 },
    { typed: { $numberLong: "9007199254740993" }, plain: "9007199254740993" },
    { typed: { $numberDouble: "1.5" }, plain: 1.5 },
    { typed: { $numberDouble: "NaN" }, plain: "NaN" },
    { typed: { $numberDouble: "-Infinity" }, plain: "-Infinity" },
    { typed: { $numberDecimal: "1E+6144" }, plain: "1E+6144" },
    { typed: { $numberDecimal: "12.50" }, plain: 12.5 },
    { typed: { $numberDecimal: "1234567890.12345678901234567890" }, plain: "1234567890.12345678901234567890" },
    { typed: { $binary: { base64: "QUJD", subType: "00" } }, plain: "QUJD" },
    { typed: { $binary: "QUJD", $type: "00" }, plain: "QUJD" },
    {
      typed: { $binary: { base64: "AAECAwQFBgcICQoLDA0ODw==", subType: "04" } },
      plain: "00010203-0405-0607-0809-0a0b0c0d0e0f",
    },
    { typed: { $uuid: "0001" }, plain: "0001" },
    { typed: { $timestamp: { t: 1, i: 2 } }, plain: { t: 1, i: 2 } },
    { typed: { $ref: "people", $id: { $oid: "5f" } }, plain: { collection: "people", id: "5f" } },
    { typed: { a: [{ $oid: "1" }, 2, null, true] }, plain: { a: ["1", 2, null, true] } },
    { typed: { price: { cents$: 1 } }, plain: { price: { cents$: 1 } } },
  ],
};

describe("typed values", () => {
  for (const [from, cases] of Object.entries(VALUES) as [TypedValues, readonly Case[]][])
    it(`of ${from} are taken out of their wrapping`, () => {
      for (const { typed, plain } of cases)
        assert.deepEqual(unwrapDocument({ id: text(from), v: typed, w: { ...wrapped(from, typed) } }, from), {
          id: "1",
          v: plain,
          w: { inner: plain },
        });
    });

  it("of DynamoDB come in the lines of a full export, of an incremental one, and bare", () => {
    const item = { id: { S: "1" } };
    for (const line of [{ Item: item }, { Metadata: {}, Keys: item, NewImage: item, OldImage: {} }, item])
      assert.deepEqual(unwrapDocument(line, "dynamodb"), { id: "1" });
    assert.deepEqual(unwrapDocument({ Item: { S: "1" } }, "dynamodb"), { Item: "1" });
    assert.throws(() => unwrapDocument({ Keys: item, OldImage: item }, "dynamodb"), /is the removal of an item/);
  });

  it("that are none are refused with their field, never stored as they stand", () => {
    const refused: readonly (readonly [TypedValues, Document, string])[] = [
      ["dynamodb", { a: { M: { "b.c": { Q: "secret" } } } }, "a.b\\.c"],
      ["dynamodb", { a: "secret" }, "a"],
      ["dynamodb", { a: { N: 5 } }, "a"],
      ["dynamodb", { a: { S: "x", N: "1" } }, "a"],
      ["dynamodb", { a: { L: [{ S: "x" }, { S: null }] } }, "a.1"],
      ["dynamodb", { a: { constructor: "x" } }, "a"],
      ...["", "secret", "[1]", '{"b":1}', "1e", "0x10", " 1"].map((N) => ["dynamodb", { a: { N } }, "a"] as const),
      ["dynamodb", { a: { NS: ["1", "secret"] } }, "a"],
      ["dynamodb", { a: { B: "no base64" } }, "a"],
      ["dynamodb", { a: { BS: ["QQ==", "QQ"] } }, "a"],
      ["dynamodb", { a: { NULL: "secret" } }, "a"],
      ...["$numberInt", "$numberLong", "$numberDouble", "$numberDecimal"].map(
        (type) => ["mongodb", { a: { [type]: "secret" } }, "a"] as const,
      ),
      ["mongodb", { a: { $numberLong: "NaN" } }, "a"],
      ["mongodb", { a: { $numberInt: "1.5" } }, "a"],
      ["mongodb", { a: { $binary: { base64: "no base64", subType: "00" } } }, "a"],
      // Each of these is a moment to JavaScript, of another day or of this machine's zone.
      ...[
        "2020-02-30T00:00:00Z",
        "2023-02-29",
        "2020-01-02T03:04:05",
        "2020-01-02T03:04:05.1234Z",
        "01/02/2020",
        "12",
        1.5,
      ].map(($date) => ["mongodb", { a: { $date } }, "a"] as const),
      ...["", " ", "12abc", "0x10", "1e3"].map(
        ($numberLong) => ["mongodb", { a: { $date: { $numberLong } } }, "a"] as const,
      ),
      ["mongodb", { a: { $minKey: 1 } }, "a"],
      ["mongodb", { a: { b: [{ $numberLong: 5 }] } }, "a.b.0"],
      ["mongodb", { a: { $date: "yesterday" } }, "a"],
      ["mongodb", { a: { $oid: "x", more: 1 } }, "a"],
      ["mongodb", { a: { $function: "x" } }, "a"],
    ];
    for (const [from, document, field] of refused)
      assert.throws(
        () => unwrapDocument(document, from),
        (error: unknown) =>
          error instanceof RangeError &&
          error.message.startsWith(`${field} is not`) &&
          !error.message.includes("secret"),
        JSON.stringify(document),
      );
  });

  it("are known by their looks, for a hint", () => {
    assert.equal(looksTyped({ Item: { id: { S: "1" } } }), "dynamodb");
    assert.equal(looksTyped({ id: { S: "1" }, n: { N: "1" } }), "dynamodb");
    assert.equal(looksTyped({ _id: { $oid: "1" }, name: "x" }), "mongodb");
    assert.equal(looksTyped({ id: "1", size: { S: "1" } }), null);
    assert.equal(looksTyped({}), null);
  });
});

function text(from: TypedValues): unknown {
  return from === "dynamodb" ? { S: "1" } : "1";
}

function wrapped(from: TypedValues, typed: unknown): object {
  return from === "dynamodb" ? { M: { inner: typed } } : { inner: typed };
}
