/**
 * Awkward values through a real vault: every spelling finds the records of its equals, and no other ones.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FieldQuery } from "@strongroom/vault";
import { date, email, foldedName, phone, postcode, text } from "@strongroom/vault/normalisers";
import type { Normaliser } from "@strongroom/vault/normalisers";
import { DATES, EMAILS, NAMES, PHONES, POSTCODES, TEXTS } from "../normalisers/forms.ts";
import type { Forms } from "../normalisers/forms.ts";
import { keyedVault } from "../support/keyed-vault.ts";
import { rejectsWith } from "../support/errors.ts";

const TABLES: readonly (readonly [normaliser: Normaliser, forms: Forms])[] = [
  [email(), EMAILS],
  [phone({ country: "DE" }), PHONES],
  [foldedName(), NAMES],
  [date(), DATES],
  [postcode(), POSTCODES],
  [text(), TEXTS],
];

for (const [normaliser, forms] of TABLES)
  test(`${normaliser.kind}: each spelling finds the records of its equals, and no others`, async (t) => {
    const { vault } = await keyedVault(t, {
      keys: { scope: "tenant" },
      collections: { people: { subject: "none", fields: { value: { find: normaliser, values: 10_000 } } } },
    });
    const all = Object.entries(forms).flatMap(([form, spellings]) => spellings.map((value) => ({ form, value })));
    const items = all.map(({ value }, index) => ({ id: String(index), document: { value: value as string } }));
    await vault.putMany("people", items, { onExisting: "replace" });
    for (const { form, value } of all) {
      const isBlank = typeof value === "string" && value.trim() === "";
      const query = { value: value as FieldQuery };
      if (isBlank) {
        await rejectsWith("find-invalid", () => vault.find("people", query));
        continue;
      }
      const expected = all.flatMap((other, index) =>
        other.form === form && String(other.value).trim() !== "" ? [String(index)] : [],
      );
      const { items: found, next } = await vault.find("people", query, { limit: 100 });
      assert.deepEqual(found.map(({ id }) => id).sort(), expected.sort(), JSON.stringify(value));
      assert.equal(next, null);
    }
  });
