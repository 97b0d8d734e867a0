import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DEFAULT_VAULT_LIMITS, parseDocument, parseJson } from "@strongroom/vault";
import type { JsonObject } from "@strongroom/vault";
import { decodeDocument, encodeDocument } from "../../src/records/document.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";
import { testVault } from "../support/vault.ts";

const limits = DEFAULT_VAULT_LIMITS;
const utf8 = (text: string): Buffer => Buffer.from(text, "utf8");

test("every JSON object comes back equal", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ stringUnit: "binary", maxDepth: 6 })),
      (value) => {
        const document = JSON.parse(JSON.stringify(value)) as JsonObject;
        const bytes = encodeDocument(document, limits, null);
        assert.deepEqual(decodeDocument(bytes), document);
        assert.deepEqual(parseDocument(bytes, limits), document);
      },
    ),
  );
});

test("a key named __proto__ is a key: it comes back, and sets no prototype", async (t) => {
  const { vault } = await testVault(t);
  const text = '{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}},"toString":"s"}';
  await vault.put({ collection: "people", id: "a" }, parseDocument(utf8(text), limits));
  const { document } = await vault.get({ collection: "people", id: "a" });
  assert.equal(JSON.stringify(document), text);
  assert.equal(Object.getPrototypeOf(document), Object.prototype);
  assert.equal((document as Record<string, unknown>)["admin"], undefined);
  assert.equal(({} as Record<string, unknown>)["admin"], undefined);
});

const NOT_DOCUMENTS: readonly (readonly [name: string, text: string | Buffer, says: RegExp])[] = [
  ["nothing", "", /not valid JSON/],
  ["half an object", '{"a":', /not valid JSON/],
  ["single quotes", "{'a':1}", /not valid JSON near character 1$/],
  ["a trailing comma", '{"a":1,}', /not valid JSON/],
  ["two objects", "{}{}", /not valid JSON/],
  ["NaN", '{"a":NaN}', /not valid JSON/],
  ["an array", "[]", /one JSON object/],
  ["a string", '"a"', /one JSON object/],
  ["null", "null", /one JSON object/],
  ["Latin-1", Buffer.from('{"a":"\xe9"}', "latin1"), /not UTF-8/],
  ["an overlong form", Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]), /not UTF-8/],
  ["a surrogate in UTF-8", Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]), /not UTF-8/],
  ["too deep", `${'{"a":'.repeat(65)}1${"}".repeat(65)}`, /deeper than 64/],
  ["much too deep", `{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`, /deeper than 64/],
  ["a key twice", '{"a":{"b":1,"b":2}}', /twice.*near byte 12/],
  ["a number beyond a double", '{"a":12345678901234567890}', /come back changed/],
  ["an exponent beyond a double", '{"a":1e999}', /come back changed/],
  ["too many digits", '{"a":[0.1234567890123456789]}', /come back changed/],
];

for (const [name, text, says] of NOT_DOCUMENTS) {
  test(`a body is refused: ${name}`, () => {
    const error = throwsWith("document-invalid", () => parseDocument(Buffer.from(text as string), limits));
    assert.match(error.message, says);
    assert.equal(error.cause, undefined, "the engine's error quotes the input");
  });
}

test("no error repeats the document", () => {
  for (const text of ['{"name":"Ada Lovelace" x', '{"Ada Lovelace":1e999}', "Ada Lovelace", '["Ada Lovelace"]']) {
    const error = throwsWith("document-invalid", () => parseDocument(utf8(text), limits));
    assert.doesNotMatch(`${error.message}${error.stack ?? ""}`, /Ada|Lovelace/);
  }
});

test("the size limit is on the bytes, not the characters", () => {
  const text = JSON.stringify({ a: "é".repeat(50) });
  const size = Buffer.byteLength(text);
  assert.ok(parseDocument(utf8(text), { ...limits, documentBytes: size }));
  throwsWith("document-too-large", () => parseDocument(utf8(text), { ...limits, documentBytes: size - 1 }));
  throwsWith("document-too-large", () =>
    encodeDocument(JSON.parse(text) as JsonObject, { ...limits, documentBytes: size - 1 }, null),
  );
});

test("a document of 1 MiB is taken and comes back; one byte more is refused", async (t) => {
  const { vault } = await testVault(t);
  const address = { collection: "people", id: "a" };
  const document = { a: "x".repeat(limits.documentBytes - '{"a":""}'.length) };
  await vault.put(address, document);
  assert.deepEqual((await vault.get(address)).document, document);
  await rejectsWith("document-too-large", () => vault.put(address, { a: `${document.a}x` }));
  assert.equal((await vault.get(address)).version, 1);
});

test("values that JSON would change in silence are refused", async (t) => {
  const { vault } = await testVault(t);
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const hole: unknown[] = [];
  hole.length = 2;
  const values: readonly (readonly [unknown, RegExp])[] = [
    [{ a: undefined }, /undefined/],
    [{ a: [undefined] }, /undefined/],
    [{ a: hole }, /undefined/],
    [{ a: Number.NaN }, /NaN/],
    [{ a: -Infinity }, /infinite/],
    [{ a: 1n }, /BigInt/],
    [{ a: () => 1 }, /function/],
    [{ a: Symbol("s") }, /symbol/],
    [{ a: new Date() }, /class/],
    [{ a: new Map() }, /class/],
    [{ a: Buffer.from("x") }, /class/],
    [circular, /contains itself/],
    [[], /one JSON object/],
    [null, /one JSON object/],
    ["a", /one JSON object/],
  ];
  for (const [value, says] of values) {
    assert.match(
      (await rejectsWith("document-invalid", () => vault.put({ collection: "people", id: "a" }, value as never)))
        .message,
      says,
    );
  }
  await rejectsWith("collection-absent", () => vault.list("people"));
});

test("numbers that a double holds are taken, however they are written", () => {
  for (const literal of [
    "0",
    "-0",
    "1.0",
    "1e3",
    "1E+3",
    "100e-2",
    "0.1",
    "0.30000000000000004",
    "9007199254740992",
    "1e21",
    "5e-324",
    "1.7976931348623157e308",
    "1.500000000000000000000",
    "0.000e999",
  ]) {
    assert.equal((parseJson(utf8(`{"a":${literal}}`)) as { a: number }).a, Number(literal), literal);
  }
});

test("every double comes back from its own text, and most of its neighbours in decimal do not", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.equal((parseJson(utf8(`[${JSON.stringify(value)}]`)) as number[])[0], value + 0);
    }),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 69n }), (value) => {
      const taken = (() => {
        try {
          return (parseJson(utf8(`[${value}]`)) as number[])[0];
        } catch {
          return null;
        }
      })();
      // Taken exactly when what is printed again has the same value.
      assert.equal(taken !== null, BigInt(JSON.stringify(Number(value))) === value);
    }),
  );
});

test("numbers are found wherever they are, and nothing inside a string is taken for one", () => {
  const beyond = "12345678901234567890";
  for (const text of [
    `[${beyond}]`,
    `{"a":[true,false,null,${beyond}]}`,
    `["\\\"",${beyond}]`,
    `{"e":1e2,"b":-${beyond}}`,
    `[1,${beyond},2]`,
  ]) {
    throwsWith("document-invalid", () => parseJson(utf8(text)));
  }
  for (const text of [
    `["${beyond}"]`,
    `{"${beyond}":1}`,
    `["\\\"${beyond}"]`,
    `["\\\\",1e2,"${beyond}"]`,
    `[true,false,1e2]`,
  ])
    assert.ok(parseJson(utf8(text)));
});

test("no depth of nesting ends the stack, with or without a number worth a second look", () => {
  const levels = 300_000;
  throwsWith("document-invalid", () =>
    parseDocument(utf8(`{"a":${"[".repeat(levels)}1e3${"]".repeat(levels)}}`), limits),
  );
  throwsWith("document-invalid", () =>
    parseDocument(utf8(`${'{"a":'.repeat(levels / 2)}1e3${"}".repeat(levels / 2)}`), {
      ...limits,
      documentBytes: 4 * limits.documentBytes,
    }),
  );
});

test("a long run of digits costs no time out of proportion", () => {
  const digits = `1${"0".repeat(500_000)}1`;
  throwsWith("document-invalid", () => parseJson(utf8(`{"a":${digits}}`)));
  throwsWith("document-invalid", () => parseJson(utf8(`{"a":1e${"9".repeat(500_000)}}`)));
});
