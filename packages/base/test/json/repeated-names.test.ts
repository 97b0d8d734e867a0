import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonFault } from "@strongroom/base/json";
import fc from "fast-check";

const place = (text: string): number | null => jsonFault(new TextEncoder().encode(text))?.offset ?? null;

/** Text -> where the second key stands, null where each stands once. */
const TEXTS: readonly (readonly [text: string, at: number | null])[] = [
  ["{}", null],
  ["[]", null],
  ["1", null],
  ['"a"', null],
  ['{"a":1,"b":2}', null],
  ['{"a":1,"a":2}', 7],
  ['{"a":1,"b":2,"a":3}', 13],
  ['{"a":1,"\\u0061":2}', 7],
  ['{"\\"":1,"\\u0022":2}', 8],
  ['{"__proto__":1,"__proto__":2}', 15],
  ['{"constructor":1,"toString":2,"hasOwnProperty":3}', null],
  ['{"":1,"":2}', 6],
  ['{"a":{"a":{"a":1}}}', null],
  ['{"a":{"b":1},"b":{"a":1}}', null],
  ['{"a":{"b":1,"b":2}}', 12],
  ['[{"a":1},{"a":1}]', null],
  ['[{"a":1},{"a":1,"a":1}]', 16],
  ['{"a":["a","a",{"a":1}],"b":["a"]}', null],
  ['{"a":["a","a"],"a":1}', 15],
  ['{"a":"a","b":"a"}', null],
  ['{"a":",\\"a\\":","b":"{\\"a\\":1"}', null],
  ['{"a\\\\":1,"a\\\\":2}', 9],
  ['{"a\\\\":1,"a":2}', null],
  ['{ "a" : 1 ,\n\t"a" : 2 }', 13],
  ['{"ä":1,"a\u0308":2}', null],
  ['{"🔐":1,"\\ud83d\\udd10":2}', 10],
  ['{"\\ud800":1,"\\udfff":2}', null],
];

for (const [text, at] of TEXTS) {
  test(`${text}: ${at === null ? "each key once" : `twice at ${at}`}`, () => {
    assert.equal(place(text), at);
  });
}

test("what JSON.stringify writes has each key once, and a key put in front of it again is found", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), fc.json(), (value, key, other) => {
      const text = JSON.stringify(value);
      assert.equal(place(text), null);
      const twice = `{${JSON.stringify(key)}:${text},"${key === "x" ? "y" : "x"}":${other},${JSON.stringify(key)}:1}`;
      assert.notEqual(place(twice), null);
    }),
  );
});

test("no depth and no size is too much for it", () => {
  const deep = 200_000;
  assert.equal(place(`${'{"a":'.repeat(deep)}1${"}".repeat(deep)}`), null);
  assert.equal(place(`${"[".repeat(deep)}{"a":1,"a":2}${"]".repeat(deep)}`), deep + 7);
  const keys = Array.from({ length: deep }, (_, n) => `"${n}":${n}`);
  assert.equal(place(`{${keys.join(",")}}`), null);
  assert.notEqual(place(`{${keys.join(",")},"7":1}`), null);
  assert.equal(place(`{"a":"${"\\\\".repeat(deep)}","b":1}`), null);
});
