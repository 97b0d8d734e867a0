/**
 * Normalisers on values as people write them: each has the form that is expected, is found by its equals and by no
 * others.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fieldProblems } from "@strongroom/vault";
import { customNormaliser, date, email, exact, foldedName, phone, postcode, text } from "@strongroom/vault/normalisers";
import type { Normaliser } from "@strongroom/vault/normalisers";
import { DATES, EMAILS, NAMES, PHONES, POSTCODES, TEXTS } from "./forms.ts";
import type { Forms } from "./forms.ts";

const TABLES: readonly (readonly [normaliser: Normaliser, forms: Forms, least: number])[] = [
  [email(), EMAILS, 100],
  [phone({ country: "DE" }), PHONES, 100],
  [foldedName(), NAMES, 100],
  [date(), DATES, 80],
  [postcode(), POSTCODES, 80],
  [text(), TEXTS, 40],
];

for (const [normaliser, forms, least] of TABLES) {
  test(`${normaliser.kind}: each of its awkward values has the form that is expected`, () => {
    const wrong = Object.entries(forms).flatMap(([form, spellings]) =>
      spellings
        .map((spelling) => ({ spelling, expected: form, got: normaliser.normalise(spelling) }))
        .filter(({ expected, got }) => got !== expected),
    );
    assert.deepEqual(wrong, []);
    const count = Object.values(forms).flat().length;
    assert.ok(count >= least, `${count} values`);
  });

  test(`${normaliser.kind}: what nobody looks for has no form`, () => {
    for (const value of [undefined, null, {}, [], ["a"], { a: 1 }, Symbol("a"), () => "a", 1n])
      assert.equal(normaliser.normalise(value), null);
  });

  test(`${normaliser.kind}: a text of a megabyte is found as it is written, at once`, () => {
    for (const long of ["a".repeat(2 ** 20), "1-".repeat(2 ** 19), "ada@".repeat(2 ** 18)])
      assert.equal(normaliser.normalise(long), `~${long}`);
  });

  test(`${normaliser.kind}: the form of a form is that form`, () => {
    for (const spelling of Object.values(forms).flat()) {
      const form = normaliser.normalise(spelling) ?? "";
      if (form.startsWith("=")) assert.equal(normaliser.normalise(form.slice(1)), form);
    }
  });
}

test("what is exact is found by itself alone, and by its own type", () => {
  const values = ["A-1", "a-1", " a-1", "", 1, "1", 1.5, true, "true", false, "\u00e9", "😀"];
  const forms = values.map((value) => exact().normalise(value));
  assert.equal(new Set(forms).size, values.length);
  assert.equal(exact().normalise("e\u0301"), exact().normalise("\u00e9"));
  for (const value of [undefined, null, {}, []]) assert.equal(exact().normalise(value), null);
});

test("the country of a phone number is a part of what its forms hang on", () => {
  assert.deepEqual(
    [phone({ country: "DE" }), phone({ country: "AT" }), phone()].map(({ options }) => options),
    ["DE", "AT", ""],
  );
  assert.equal(phone({ country: "AT" }).normalise("01 23456789"), "=+43123456789");
  assert.equal(phone().normalise("01 23456789"), "~01 23456789");
  for (const country of ["de", "XX", "", "49", "constructor", null])
    assert.throws(() => phone({ country: country! }), { code: "vault-option-invalid" });
});

test("a normaliser of one's own is named apart from these, and refused where it says too little", () => {
  const own = customNormaliser({ kind: "email", version: 2, form: (value) => value.slice(0, 3) });
  assert.deepEqual([own.kind, own.version, own.options], ["own-email", 2, ""]);
  assert.deepEqual([own.normalise("abcdef"), own.normalise("abcxyz"), own.normalise(null)], ["=abc", "=abc", null]);
  const form = (): null => null;
  for (const rules of [
    { kind: "", version: 1, form },
    { kind: "A b", version: 1, form },
    { kind: "a", version: 0, form },
    { kind: "a", version: 1.5, form },
    { kind: "a", version: 1, form: "x" },
    { kind: "a", version: 1, options: "x".repeat(2_000), form },
    { kind: "a", version: 1, options: "\uD83D", form },
    { kind: "a".repeat(61), version: 1, form },
  ])
    assert.throws(() => customNormaliser(rules as never), { code: "vault-option-invalid" });
});

test("what is taken as a normaliser of one's own is taken where a field is declared", () => {
  const longest = customNormaliser({
    kind: "a".repeat(60),
    version: Number.MAX_SAFE_INTEGER,
    options: "x".repeat(1_024),
    form: () => null,
  });
  assert.deepEqual(fieldProblems({ fields: { email: { find: longest, unique: true } } }), []);
});

test("libraries that forms hang on are of the version that the forms above are of", async () => {
  const { dependencies } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  // Another version may know other numbers, or spell another letter: look at the tables, and raise the version of the
  // normaliser where any form is another one.
  assert.deepEqual([dependencies["libphonenumber-js"], dependencies["any-ascii"]], ["1.13.16", "0.3.3"]);
});
