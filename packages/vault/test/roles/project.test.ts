/**
 * What of a document is shown: the fields that a view names, masked or not, and nothing else, also where the document
 * is of another shape than anybody thought.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseRoles } from "@strongroom/vault";
import type { JsonObject, JsonValue, MaskKind } from "@strongroom/vault";
import { HIDDEN, MASK_KINDS } from "../../src/masks/masks.ts";
import { project } from "../../src/roles/project.ts";
import { restricted, viewOf } from "../../src/roles/view.ts";
import type { View } from "../../src/roles/view.ts";

interface Asked {
  readonly clear?: readonly string[];
  readonly masked?: readonly string[];
  readonly writes?: readonly string[];
  readonly declared?: Readonly<Record<string, MaskKind>>;
}

function view({ clear = [], masked = [], writes = [], declared = {} }: Asked): View {
  const grants = [
    ...(clear.length === 0 ? [] : [{ collection: "c", fields: clear, actions: ["read"] }]),
    ...(masked.length === 0 ? [] : [{ collection: "c", fields: masked, actions: ["read:masked"] }]),
    ...(writes.length === 0 ? [] : [{ collection: "c", fields: writes, actions: ["write"], purposes: ["edit"] }]),
  ];
  const policy = parseRoles({ r: { grants } });
  const asked = { roles: ["r"], collection: "c" };
  const fields = new Map(Object.entries(declared).map(([path, mask]) => [path, { mask }]));
  return viewOf(policy.rulesFor(asked), policy.rulesForAny(asked), fields);
}

const ADA: JsonObject = {
  name: "Ada Lovelace",
  email: "ada@example.com",
  ssn: "123-45-6789",
  address: { street: "12 St James's Square", postcode: "SW1Y 4JH", flat: { door: 4 } },
  phones: [
    { kind: "work", number: "+44 20 79460001" },
    { kind: "home", number: "+44 20 79460002" },
  ],
  tags: ["one", "two"],
  ["__proto__"]: "own",
};

/** Name -> what somebody may, and what is shown of Ada. */
const SHOWN: Readonly<Record<string, readonly [Asked, JsonObject]>> = {
  nothing: [{}, {}],
  "one field": [{ clear: ["name"] }, { name: "Ada Lovelace" }],
  "an object with all that is in it": [
    { clear: ["address.flat", "address.postcode"] },
    { address: { flat: { door: 4 }, postcode: "SW1Y 4JH" } },
  ],
  "what is masked and not declared": [{ masked: ["ssn"] }, { ssn: HIDDEN }],
  "what is masked as it is declared": [
    { masked: ["email"], declared: { email: "email" } },
    { email: "a•••@example.com" },
  ],
  "all declared fields, masked": [
    { masked: ["*"], declared: { email: "email", "address.postcode": "last4", gone: "phone", never: "redact" } },
    { address: { postcode: "•••" + " 4JH" }, email: "a•••@example.com", gone: null, never: HIDDEN },
  ],
  "an object that is masked, of which fields are declared": [
    { masked: ["address"], declared: { "address.postcode": "redact" } },
    { address: { postcode: HIDDEN } },
  ],
  "an object that is masked as one": [{ masked: ["address"] }, { address: HIDDEN }],
  "a list that is masked": [{ masked: ["tags"], declared: { tags: "name" } }, { tags: HIDDEN }],
  "fields of a list that are masked: not how many": [{ masked: ["phones.number"] }, { phones: { number: HIDDEN } }],
  "the same beside what is shown of each": [
    { clear: ["phones.kind"], masked: ["phones.number"], declared: { "phones.number": "phone" } },
    {
      phones: [
        { kind: "work", number: "•••01" },
        { kind: "home", number: "•••02" },
      ],
    },
  ],
  "clear in what is masked": [
    { clear: ["address.postcode"], masked: ["address"] },
    { address: { postcode: "SW1Y 4JH" } },
  ],
  "masked in what is clear": [
    { clear: ["address"], masked: ["address.postcode"] },
    { address: ADA["address"] as JsonObject },
  ],
  "a path into what is no object": [{ clear: ["name.first", "tags.x"] }, { tags: [] }],
  "a member named __proto__": [{ clear: ["__proto__"] }, JSON.parse('{"__proto__":"own"}') as JsonObject],
  "what only looks like a name": [{ clear: ["nаme", "constructor", "toString"] }, {}],
};

for (const [name, [asked, shown]] of Object.entries(SHOWN))
  test(`shown: ${name}`, () => {
    const document = project(ADA, view(asked));
    assert.equal(JSON.stringify(document), JSON.stringify(shown));
    assert.equal(Object.getPrototypeOf(document), Object.prototype);
  });

test("a keyed hash is not shown to whoever may try values, for whatever purpose", () => {
  const declared = { email: "hash" } as const;
  const hash = (path: string, value: JsonValue): string => `${path}:${value as string}`;
  assert.deepEqual(project(ADA, view({ masked: ["email"], declared }), hash), { email: "email:ada@example.com" });
  assert.deepEqual(project(ADA, view({ masked: ["email"], declared })), { email: HIDDEN });
  assert.deepEqual(project(ADA, view({ masked: ["email"], writes: ["email"], declared }), hash), { email: HIDDEN });
  assert.deepEqual(project(ADA, view({ masked: ["email"], writes: ["*"], declared }), hash), { email: HIDDEN });
});

test("a read of some fields shows no more than a read of all", () => {
  const seen = view({ clear: ["name", "address"], masked: ["email", "phones"] });
  const of = (...fields: readonly string[]): JsonObject | string => {
    const found = restricted(seen, fields);
    return "forbidden" in found ? found.forbidden : project(ADA, found);
  };
  assert.deepEqual(of("name"), { name: "Ada Lovelace" });
  assert.deepEqual(of("address.flat.door", "email"), { address: { flat: { door: 4 } }, email: HIDDEN });
  for (const forbidden of ["ssn", "phones.number", "email.x", "__proto__", "nаme", "constructor"])
    assert.equal(of("name", forbidden), forbidden);
  assert.equal("forbidden" in restricted({ kind: "none" }, ["name"]), true);
  const whole = restricted({ kind: "whole" }, ["ssn", "address", "address.flat"]);
  assert.deepEqual("forbidden" in whole ? null : project(ADA, whole), { address: ADA["address"], ssn: ADA["ssn"] });
});

const NAMES = ["a", "b", "c", "__proto__", "constructor"] as const;
const leaf = fc.oneof(
  fc.string().map((text) => `raw<${text}>`),
  fc.integer({ min: 1_000_000_000 }),
  fc.boolean(),
  fc.constant(null),
);
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.constantFrom(...NAMES), tie("value")), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries)),
  ),
}));
const documents = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 5 })
  .map((entries): JsonObject => Object.fromEntries(entries));
const paths = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map((names) => names.join("."));

test("whatever a document is like, a reader who sees masks alone sees the same of each, but for what masks show", () => {
  fc.assert(
    fc.property(documents, documents, fc.array(paths, { maxLength: 5 }), (one, other, masked) => {
      const redacted = view({ masked });
      assert.equal(JSON.stringify(project(one, redacted)), JSON.stringify(project(other, redacted)));
    }),
    { numRuns: 500 },
  );
});

test("of masked values nothing comes through that is not of the mask's kind, and never a raw value", () => {
  const kinds = fc.constantFrom(...MASK_KINDS);
  fc.assert(
    fc.property(documents, fc.dictionary(paths, kinds, { maxKeys: 5 }), (document, declared) => {
      const text = JSON.stringify(project(document, view({ masked: ["*"], declared })));
      assert.ok(!text.includes("raw<") && !/\d{10}/.test(text) && !/true|false/.test(text), text);
    }),
    { numRuns: 500 },
  );
});

test("what no rule names is never shown", () => {
  fc.assert(
    fc.property(documents, fc.array(paths, { maxLength: 4 }), (document, clear) => {
      const shown = project(document, view({ clear }));
      for (const path of pathsIn(shown)) {
        const isNamed = clear.some((one) => path === one || path.startsWith(`${one}.`) || one.startsWith(`${path}.`));
        assert.ok(isNamed, `${path} of ${JSON.stringify(clear)}`);
      }
    }),
    { numRuns: 500 },
  );
});

function pathsIn(of: JsonValue, path = ""): readonly string[] {
  if (Array.isArray(of)) return (of as readonly JsonValue[]).flatMap((one) => pathsIn(one, path));
  if (typeof of !== "object" || of === null) return path === "" ? [] : [path];
  const inner = Object.entries(of).flatMap(([name, member]) => pathsIn(member, path === "" ? name : `${path}.${name}`));
  return path === "" ? inner : [path, ...inner];
}
