/**
 * Documents against the schemas of four libraries: what fits is stored as the schema gives it back, what does not is
 * refused field by field, and nothing of a value is told.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isVaultError } from "@strongroom/vault";
import type { JsonObject, SchemaInput, Vault, VaultError } from "@strongroom/vault";
import { memoryKeyStore } from "@strongroom/vault/memory";
import { type } from "arktype";
import * as valibot from "valibot";
import * as zod from "zod";
import type { defer } from "../../../../tests/support/defer.ts";
import { fieldOf } from "../../src/collections/field-path.ts";
import { rejectsWith } from "../support/errors.ts";
import { testVault } from "../support/vault.ts";

const LIBRARIES: Readonly<Record<string, SchemaInput>> = {
  zod: zod.strictObject({
    email: zod.email(),
    age: zod.int().min(0).optional(),
    address: zod.object({ lines: zod.array(zod.string().max(10)) }).optional(),
  }),
  valibot: valibot.strictObject({
    email: valibot.pipe(valibot.string(), valibot.email()),
    age: valibot.optional(valibot.pipe(valibot.number(), valibot.integer(), valibot.minValue(0))),
    address: valibot.optional(
      valibot.object({ lines: valibot.array(valibot.pipe(valibot.string(), valibot.maxLength(10))) }),
    ),
  }),
  arktype: type({
    "+": "reject",
    email: "string.email",
    "age?": "number.integer >= 0",
    "address?": { lines: "(string <= 10)[]" },
  }),
  "JSON Schema": {
    type: "object",
    required: ["email"],
    additionalProperties: false,
    properties: {
      email: { type: "string", format: "email" },
      age: { type: "integer", minimum: 0 },
      address: {
        type: "object",
        properties: { lines: { type: "array", items: { type: "string", maxLength: 10 } } },
      },
    },
  },
};

async function having(t: Parameters<typeof defer>[0], schema: SchemaInput): Promise<Vault> {
  const { vault } = await testVault(t, { keys: { store: memoryKeyStore() }, collections: { people: { schema } } });
  return vault;
}

const put = (vault: Vault, document: unknown): Promise<unknown> =>
  vault.put({ collection: "people", id: "1" }, document as JsonObject);

const fieldsOf = ({ problems }: VaultError): readonly string[] => (problems ?? []).map(({ field }) => field);

for (const [library, schema] of Object.entries(LIBRARIES)) {
  test(`${library}: what fits is stored, and what does not is refused field by field`, async (t) => {
    const vault = await having(t, schema);
    const right = { email: "ada@example.com", age: 36, address: { lines: ["St James", "London"] } };
    await put(vault, right);
    assert.deepEqual((await vault.get({ collection: "people", id: "1" })).document, right);
    await put(vault, { email: "ada@example.com" });
    const wrong: readonly (readonly [unknown, readonly string[]])[] = [
      [{}, ["email"]],
      [{ email: 1 }, ["email"]],
      [{ email: "SECRET" }, ["email"]],
      [{ email: "ada@example.com", age: -1 }, ["age"]],
      [{ email: "ada@example.com", age: "SECRET" }, ["age"]],
      [{ email: "ada@example.com", address: { lines: ["St James", "SECRET SECRET"] } }, ["address.lines[1]"]],
    ];
    for (const [document, fields] of wrong) {
      const error = await rejectsWith("document-unfit", () => put(vault, document));
      assert.deepEqual(fieldsOf(error), fields, JSON.stringify(error.problems));
      assert.doesNotMatch(JSON.stringify([error.message, error.problems, error.cause]), /SECRET/);
      for (const { kind } of error.problems ?? []) assert.match(kind, /^[A-Za-z][\w-]*$/);
    }
    assert.deepEqual((await vault.get({ collection: "people", id: "1" })).version, 2);
  });

  test(`${library}: a key that nobody declared is refused and not told`, async (t) => {
    const vault = await having(t, schema);
    const document = { email: "ada@example.com", "secret@example.com": true };
    const error = await rejectsWith("document-unfit", () => put(vault, document));
    assert.doesNotMatch(`${error.message} ${JSON.stringify(error.problems)}`, /secret/);
  });

  test(`${library}: of a batch the items that do not fit are refused, each with its reason`, async (t) => {
    const vault = await having(t, schema);
    const items = [
      { id: "1", document: { email: "ada@example.com" } },
      { id: "2", document: { email: "SECRET" } },
    ];
    const results = await vault.putMany("people", items, { onExisting: "replace" });
    assert.deepEqual(
      results.map((result) => (result.outcome === "refused" ? result.code : result.outcome)),
      ["created", "document-unfit"],
    );
    assert.doesNotMatch(JSON.stringify(results), /SECRET/);
  });
}

test("what a schema adds is stored, and what it makes must be JSON", async (t) => {
  const schema = zod.object({ name: zod.string().trim(), tier: zod.string().default("free") });
  const vault = await having(t, schema);
  await put(vault, { name: " Ada ", more: 1 });
  assert.deepEqual((await vault.get({ collection: "people", id: "1" })).document, { name: "Ada", tier: "free" });
  const dated = await having(t, zod.object({ born: zod.coerce.date() }));
  await rejectsWith("document-invalid", () => put(dated, { born: "1815-12-10" }));
});

test("a document that is not one is refused before its schema is asked", async (t) => {
  let asked = 0;
  const schema = zod.custom<object>(() => {
    asked += 1;
    return true;
  });
  const vault = await having(t, schema);
  for (const wrong of [null, [], "text", { a: 1n }, { a: new Date() }, { a: Number.NaN }])
    await rejectsWith("document-invalid", () => put(vault, wrong));
  assert.equal(asked, 0);
  await put(vault, { a: 1 });
  assert.equal(asked, 1);
});

test("a prepared write is held to its schema, and a repaired or rotated one is not asked again", async (t) => {
  const vault = await having(t, LIBRARIES["zod"]!);
  await rejectsWith("document-unfit", () => vault.prepare({ collection: "people", id: "1" }, { email: "nobody" }));
});

test("no more than twenty problems are told, and how many more there are", async (t) => {
  const vault = await having(t, zod.object({ list: zod.array(zod.string()) }));
  const error = await rejectsWith("document-unfit", () => put(vault, { list: Array.from({ length: 50 }, () => 1) }));
  assert.equal(error.problems?.length, 20);
  assert.match(error.message, /; and 30 more$/);
});

test("a schema that validates later is refused, and nothing is stored", async (t) => {
  const later = zod.object({ a: zod.string() }).refine(async () => Promise.resolve(true));
  const vault = await having(t, later);
  await assert.rejects(put(vault, { a: "b" }), (error) => isVaultError(error) || error instanceof Error);
  await rejectsWith("record-absent", () => vault.get({ collection: "people", id: "1" }));
  const promised: SchemaInput = {
    "~standard": { version: 1, vendor: "test", validate: (value) => Promise.resolve({ value: value as object }) },
  };
  await rejectsWith("vault-option-invalid", async () => put(await having(t, promised), { a: "b" }));
});

test("a JSON Schema that is none is refused when the vault is opened", async (t) => {
  for (const schema of [
    { type: "objekt" },
    { type: "object", propertys: {} },
    { type: "object", properties: { a: { format: "e-mail" } } },
    { $ref: "#/$defs/absent" },
    { $async: true, type: "object" },
    { $schema: "http://json-schema.org/draft-04/schema#", type: "object" },
  ])
    await rejectsWith("vault-option-invalid", () => having(t, schema));
  await having(t, { $schema: "http://json-schema.org/draft-07/schema#", type: "object" });
  await having(t, { $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" });
});

test("a path names fields, and not what may be a value", () => {
  const cases: readonly (readonly [readonly PropertyKey[], string])[] = [
    [[], ""],
    [["a", "b", 0, "c"], "a.b[0].c"],
    [["emails", "ada@example.com", "kind"], "emails.*.kind"],
    [["\u001b[2J"], "*"],
    [["x".repeat(65)], "*"],
    [[Symbol("a")], "*"],
  ];
  for (const [segments, expected] of cases) assert.equal(fieldOf(segments), expected);
});
