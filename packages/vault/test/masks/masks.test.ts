/**
 * Masks: what is shown of values, and that of values that are too short or of another kind nothing is.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HIDDEN, MASK_KINDS, masked } from "../../src/masks/masks.ts";
import type { MaskKind } from "../../src/masks/masks.ts";

const SHOWN: Readonly<Record<MaskKind, Readonly<Record<string, string>>>> = {
  redact: { "Ada Lovelace": "•••", "": "•••" },
  hash: { "Ada Lovelace": "•••", "": "•••" },
  last4: { "12345678": "•••5678", "1234567": "•••", "😀😀😀😀abcd": "•••abcd", "": "•••" },
  card: {
    "4111 1111 1111 1111": "•••1111",
    "4111-1111-1111-1111": "•••1111",
    "378282246310005": "•••0005",
    "４１１１１１１１１１１１１１１１": "•••1111",
    "4111": "•••",
    "4111 1111 1111 111x": "•••",
  },
  iban: {
    "DE89 3704 0044 0532 0130 00": "DE•••3000",
    gb29nwbk60161331926819: "GB•••6819",
    DE89: "•••",
    "no iban at all, but long": "•••",
  },
  email: {
    "ada@example.com": "a•••@example.com",
    "ab@example.com": "•••@example.com",
    "a@example.com": "•••@example.com",
    "łukasz@example.com": "ł•••@example.com",
    ada: "•••",
    "ada@@example.com": "•••",
    "ada lovelace@example.com": "•••",
    "@example.com": "•••",
  },
  phone: {
    "+49 30 12345678": "•••78",
    "(030) 1234-5678": "•••78",
    "112": "•••",
    "call me": "•••",
  },
  name: {
    "e\u0301mile zola": "E\u0301. Z.",
    "Ada Lovelace": "A. L.",
    "  ada   king   noel  byron ": "A. K. N.",
    Владимир: "В.",
    李小龍: "李.",
    "😀": "•••",
    "": "•••",
    "1815": "•••",
  },
};

for (const [kind, shown] of Object.entries(SHOWN) as [MaskKind, Readonly<Record<string, string>>][])
  test(`what is shown by ${kind}`, () => {
    for (const [value, expected] of Object.entries(shown)) assert.equal(masked(kind, value), expected, value);
  });

test("no mask shows a whole value, nor how long it is", () => {
  const values = ["a", "ab", "1234", "12345678", "ada@example.com", "Ada", "DE89370400440532013000", "x".repeat(500)];
  for (const kind of MASK_KINDS)
    for (const value of values) {
      const shown = masked(kind, value) ?? "";
      assert.ok(!shown.includes(value), `${kind} shows ${value}`);
      assert.ok(shown.length <= 40, `${kind}: ${shown}`);
    }
});

test("what is there is masked whatever it is, and what is not stays away", () => {
  for (const kind of MASK_KINDS) {
    assert.equal(masked(kind, null), null);
    assert.equal(masked(kind, undefined), undefined);
    for (const value of [["ada@example.com"], { email: "ada@example.com" }, true, 12n]) {
      assert.equal(masked(kind, value), HIDDEN);
    }
  }
});
