import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { jsonFault } from "../../src/json/index.ts";

function faultOf(text: string): string | null {
  const fault = jsonFault(Buffer.from(text), { depth: 64 });
  return fault === null ? null : `${fault.kind} ${fault.offset}`;
}

describe("jsonFault", () => {
  const texts: readonly (readonly [text: string, fault: string | null])[] = [
    ['{"id":"1","phone":"111","phone":"222"}', "repeated-name 24"],
    ['{"a":{"b":1,"b":2}}', "repeated-name 12"],
    ['[{"a":1},{"a":1,"c":[{"x":1,"x":1}]}]', "repeated-name 28"],
    ['{"a":1,"\\u0061":2}', "repeated-name 7"],
    ['{"":1,"":2}', "repeated-name 6"],
    ['{"__proto__":1,"__proto__":2}', "repeated-name 15"],
    ['{"ß":1, "ß" : 2}', "repeated-name 9"],
    ['{"a":1,"A":2,"b":{"a":1},"c":"a","d":["a","a"]}', null],
    ['{"\\ud800":1,"\\ud801":2}', null],
    ['{"a\\"b":1,"a":"\\\\","b":"}{"}', null],
    ["[".repeat(64) + "]".repeat(64), null],
    ["[".repeat(65) + "]".repeat(65), "too-deep 64"],
    ['{"a":'.repeat(5000) + "1" + "}".repeat(5000), "too-deep 320"],
    ["[[],[],".repeat(200), "too-deep 442"],
    ["", null],
    ["]]}}", null],
  ];
  for (const [text, fault] of texts) {
    it(`says ${fault ?? "nothing"} of ${text.slice(0, 40)}`, () => {
      assert.equal(faultOf(text), fault);
    });
  }

  it("finds nothing in what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.boolean(), (value, pretty) => {
        assert.equal(faultOf(JSON.stringify(value, null, pretty ? 2 : 0)), null);
      }),
    );
  });

  it("finds the second of two equal names, wherever their object stands", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 3 }), (name, value) => {
        const text = JSON.stringify([value, { x: [value, "HERE"] }]);
        const twice = `{${JSON.stringify(name)}:1,${JSON.stringify(name)}:2}`;
        const broken = text.replace('"HERE"', () => twice);
        fc.pre(text.indexOf('"HERE"') === text.lastIndexOf('"HERE"'));
        assert.match(faultOf(broken) ?? "", /^repeated-name /);
      }),
    );
  });
});
