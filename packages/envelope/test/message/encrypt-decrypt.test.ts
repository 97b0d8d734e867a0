import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { decrypt, encrypt, inspect, rawAesKeyring } from "@strongroom/envelope";
import { ALGORITHM_SUITES } from "@strongroom/envelope/format";
import type { DecryptOptions, EncryptOptions, EnvelopeErrorCode, Keyring } from "@strongroom/envelope";
import type { AlgorithmSuiteName } from "@strongroom/envelope/format";
import { rejectsWith, throwsWith } from "../support/errors.ts";

const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: randomBytes(32) });
const context = { collection: "customers", id: "42" };

/** A keyring that fails the test when it is asked. */
const untouchable: Keyring = {
  onEncrypt: () => assert.fail("a keyring was asked"),
  onDecrypt: () => assert.fail("a keyring was asked"),
};

function optionsFor(name: AlgorithmSuiteName): { readonly enc: EncryptOptions; readonly dec: DecryptOptions } {
  const committing = ALGORITHM_SUITES[name].committing;
  const suite = {
    suite: name,
    commitmentPolicy: committing ? "require-encrypt-require-decrypt" : "forbid-encrypt-allow-decrypt",
  };
  return {
    enc: { keyring, encryptionContext: context, ...suite } as EncryptOptions,
    dec: { keyring, encryptionContext: context, commitmentPolicy: "require-encrypt-allow-decrypt" },
  };
}

describe("round trips", () => {
  for (const name of Object.keys(ALGORITHM_SUITES) as AlgorithmSuiteName[]) {
    test(`${name}: sizes around the frame length`, async () => {
      const { enc, dec } = optionsFor(name);
      for (const size of [0, 1, 15, 16, 17, 31, 32, 33, 160]) {
        const plaintext = randomBytes(size);
        const { message } = await encrypt(plaintext, { ...enc, frameLength: 16 });
        const opened = await decrypt(message, dec);
        assert.deepEqual(Buffer.from(opened.plaintext), plaintext);
        assert.deepEqual(opened.encryptionContext, context);
      }
    });
  }

  test("the default suite is the committing one without a signature, in frames of 4096", async () => {
    const { message } = await encrypt(randomBytes(5000), { keyring, encryptionContext: context });
    const seen = inspect(message);
    assert.equal(seen.suiteId, "0x0478");
    assert.equal(seen.frameLength, 4096);
    assert.deepEqual(seen.body, { frames: 2, plaintextLength: 5000 });
    assert.deepEqual(seen.encryptionContext, context);
  });

  test("context keys named like Object's own are keys like any other", async () => {
    const odd = Object.fromEntries([
      ["__proto__", "a"],
      ["constructor", "b"],
      ["", ""],
      ["\u{1F600}", "c"],
      ["\uFF5E", "d"],
    ]);
    const { message } = await encrypt(randomBytes(8), { keyring, encryptionContext: odd });
    const { encryptionContext } = await decrypt(message, { keyring, encryptionContext: odd });
    assert.deepEqual(Object.entries(encryptionContext).sort(), Object.entries(odd).sort());
    await rejectsWith(decrypt(message, { keyring, encryptionContext: {} }), "context-mismatch");
  });

  test("two messages of one plaintext share no message id", async () => {
    const ids = new Set<string>();
    for (let count = 0; count < 600; count++) {
      const { message } = await encrypt(new Uint8Array(1), { keyring, encryptionContext: {} });
      ids.add(inspect(message).messageId);
    }
    assert.equal(ids.size, 600);
  });
});

describe("refusals before any key is asked for", async () => {
  const { message } = await encrypt(randomBytes(100), { keyring, encryptionContext: context, frameLength: 32 });
  const refused: readonly [string, Uint8Array, Partial<DecryptOptions>, EnvelopeErrorCode][] = [
    ["another context value", message, { encryptionContext: { ...context, id: "43" } }, "context-mismatch"],
    ["a missing context key", message, { encryptionContext: { id: "42" } }, "context-mismatch"],
    ["an extra context key", message, { encryptionContext: { ...context, more: "x" } }, "context-mismatch"],
    ["trailing bytes", Buffer.concat([message, Buffer.of(0)]), {}, "message-trailing-bytes"],
    ["a missing byte", message.subarray(0, -1), {}, "message-truncated"],
    ["nothing at all", new Uint8Array(0), {}, "message-truncated"],
    ["base64", Buffer.from(Buffer.from(message).toString("base64")), {}, "message-malformed"],
    ["too many encrypted data keys", message, { limits: { contextBytes: 10 } }, "limit-exceeded"],
    ["a frame longer than the limit", message, { limits: { frameBytes: 31 } }, "limit-exceeded"],
    ["a body longer than the limit", message, { limits: { plaintextBytes: 99 } }, "limit-exceeded"],
  ];
  for (const [what, bytes, options, code] of refused) {
    test(what, async () => {
      await rejectsWith(
        decrypt(bytes, { keyring: untouchable, encryptionContext: context, ...options } as DecryptOptions),
        code,
      );
    });
  }

  test("a mismatch names the keys and never the values", async () => {
    const error = await rejectsWith(
      decrypt(message, { keyring: untouchable, encryptionContext: { ...context, id: "secret-43" } }),
      "context-mismatch",
    );
    assert.deepEqual(error.contextKeys, ["id"]);
    assert.doesNotMatch(error.message, /secret-43|42/);
  });

  test("suites without commitment under the default policy", async () => {
    const { enc } = optionsFor("ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA256");
    const old = await encrypt(randomBytes(9), enc);
    await rejectsWith(decrypt(old.message, { keyring: untouchable, encryptionContext: context }), "commitment-policy");
    const wrong = { keyring: untouchable, encryptionContext: context, suite: "ALG_AES_128_GCM_IV12_TAG16_NO_KDF" };
    await rejectsWith(encrypt(randomBytes(9), wrong as unknown as EncryptOptions), "commitment-policy");
  });

  test("an aborted signal", async () => {
    const signal = AbortSignal.abort();
    await rejectsWith(encrypt(randomBytes(1), { keyring: untouchable, encryptionContext: context, signal }), "aborted");
    await rejectsWith(decrypt(message, { keyring: untouchable, encryptionContext: context, signal }), "aborted");
  });

  const badOptions: readonly [string, Record<string, unknown>][] = [
    ["no encryption context", { encryptionContext: undefined }],
    ["a context value that is no string", { encryptionContext: { id: 42 } }],
    ["a lone surrogate", { encryptionContext: { id: "\uD800" } }],
    ["a reserved context key", { encryptionContext: { "aws-crypto-public-key": "x" } }],
    ["an unknown suite", { suite: "ROT13" }],
    ["an unknown policy", { commitmentPolicy: "whatever" }],
    ["frame length zero", { frameLength: 0 }],
    ["a broken frame length", { frameLength: 1.5 }],
    ["no keys", { keyring: undefined }],
    ["a limit that does not exist", { limits: { frames: 3 } }],
    ["a limit that is no number", { limits: { frameBytes: "3" } }],
    ["a required key that is not in the context", { requiredContextKeys: ["tenant"] }],
  ];
  for (const [what, options] of badOptions) {
    test(`option-invalid: ${what}`, async () => {
      const given = { keyring: untouchable, encryptionContext: context, ...options } as unknown as EncryptOptions;
      await rejectsWith(encrypt(randomBytes(1), given), "option-invalid");
    });
  }
});

describe("required context keys", () => {
  const full = { ...context, tenant: "acme" };

  test("are authenticated without being stored", async () => {
    const { message } = await encrypt(randomBytes(40), {
      keyring,
      encryptionContext: full,
      requiredContextKeys: ["tenant"],
    });
    assert.deepEqual(inspect(message).encryptionContext, context);
    const opened = await decrypt(message, { keyring, encryptionContext: full, requiredContextKeys: ["tenant"] });
    assert.deepEqual(opened.encryptionContext, full);
  });

  test("that are wrong or missing open nothing", async () => {
    const { message } = await encrypt(randomBytes(40), {
      keyring,
      encryptionContext: full,
      requiredContextKeys: ["tenant"],
    });
    await rejectsWith(decrypt(message, { keyring, encryptionContext: full }), "context-mismatch");
    await rejectsWith(decrypt(message, { keyring, encryptionContext: context }), "decryption-failed");
    const other = { ...full, tenant: "other" };
    await rejectsWith(
      decrypt(message, { keyring, encryptionContext: other, requiredContextKeys: ["tenant"] }),
      "decryption-failed",
    );
  });

  test("that the message does store are compared like the others", async () => {
    const { message } = await encrypt(randomBytes(40), { keyring, encryptionContext: full });
    await decrypt(message, { keyring, encryptionContext: full, requiredContextKeys: ["tenant"] });
    const other = { ...full, tenant: "other" };
    await rejectsWith(
      decrypt(message, { keyring, encryptionContext: other, requiredContextKeys: ["tenant"] }),
      "context-mismatch",
    );
  });
});

describe("inspect", () => {
  test("shows a header without any key, and what is wrong with the body", async () => {
    const { message } = await encrypt(randomBytes(100), { keyring, encryptionContext: context });
    const whole = inspect(message);
    assert.equal(whole.problem, null);
    assert.deepEqual(
      whole.encryptedDataKeys.map(({ providerId, keyInfo, region }) => [providerId, keyInfo, region]),
      [["test", "key-1", null]],
    );
    assert.equal(inspect(message.subarray(0, whole.headerLength)).problem?.code, "message-truncated");
    assert.equal(inspect(Buffer.concat([message, message])).problem?.code, "message-trailing-bytes");
  });

  test("refuses what is no message", () => {
    throwsWith(() => inspect(Buffer.from("hello, world")), "message-malformed");
  });
});
