import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { cachingMaterials, decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
import { multiKeyring } from "@strongroom/envelope/multi-keyring";
import { canonicalContext } from "../../src/format/encryption-context.ts";
import { parseHeader } from "../../src/format/header.ts";
import { DEFAULT_LIMITS } from "../../src/format/suites.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";

const namedKeyring = (keyName: string) =>
  rawAesKeyring({ keyNamespace: "test", keyName, wrappingKey: randomBytes(32) });
const keyring = namedKeyring("key-1");

describe("what is remembered from one message to the next", () => {
  test("a context that was changed in place is another context", async () => {
    const encryptionContext: Record<string, string> = { id: "1", kind: "a" };
    const { message } = await encrypt(Buffer.from("one"), { keyring, encryptionContext });
    encryptionContext["id"] = "2";
    const error = await rejectsWith(decrypt(message, { keyring, encryptionContext }), "context-mismatch");
    assert.deepEqual(error.contextKeys, ["id"]);
    encryptionContext["id"] = "1";
    await decrypt(message, { keyring, encryptionContext });
    encryptionContext["more"] = "";
    await rejectsWith(decrypt(message, { keyring, encryptionContext }), "context-mismatch");
  });

  test("a context is held against the limits of every call, and must be strings in every call", () => {
    const context = { id: "x".repeat(100) };
    const first = canonicalContext(context, DEFAULT_LIMITS);
    assert.equal(canonicalContext({ ...context }, DEFAULT_LIMITS), first);
    throwsWith(() => canonicalContext(context, { ...DEFAULT_LIMITS, contextBytes: 50 }), "limit-exceeded");
    throwsWith(() => canonicalContext({ id: 1 }, DEFAULT_LIMITS), "option-invalid");
    throwsWith(() => canonicalContext(Object.create(context), DEFAULT_LIMITS), "option-invalid");
  });

  test("the same pairs in another order are the same context", () => {
    const { bytes } = canonicalContext({ a: "1", b: "2" }, DEFAULT_LIMITS);
    assert.deepEqual(canonicalContext({ b: "2", a: "1" }, DEFAULT_LIMITS).bytes, bytes);
  });

  test("encrypted data keys outlive the message they were read from", async () => {
    const { message, encryptedDataKeys } = await encrypt(Buffer.from("one"), { keyring, encryptionContext: {} });
    const copy = Buffer.from(message);
    const read = parseHeader(message, DEFAULT_LIMITS).encryptedDataKeys;
    message.fill(0);
    for (const keys of [read, parseHeader(copy, DEFAULT_LIMITS).encryptedDataKeys]) {
      assert.deepEqual(
        keys.map(({ ciphertext }) => Buffer.from(ciphertext)),
        encryptedDataKeys.map(({ ciphertext }) => ciphertext),
      );
    }
  });

  test("encrypted data keys are held against the limit of every call", async () => {
    const two = multiKeyring({ generator: namedKeyring("key-2"), children: [namedKeyring("key-3")] });
    const { message } = await encrypt(Buffer.from("one"), { keyring: two, encryptionContext: {} });
    assert.equal(parseHeader(message, DEFAULT_LIMITS).encryptedDataKeys.length, 2);
    throwsWith(() => parseHeader(message, { ...DEFAULT_LIMITS, encryptedDataKeys: 1 }), "limit-exceeded");
  });

  test("a header that ends within keys that are remembered is truncated", async () => {
    const { message } = await encrypt(Buffer.from("one"), { keyring, encryptionContext: {} });
    const { length } = parseHeader(message, DEFAULT_LIMITS);
    for (let end = 0; end < length; end++)
      throwsWith(() => parseHeader(message.subarray(0, end), DEFAULT_LIMITS), "message-truncated");
  });

  test("messages of two data keys and two contexts in turn, through one cache, open each as its own", async () => {
    const materials = cachingMaterials({ keyring, maxAgeMs: 60_000, maxMessages: 2 });
    const messages: {
      readonly text: string;
      readonly message: Uint8Array;
      readonly encryptionContext: Record<string, string>;
    }[] = [];
    for (let index = 0; index < 12; index++) {
      const encryptionContext = { id: String(index % 2) };
      const text = `message ${index}`;
      const { message } = await encrypt(Buffer.from(text), { materials, encryptionContext });
      messages.push({ text, message, encryptionContext });
    }
    for (const { text, message, encryptionContext } of [...messages, ...messages.toReversed()]) {
      const opened = await decrypt(message, { materials, encryptionContext });
      assert.equal(Buffer.from(opened.plaintext).toString(), text);
      await rejectsWith(decrypt(message, { materials, encryptionContext: { id: "3" } }), "context-mismatch");
    }
  });
});
