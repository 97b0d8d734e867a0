import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { findStringMember, withBase64Member } from "../../../src/providers/aws-sdk/json-members.ts";

const find = (json: string, name = "Plaintext"): string => {
  const bytes = Buffer.from(json);
  const { start, end } = findStringMember(bytes, name);
  return bytes.subarray(start, end).toString("latin1");
};

describe("findStringMember", () => {
  for (const [where, json] of [
    ["alone", '{"Plaintext":"QQ=="}'],
    ["first", '{"Plaintext":"QQ==","KeyId":"a"}'],
    [
      "last, after every kind of value",
      '{"a":null,"b":-1.5e3,"c":[1,"]",{"Plaintext":"x"}],"d":{"e":"}","f":{}},"g":"\\"\\\\","Plaintext":"QQ=="}',
    ],
    ["among white space", ' {\n\t"KeyId" : "a" ,\r\n "Plaintext" : "QQ==" }\n'],
    ["beside names that begin alike", '{"Plaintex":"x","Plaintext2":"x","plaintext":"x","Plaintext":"QQ=="}'],
  ] as const) {
    test(`finds it ${where}`, () => {
      assert.equal(find(json), "QQ==");
    });
  }

  for (const [what, json] of [
    ["nothing", ""],
    ["not an object", '["Plaintext","QQ=="]'],
    ["an empty object", "{}"],
    ["the member missing", '{"KeyId":"a"}'],
    ["the member only deeper", '{"a":{"Plaintext":"QQ=="}}'],
    ["the member twice", '{"Plaintext":"QQ==","Plaintext":"QQ=="}'],
    ["the member as null", '{"Plaintext":null}'],
    ["the member as a number", '{"Plaintext":7}'],
    ["the member as a list", '{"Plaintext":["QQ=="]}'],
    ["an escape in the value", '{"Plaintext":"QQ\\u003d="}'],
    ["an escape in the name", '{"\\u0050laintext":"QQ=="}'],
    ["an escape in another name", '{"Plaintext":"QQ==","Plain\\u0074ext":"Qg=="}'],
    ["a name that is not ASCII", '{"Plaintext":"QQ==","é":1}'],
    ["a control character in the value", '{"Plaintext":"QQ\n=="}'],
    ["bytes after the end", '{"Plaintext":"QQ=="}{}'],
    ["a byte order mark", '\ufeff{"Plaintext":"QQ=="}'],
    ["no colon", '{"Plaintext" "QQ=="}'],
    ["a comma too many", '{"Plaintext":"QQ==",}'],
    ["a name without quotes", '{Plaintext:"QQ=="}'],
  ] as const) {
    test(`refuses ${what}, and shows none of it`, () => {
      assert.throws(
        () => find(json),
        (error: Error) => error instanceof SyntaxError && !error.message.includes("QQ"),
      );
    });
  }

  test("refuses every beginning of an answer", () => {
    const json = '{"KeyId":"a","b":[{"c":"\\""}],"Plaintext":"QQ==","d":1}';
    for (let length = 0; length < json.length; length++) assert.throws(() => find(json.slice(0, length)), SyntaxError);
  });

  test("agrees with JSON.parse on any object", () => {
    const others = fc.dictionary(fc.stringMatching(/^[A-Za-z]{1,10}$/), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(others, fc.base64String({ minLength: 4 }), fc.nat(3), (object, text, spaces) => {
        const json = JSON.stringify({ ...object, Plaintext: text }, null, spaces);
        assert.equal(find(json), text);
      }),
    );
  });

  test("never sees another value than JSON.parse does, however the text is changed", () => {
    const json = '{"a":[{"Plaintext":"no"}],"Plaintext":"QQ==","b":"\\"","c":{"d":[]}}';
    const piece = fc.constantFrom(
      '"',
      "\\",
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"Plaintext":"Qg=="',
      ' "Plaintext" ',
      "\\u0050",
      " ",
      "\0",
      "1",
      '"Plaintext":',
    );
    const change = fc.record({ at: fc.nat(json.length), drop: fc.nat(12), piece: fc.option(piece) });
    let agreed = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const text = changes.reduce(
          (old, { at, drop, piece: put }) => old.slice(0, at) + (put ?? "") + old.slice(at + drop),
          json,
        );
        let found: string;
        try {
          found = find(text);
        } catch {
          return;
        }
        // The caller parses what is left, with nothing between the quotes.
        let parsed: unknown;
        try {
          parsed = JSON.parse(text);
        } catch {
          return;
        }
        agreed++;
        assert.equal((parsed as { readonly Plaintext: unknown }).Plaintext, found);
      }),
      { numRuns: 20_000 },
    );
    assert.ok(agreed > 500, `${agreed} of the texts were read by both`);
  });
});

describe("withBase64Member", () => {
  test("adds the member to any object", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        (object, value) => {
          const json = Buffer.from(JSON.stringify(object));
          const whole = JSON.parse(withBase64Member(json, "Secret", value).toString()) as object;
          assert.deepEqual(
            whole,
            JSON.parse(JSON.stringify({ Secret: Buffer.from(value).toString("base64"), ...object })),
          );
        },
      ),
    );
  });

  test("refuses what is not an object", () => {
    for (const json of ["", "[]", '"{}"', "null", "{"])
      assert.throws(() => withBase64Member(Buffer.from(json), "Secret", Buffer.from("x")), TypeError);
  });
});
