import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { base64Length, readBase64, writeBase64 } from "../../../src/providers/aws-sdk/base64-bytes.ts";

const written = (bytes: Uint8Array): string => {
  const text = Buffer.alloc(base64Length(bytes.length));
  writeBase64(bytes, text, 0);
  return text.toString("latin1");
};
const read = (text: string): Buffer | null => readBase64(Buffer.from(text, "latin1"));

describe("base64 from bytes to bytes", () => {
  // RFC 4648, section 10.
  for (const [plain, text] of [
    ["f", "Zg=="],
    ["fo", "Zm8="],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg=="],
    ["fooba", "Zm9vYmE="],
    ["foobar", "Zm9vYmFy"],
  ] as const) {
    test(`${plain} is ${text}`, () => {
      assert.equal(written(Buffer.from(plain)), text);
      assert.equal(read(text)?.toString(), plain);
    });
  }

  test("agrees with node on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        const text = Buffer.from(bytes).toString("base64");
        assert.equal(written(bytes), text);
        assert.deepEqual(read(text), Buffer.from(bytes));
      }),
    );
  });

  test("whatever it reads is what it writes: one text for each value", () => {
    const alike = fc.string({
      unit: fc.constantFrom("A", "B", "/", "+", "w", "9", "=", "-", "_", " ", "\n", "é", "\0"),
      maxLength: 12,
    });
    fc.assert(
      fc.property(alike, (text) => {
        const bytes = read(text);
        if (bytes !== null) assert.equal(written(bytes), text);
      }),
      { numRuns: 5_000 },
    );
  });

  for (const [why, text] of [
    ["nothing", ""],
    ["no padding", "Zg"],
    ["one sign of padding where two belong", "Zg="],
    ["three signs of padding", "Z==="],
    ["padding alone", "===="],
    ["padding in the middle", "Zg==Zm8="],
    ["a trailing bit", "Zh=="],
    ["a trailing bit after two bytes", "Zm9="],
    ["the alphabet of URLs", "_-8="],
    ["a space", "Zm 9"],
    ["a line break", "Zm9v\nZg=="],
    ["not ASCII", "Zm9\u00ff"],
  ] as const) {
    test(`refuses ${why}`, () => {
      assert.equal(read(text), null);
    });
  }
});
