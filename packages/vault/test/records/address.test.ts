import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_ID_BYTES, parseAddress, parseCollection, parseId, parseSubject, parseVersion } from "@strongroom/vault";
import { throwsWith } from "../support/errors.ts";

test("ids are any text of 1 to 256 bytes that is safe as one path segment", () => {
  for (const id of [
    "a",
    "C000127",
    "søren",
    "日本",
    "🔐",
    "a b",
    "a:b",
    "%2F",
    "...",
    ".a",
    "-",
    "constructor",
    "__proto__",
    "x".repeat(256),
    "🔐".repeat(64),
  ]) {
    assert.equal(parseId(id), id);
  }
});

const REFUSED_IDS: readonly (readonly [name: string, id: string, says: RegExp])[] = [
  ["empty", "", /is empty/],
  ["a dot", ".", /is "\."/],
  ["two dots", "..", /is "\.\."/],
  ["a slash", "a/b", /contains "\/"/],
  ["a backslash", "a\\b", /contains "\\"/],
  ["NUL", "a\0b", /NUL/],
  ["a line feed", "a\nb", /control/],
  ["delete", "a\u007fb", /control/],
  ["a C1 control", "a\u0085b", /control/],
  ["a line separator", "a\u2028b", /line separator/],
  ["half a surrogate pair", "a\ud83d", /surrogate/],
  ["not in normal form C", "e\u0301", /normal form C/],
  ["257 bytes", "x".repeat(257), /257 bytes.*at most 256/],
  ["65 emoji", "🔐".repeat(65), /260 bytes.*at most 256/],
  ["10 kB", "x".repeat(10_000), /10000 bytes/],
];

for (const [name, id, says] of REFUSED_IDS) {
  test(`an id is refused: ${name}`, () => {
    const error = throwsWith("id-invalid", () => parseId(id));
    assert.match(error.message, says);
    assert.match(throwsWith("subject-invalid", () => parseSubject(id)).message, says);
    throwsWith("id-invalid", () => parseAddress({ collection: "people", id }));
  });
}

test("what the id holds is never repeated in the error", () => {
  for (const [, id] of REFUSED_IDS) {
    const secret = `ada.lovelace${id}/`;
    const error = throwsWith("id-invalid", () => parseId(secret));
    assert.ok(!error.message.includes("lovelace"));
  }
});

test("collections are lower-case names of up to 63 characters", () => {
  for (const name of ["a", "people", "a-b_c9", `a${"b".repeat(62)}`]) assert.equal(parseCollection(name), name);
  for (const name of ["", "A", "9a", "_a", "a.b", "a/b", "people\n", "é", `a${"b".repeat(63)}`])
    throwsWith("collection-invalid", () => parseCollection(name));
});

test("versions are whole numbers from 1", () => {
  for (const version of [1, 2, Number.MAX_SAFE_INTEGER]) assert.equal(parseVersion(version), version);
  for (const version of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 53])
    throwsWith("version-invalid", () => parseVersion(version));
});

test("what is no string at all is refused, not converted", () => {
  for (const value of [undefined, null, 7, {}, ["a"]]) {
    throwsWith("id-invalid", () => parseId(value as never));
    throwsWith("collection-invalid", () => parseCollection(value as never));
  }
});

test("every accepted id is short, in NFC, well-formed, and survives a URL", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      let id: string;
      try {
        id = parseId(text);
      } catch {
        return;
      }
      assert.ok(Buffer.byteLength(id) >= 1 && Buffer.byteLength(id) <= MAX_ID_BYTES);
      assert.equal(id.normalize("NFC"), id);
      assert.equal(decodeURIComponent(encodeURIComponent(id)), id);
      assert.ok(!new URL(`http://h/v1/${encodeURIComponent(id)}`).pathname.slice(4).includes("/"));
    }),
    { numRuns: 2000 },
  );
});
