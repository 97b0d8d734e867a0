import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { decrypt, encrypt, EnvelopeError, inspect, rawAesKeyring } from "@strongroom/envelope";
import { ByteReader } from "../../src/format/byte-reader.ts";
import { canonicalContext, contextObject, readContext } from "../../src/format/encryption-context.ts";
import { headerTemplate, parseHeader } from "../../src/format/header.ts";
import { ALGORITHM_SUITES, DEFAULT_LIMITS, FORMAT_LIMITS, limitsOption } from "../../src/format/suites.ts";
import { readOptions } from "../../src/options.ts";
import { throwsWith } from "../support/errors.ts";
import { serializeContext } from "../support/message-writer.ts";

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const contexts = fc
  .dictionary(text, text, { maxKeys: 8 })
  .filter((context) => !Object.keys(context).some((key) => key.startsWith("aws-crypto-")));
const suites = fc.constantFrom(...Object.values(ALGORITHM_SUITES));

describe("encryption contexts", () => {
  test("what is written is read again, sorted by UTF-8 bytes", () => {
    fc.assert(
      fc.property(contexts, (context) => {
        const canonical = canonicalContext(context, DEFAULT_LIMITS);
        const sorted = Object.entries(context).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        assert.deepEqual(canonical.bytes, serializeContext(sorted));
        const length = Buffer.alloc(2);
        length.writeUInt16BE(canonical.bytes.length);
        const read = readContext(new ByteReader(Buffer.concat([length, canonical.bytes])), DEFAULT_LIMITS);
        assert.deepEqual(Object.entries(contextObject(read)).sort(), Object.entries(context).sort());
        assert.deepEqual(read.bytes, canonical.bytes);
      }),
    );
  });

  test("characters above U+FFFF come after the private use area, as their bytes do", () => {
    const { pairs } = canonicalContext(
      { "\u{1F600}": "", "\uE000": "", "\uFFFD": "", "\uD7FF": "", z: "" },
      DEFAULT_LIMITS,
    );
    assert.deepEqual(
      pairs.map(([key]) => key),
      ["z", "\uD7FF", "\uE000", "\uFFFD", "\u{1F600}"],
    );
  });

  const malformed: readonly [string, string][] = [
    ["pairs announced, none there", "0002" + "0001"],
    ["no pairs in a field that has a length", "0002" + "0000"],
    ["a key that runs over the end", "0006" + "0001" + "00ff6161"],
    ["bytes left over", "0009" + "0001" + "000161" + "0000" + "0000"],
    ["a key that is not UTF-8", "0007" + "0001" + "0001ff" + "0000"],
    ["a value that is overlong UTF-8", "0009" + "0001" + "000161" + "0002c080"],
  ];
  for (const [what, hex] of malformed) {
    test(`malformed: ${what}`, () => {
      throwsWith(() => readContext(new ByteReader(Buffer.from(hex, "hex")), DEFAULT_LIMITS), "message-malformed");
    });
  }

  test("longer than the limit is refused before it is read", () => {
    throwsWith(() => readContext(new ByteReader(Buffer.from("ffff", "hex")), DEFAULT_LIMITS), "limit-exceeded");
    throwsWith(() => canonicalContext({ a: "x".repeat(9000) }, DEFAULT_LIMITS), "limit-exceeded");
    throwsWith(() => canonicalContext({ a: "x".repeat(70_000) }, FORMAT_LIMITS), "limit-exceeded");
  });
});

describe("headers", () => {
  const keys = fc.array(
    fc.record({
      providerId: text,
      providerInfo: fc.uint8Array({ maxLength: 40 }),
      ciphertext: fc.uint8Array({ maxLength: 40 }),
    }),
    { minLength: 1, maxLength: 5 },
  );

  test("what is written is read again, whatever follows it", () => {
    fc.assert(
      fc.property(
        suites,
        contexts,
        keys,
        fc.integer({ min: 1, max: 100_000 }),
        fc.uint8Array({ maxLength: 30 }),
        (suite, context, edks, frameLength, after) => {
          const stored = canonicalContext(context, DEFAULT_LIMITS);
          const template = headerTemplate(suite, stored, edks, frameLength, DEFAULT_LIMITS);
          const bytes = Buffer.concat([
            template.bytes,
            Buffer.alloc(template.headerLength - template.bytes.length),
            after,
          ]);
          const header = parseHeader(bytes, DEFAULT_LIMITS);
          assert.equal(header.suite, suite);
          assert.deepEqual(header.context.bytes, stored.bytes);
          assert.equal(header.frameLength, frameLength);
          assert.equal(header.length, template.headerLength);
          assert.deepEqual(
            header.encryptedDataKeys.map((key) => [
              key.providerId,
              Buffer.from(key.providerInfo),
              Buffer.from(key.ciphertext),
            ]),
            edks.map((key) => [key.providerId, Buffer.from(key.providerInfo), Buffer.from(key.ciphertext)]),
          );
        },
      ),
    );
  });

  test("any bytes either parse or are refused with a code", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom("", "020478", "018003780", "0180"),
        (bytes, start) => {
          try {
            inspect(Buffer.concat([Buffer.from(start, "hex"), bytes]));
          } catch (error) {
            assert.ok(error instanceof EnvelopeError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("a truncated header says how many bytes it takes to go on, and never more than it has", async () => {
    const keyring = rawAesKeyring({ keyNamespace: "n", keyName: "k", wrappingKey: randomBytes(32) });
    const { message } = await encrypt(randomBytes(5), { keyring, encryptionContext: { a: "b" } });
    const { headerLength } = inspect(message);
    for (let length = 0; length < headerLength; length++) {
      const { neededBytes } = throwsWith(
        () => parseHeader(message.subarray(0, length), DEFAULT_LIMITS),
        "message-truncated",
      );
      assert.ok(neededBytes !== undefined && neededBytes > length && neededBytes <= headerLength);
    }
  });

  test("claims of enormous sizes take neither memory nor time", async () => {
    const keyring = rawAesKeyring({ keyNamespace: "n", keyName: "k", wrappingKey: randomBytes(32) });
    const { message } = await encrypt(randomBytes(5), { keyring, encryptionContext: {} });
    const claims: readonly [number, string][] = [
      [35, "ffff"],
      [37, "ffff"],
      [inspect(message).headerLength - 16 - 32 - 4, "ffffffff"],
    ];
    for (const [offset, hex] of claims) {
      const claiming = Buffer.from(message);
      claiming.write(hex, offset, "hex");
      const before = process.memoryUsage().arrayBuffers;
      await assert.rejects(decrypt(claiming, { keyring, encryptionContext: {} }), { code: "limit-exceeded" });
      assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
    }
  });
});

describe("limits", () => {
  test("defaults are filled in, and all that is wrong is listed", () => {
    const { read } = limitsOption(DEFAULT_LIMITS);
    assert.deepEqual(read({ frameBytes: 5 }, "limits", []), { ...DEFAULT_LIMITS, frameBytes: 5 });
    const error = throwsWith(
      () => readOptions(read, { frameBytes: 0, encryptedDataKeys: 70_000, contextBytes: NaN, other: 1 }),
      "option-invalid",
    );
    for (const name of ["frameBytes", "encryptedDataKeys", "contextBytes", "other"])
      assert.match(error.message, new RegExp(name));
  });
});
