import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, test } from "node:test";
import { cachingMaterials, createEncryptStream, decrypt, encrypt, inspect, rawAesKeyring } from "@strongroom/envelope";
import { MATERIALS_CACHE_CHANNEL } from "@strongroom/envelope/materials";
import type { CachingOptions, Keyring } from "@strongroom/envelope";
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import type { CacheEvent } from "@strongroom/envelope/materials";
import { buffer } from "node:stream/consumers";
import { rejectsWith, throwsWith } from "../support/errors.ts";
import { VirtualTime } from "../support/virtual-time.ts";

const encryptionContext = { id: "42" };

/** A real keyring that counts its calls, can be slow, and remembers the data keys it handed out. */
function setup(options: Partial<CachingOptions> = {}) {
  const inner = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: randomBytes(32) });
  const seen = { encrypts: 0, decrypts: 0, dataKeys: [] as SecretBytes[], failNext: false, gate: Promise.resolve() };
  const keyring: Keyring = {
    async onEncrypt(materials, call) {
      seen.encrypts++;
      await seen.gate;
      const made = await inner.onEncrypt(materials, call);
      if (made.dataKey !== null) seen.dataKeys.push(made.dataKey);
      return made;
    },
    async onDecrypt(materials, keys, call) {
      seen.decrypts++;
      await seen.gate;
      const opened = await inner.onDecrypt(materials, keys, call);
      if (opened.dataKey !== null) seen.dataKeys.push(opened.dataKey);
      return opened;
    },
  };
  const time = new VirtualTime();
  const materials = cachingMaterials({ keyring, maxAgeMs: 60_000, time, ...options } as CachingOptions);
  return { keyring, materials, seen, time };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe("reuse", () => {
  test("one data key for many messages, each with its own message id and readable by the keyring alone", async () => {
    const { keyring, materials, seen } = setup();
    const messages = [];
    for (let count = 0; count < 10; count++)
      messages.push((await encrypt(Buffer.from(`message ${count}`), { materials, encryptionContext })).message);
    assert.equal(seen.encrypts, 1);
    assert.equal(new Set(messages.map((message) => inspect(message).messageId)).size, 10);
    for (const [index, message] of messages.entries()) {
      assert.equal(text((await decrypt(message, { keyring, encryptionContext })).plaintext), `message ${index}`);
      assert.equal(text((await decrypt(message, { materials, encryptionContext })).plaintext), `message ${index}`);
    }
    assert.equal(seen.decrypts, 11);
    assert.deepEqual(materials.counts(), { hits: 18, misses: 2, shared: 0, bypasses: 0, evictions: 0 });
  });

  const different: readonly [string, Record<string, unknown>][] = [
    ["context", { encryptionContext: { id: "43" } }],
    ["suite", { suite: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384" }],
    ["commitment policy", { commitmentPolicy: "require-encrypt-allow-decrypt" }],
    ["required context keys", { requiredContextKeys: ["id"] }],
  ];
  for (const [what, options] of different) {
    test(`not across another ${what}`, async () => {
      const { materials, seen } = setup();
      await encrypt(Buffer.from("a"), { materials, encryptionContext });
      await encrypt(Buffer.from("a"), { materials, encryptionContext, ...options });
      assert.equal(seen.encrypts, 2);
    });
  }

  test("two caches share nothing, whatever they are around", async () => {
    const { keyring, seen } = setup();
    for (let count = 0; count < 2; count++)
      await encrypt(Buffer.from("a"), { materials: cachingMaterials({ keyring, maxAgeMs: 1000 }), encryptionContext });
    assert.equal(seen.encrypts, 2);
  });

  test("signed suites keep their signing key with the data key", async () => {
    const { materials, seen } = setup();
    const suite = "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384";
    for (let count = 0; count < 3; count++) {
      const { message } = await encrypt(Buffer.from("signed"), { materials, encryptionContext, suite });
      assert.equal(text((await decrypt(message, { materials, encryptionContext })).plaintext), "signed");
    }
    assert.deepEqual([seen.encrypts, seen.decrypts], [1, 1]);
  });

  test("never for suites that use the data key itself, nor for streams of unknown length", async () => {
    const { materials, seen } = setup();
    const plain = {
      materials,
      encryptionContext,
      suite: "ALG_AES_256_GCM_IV12_TAG16_NO_KDF",
      commitmentPolicy: "forbid-encrypt-allow-decrypt",
    } as const;
    for (let count = 0; count < 2; count++) {
      const { message } = await encrypt(Buffer.from("a"), plain);
      await decrypt(message, { materials, encryptionContext, commitmentPolicy: "require-encrypt-allow-decrypt" });
    }
    assert.deepEqual([seen.encrypts, seen.decrypts], [2, 2]);
    for (const bound of [{}, {}, { plaintextLengthBound: 10 }, { plaintextLengthBound: 10 }]) {
      const stream = createEncryptStream({ materials, encryptionContext, ...bound });
      stream.end("stream");
      await buffer(stream);
    }
    assert.equal(seen.encrypts, 2 + 2 + 1);
  });
});

describe("bounds", () => {
  test("messages", async () => {
    const { materials, seen } = setup({ maxMessages: 3 });
    for (let count = 0; count < 10; count++) await encrypt(Buffer.from("a"), { materials, encryptionContext });
    assert.equal(seen.encrypts, 4);
    assert.deepEqual(
      seen.dataKeys.map(({ wiped }) => wiped),
      [true, true, true, false],
    );
  });

  test("bytes", async () => {
    const { materials, seen } = setup({ maxBytes: 100 });
    for (let count = 0; count < 4; count++) await encrypt(randomBytes(40), { materials, encryptionContext });
    assert.equal(seen.encrypts, 2);
    await encrypt(randomBytes(101), { materials, encryptionContext });
    assert.equal(seen.encrypts, 3);
    assert.equal(materials.counts().bypasses, 1);
  });

  test("age, in both directions, also of what nobody asks for again", async () => {
    const { materials, seen, time } = setup({ maxAgeMs: 1000 });
    const { message } = await encrypt(Buffer.from("a"), { materials, encryptionContext });
    await decrypt(message, { materials, encryptionContext });
    assert.equal(materials.size, 2);
    await time.advance(999);
    assert.equal(materials.size, 2);
    await time.advance(2);
    assert.equal(materials.size, 0);
    assert.ok(seen.dataKeys.every(({ wiped }) => wiped));
    await encrypt(Buffer.from("a"), { materials, encryptionContext });
    assert.equal(seen.encrypts, 2);
  });

  test("capacity: the least recently used goes, wiped", async () => {
    const { materials, seen } = setup({ capacity: 2 });
    const one = (id: string) => encrypt(Buffer.from("a"), { materials, encryptionContext: { id } });
    await one("a");
    await one("b");
    await one("a");
    await one("c");
    assert.deepEqual(
      seen.dataKeys.map(({ wiped }) => wiped),
      [false, true, false],
    );
    await one("a");
    assert.equal(seen.encrypts, 3);
  });

  test("clearing and disposing wipes everything", async () => {
    const { materials, seen } = setup();
    {
      using disposed = materials;
      const { message } = await encrypt(Buffer.from("a"), { materials: disposed, encryptionContext });
      await decrypt(message, { materials: disposed, encryptionContext });
    }
    assert.equal(materials.size, 0);
    assert.ok(seen.dataKeys.every(({ wiped }) => wiped));
  });

  test("options that cannot work are listed", () => {
    const error = throwsWith(
      () => setup({ maxAgeMs: 0, maxMessages: 0, maxBytes: -1, capacity: 0, hotMessages: 0.5 }),
      "option-invalid",
    );
    for (const name of ["maxAgeMs", "maxMessages", "maxBytes", "capacity", "hotMessages"])
      assert.match(error.message, new RegExp(name));
  });
});

describe("single flight", () => {
  test("callers at the same moment share one call", async () => {
    const { materials, seen } = setup();
    const results = await Promise.all(
      Array.from({ length: 20 }, () => encrypt(Buffer.from("a"), { materials, encryptionContext })),
    );
    assert.equal(seen.encrypts, 1);
    await Promise.all(results.map(({ message }) => decrypt(message, { materials, encryptionContext })));
    assert.equal(seen.decrypts, 1);
  });

  test("with few messages per key they share as few calls as can be", async () => {
    const { materials, seen } = setup({ maxMessages: 4 });
    const results = await Promise.all(
      Array.from({ length: 20 }, () => encrypt(Buffer.from("a"), { materials, encryptionContext })),
    );
    assert.equal(seen.encrypts, 5);
    assert.equal(results.length, 20);
  });

  test("one who gives up does not take the others along", async () => {
    const { materials, seen } = setup();
    let open = (): void => undefined;
    seen.gate = new Promise((resolve) => (open = resolve));
    const signal = AbortSignal.timeout(10);
    const quitter = rejectsWith(encrypt(Buffer.from("a"), { materials, encryptionContext, signal }), "aborted");
    const stayer = encrypt(Buffer.from("a"), { materials, encryptionContext });
    await quitter;
    open();
    assert.equal((await stayer).encryptedDataKeys.length, 1);
    assert.equal(seen.encrypts, 1);
  });

  test("a tampered message does not fail genuine ones that wait for the same key", async () => {
    const { materials } = setup();
    const { message } = await encrypt(Buffer.from("genuine"), { materials, encryptionContext });
    materials.clear();
    const tampered = Buffer.from(message);
    tampered[5]! ^= 1;
    const bad = rejectsWith(decrypt(tampered, { materials, encryptionContext }), "decryption-failed");
    const good = decrypt(message, { materials, encryptionContext });
    await bad;
    assert.equal(text((await good).plaintext), "genuine");
  });

  test("a failure is everyone's who waits, and nobody's who comes later", async () => {
    const { materials, keyring } = setup();
    const { message } = await encrypt(Buffer.from("a"), { keyring, encryptionContext });
    const stranger = setup().materials;
    await Promise.all(
      [1, 2, 3].map(() =>
        rejectsWith(decrypt(message, { materials: stranger, encryptionContext }), "decryption-failed"),
      ),
    );
    assert.equal(text((await decrypt(message, { materials, encryptionContext })).plaintext), "a");
  });
});

describe("hot messages", () => {
  test("a message read again skips the keyring and the cache of data keys", async () => {
    const { materials, seen } = setup({ hotMessages: 10 });
    const { message } = await encrypt(Buffer.from("hot"), { materials, encryptionContext });
    for (let count = 0; count < 5; count++)
      assert.equal(text((await decrypt(message, { materials, encryptionContext })).plaintext), "hot");
    assert.equal(seen.decrypts, 1);
    assert.equal(materials.counts().hits, 4);
  });

  test("one changed byte anywhere is refused as ever", async () => {
    const { materials } = setup({ hotMessages: 10 });
    const { message } = await encrypt(Buffer.from("hot"), { materials, encryptionContext });
    await decrypt(message, { materials, encryptionContext });
    for (let index = 0; index < message.length; index++) {
      const changed = Buffer.from(message);
      changed[index]! ^= 0x10;
      await assert.rejects(decrypt(changed, { materials, encryptionContext }));
    }
    await rejectsWith(decrypt(message, { materials, encryptionContext: { id: "43" } }), "context-mismatch");
  });

  test("required context keys are part of what was verified", async () => {
    const { materials } = setup({ hotMessages: 10 });
    const options = {
      materials,
      encryptionContext: { ...encryptionContext, tenant: "a" },
      requiredContextKeys: ["tenant"],
    };
    const { message } = await encrypt(Buffer.from("hot"), options);
    await decrypt(message, options);
    await rejectsWith(
      decrypt(message, { ...options, encryptionContext: { ...encryptionContext, tenant: "b" } }),
      "decryption-failed",
    );
  });

  test("age bounds them too", async () => {
    const { materials, seen, time } = setup({ hotMessages: 10, maxAgeMs: 1000 });
    const { message } = await encrypt(Buffer.from("hot"), { materials, encryptionContext });
    await decrypt(message, { materials, encryptionContext });
    await time.advance(1001);
    await decrypt(message, { materials, encryptionContext });
    assert.equal(seen.decrypts, 2);
  });
});

test("events on the diagnostics channel name what happened and nothing else", async () => {
  const events: CacheEvent[] = [];
  const listener = (event: unknown): void => void events.push(event as CacheEvent);
  subscribe(MATERIALS_CACHE_CHANNEL, listener);
  const { materials } = setup({ maxMessages: 2 });
  for (let count = 0; count < 2; count++) await encrypt(Buffer.from("a"), { materials, encryptionContext });
  unsubscribe(MATERIALS_CACHE_CHANNEL, listener);
  assert.deepEqual(events, [
    { kind: "miss", scope: "encrypt" },
    { kind: "eviction", reason: "exhausted" },
    { kind: "hit", scope: "encrypt" },
  ]);
});
