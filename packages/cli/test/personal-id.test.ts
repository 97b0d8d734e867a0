import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { looksPersonal } from "../src/personal-id.ts";

const PERSONAL = [
  "ada@example.org",
  "Ada Lovelace <ada@example.org>",
  "@ada",
  "ada@localhost",
  "ada%40example.org",
  "ada＠example.org",
  "mailto:ada",
  "+49 30 1234567",
  "+493012345678",
  "0049 30 1234567",
  "030 12345678",
  "030/12345678",
  "01711234567",
  "(555) 123-4567",
  "555-123-4567",
  "555.123.4567",
  "tel:+1-201-555-0123",
];
const PLAIN = [
  "ada",
  "p-001",
  "12345678",
  "4711",
  "2024-000123",
  "1815-12-10",
  "10.12.1815",
  "0190b8a4-7c5e-7d3a-9d42-1f2e3d4c5b6a",
  "01ARZ3NDEKTSV4RRFFQ69G5FAV",
  "9f86d081884c7d65",
  "family 7 ß",
  "a/b",
  "1.2.3",
  "",
];

describe("an id that is personal itself", () => {
  for (const id of PERSONAL)
    it(`is known: ${id}`, () => {
      assert.equal(looksPersonal(id), true);
    });
  for (const id of PLAIN)
    it(`is not seen in ${id === "" ? "nothing" : id}`, () => {
      assert.equal(looksPersonal(id), false);
    });

  it("is known of a long text without taking long", () => {
    assert.equal(looksPersonal(`${"1 ".repeat(100_000)}x`), false);
    assert.equal(looksPersonal("(".repeat(100_000)), false);
  });
});
