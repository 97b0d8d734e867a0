import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import { decrypt, decryptStream, inspect } from "@strongroom/envelope";
import { ALGORITHM_SUITES } from "@strongroom/envelope/format";
import type { AlgorithmSuite } from "@strongroom/envelope/format";
import { rejectsWith } from "../support/errors.ts";
import { rawAesEntry, writeMessage } from "../support/message-writer.ts";
import { context, options, wrappingKey } from "../support/written-messages.ts";
import type { WriterOptions } from "../support/message-writer.ts";

function write(
  suite: AlgorithmSuite,
  overrides: Partial<WriterOptions> = {},
): { readonly message: Buffer; readonly plaintext: Buffer } {
  const plaintext = Buffer.from(overrides.plaintext ?? randomBytes(50));
  const wrap: WriterOptions["wrap"] = (dataKey, serialized) => [
    rawAesEntry("test", "key-1", wrappingKey, dataKey, serialized),
  ];
  return { message: writeMessage({ suite, frameLength: 16, context, wrap, ...overrides, plaintext }), plaintext };
}

describe("messages written by a second implementation of the specification", () => {
  for (const suite of Object.values(ALGORITHM_SUITES)) {
    test(`${suite.name}: framed and unframed, as buffer and as stream`, async () => {
      for (const size of [0, 1, 16, 50]) {
        for (const frameLength of [16, null]) {
          const { message, plaintext } = write(suite, { frameLength, plaintext: randomBytes(size) });
          assert.equal(inspect(message).contentType, frameLength === null ? "unframed" : "framed");
          assert.deepEqual(Buffer.from((await decrypt(message, options)).plaintext), plaintext);
          for (const chunk of [1, 20, 5000]) {
            const pieces = Array.from({ length: Math.ceil(message.length / chunk) }, (_, index) =>
              message.subarray(index * chunk, (index + 1) * chunk),
            );
            assert.deepEqual(await buffer(ReadableStream.from(pieces).pipeThrough(decryptStream(options))), plaintext);
          }
        }
      }
    });
  }

  test("an empty final frame after a full one", async () => {
    const { message, plaintext } = write(ALGORITHM_SUITES.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY, {
      plaintext: randomBytes(32),
      emptyFinalFrame: true,
    });
    assert.equal(inspect(message).body?.frames, 3);
    assert.deepEqual(Buffer.from((await decrypt(message, options)).plaintext), plaintext);
  });

  test("IVs other than the sequence number, as the first SDKs drew them", async () => {
    for (const suite of [
      ALGORITHM_SUITES.ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA256,
      ALGORITHM_SUITES.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    ]) {
      for (const frameLength of [16, null]) {
        const { message, plaintext } = write(suite, { frameLength, randomIvs: true });
        assert.deepEqual(Buffer.from((await decrypt(message, options)).plaintext), plaintext);
      }
    }
  });

  test("a context in another order than by UTF-8 bytes is read, as SDKs have written it", async () => {
    const unordered = [
      ["b", "2"],
      ["a", "1"],
    ] as const;
    const { message, plaintext } = write(ALGORITHM_SUITES.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY, {
      context: unordered,
    });
    assert.deepEqual(Buffer.from((await decrypt(message, options)).plaintext), plaintext);
  });

  test("a context key that stands twice is refused", async () => {
    const { message } = write(ALGORITHM_SUITES.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY, {
      context: [
        ["a", "1"],
        ["a", "1"],
      ],
    });
    await rejectsWith(decrypt(message, { ...options, encryptionContext: { a: "1" } }), "message-malformed");
  });

  test("a public signing key in an unsigned message is refused", async () => {
    const { message } = write(ALGORITHM_SUITES.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY, {
      context: [...context, ["aws-crypto-public-key", "AAAA"]],
    });
    await rejectsWith(decrypt(message, options), "message-malformed");
  });

  test("messages with several encrypted data keys open by any of them; too many are refused before any is tried", async () => {
    const wrap: WriterOptions["wrap"] = (dataKey, serialized) => [
      ...Array.from({ length: 16 }, (_, index) =>
        rawAesEntry("test", `stranger-${index}`, randomBytes(32), dataKey, serialized),
      ),
      rawAesEntry("test", "key-1", wrappingKey, dataKey, serialized),
    ];
    const { message, plaintext } = write(ALGORITHM_SUITES.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY, { wrap });
    await rejectsWith(decrypt(message, options), "limit-exceeded");
    const opened = await decrypt(message, { ...options, limits: { encryptedDataKeys: 17 } });
    assert.deepEqual(Buffer.from(opened.plaintext), plaintext);
  });
});
