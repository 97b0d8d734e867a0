/**
 * Nothing that is handed out is shared with what is kept for the next message: whoever changes every byte, array and
 * object of a result has changed that result and nothing else.
 */
import assert from "node:assert/strict";
import { KeyObject, randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import {
  cachingMaterials,
  createDecryptStream,
  createEncryptStream,
  decrypt,
  encrypt,
  inspect,
  rawAesKeyring,
} from "@strongroom/envelope";
import type { CachingMaterials, Keyring } from "@strongroom/envelope";
import { multiKeyring } from "@strongroom/envelope/multi-keyring";
import { SecretBytes } from "@strongroom/envelope/keyrings";
import { canonicalContext } from "../../src/format/encryption-context.ts";
import { parseHeader } from "../../src/format/header.ts";
import { ALGORITHM_SUITES, DEFAULT_LIMITS } from "../../src/format/suites.ts";

const encryptionContext = { id: "42", tenant: "a" };
const plaintext = Buffer.from("genuine");
const CALL = { signal: undefined };

/** Real keys, and a report of where they lie as the multi-region keyring gives one. */
function reportingKeyring(): Keyring {
  const named = (keyName: string) => rawAesKeyring({ keyNamespace: "test", keyName, wrappingKey: randomBytes(32) });
  const inner = multiKeyring({ generator: named("key-1"), children: [named("key-2")] });
  return {
    async onEncrypt(materials, call) {
      const made = await inner.onEncrypt(materials, call);
      const stored = [{ region: "eu-west-1", keyArn: "arn:1" }];
      const missing = [{ region: "eu-west-2", keyArn: "arn:2", reason: "timeout" }] as const;
      return { ...made, wraps: { target: 2, minimum: 1, stored, missing } };
    },
    onDecrypt: (materials, keys, call) => inner.onDecrypt(materials, keys, call),
  };
}

/** Every object that can be reached, but for functions, native keys and the machinery of Node. */
function reachable(from: unknown): Set<object> {
  const seen = new Set<object>();
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    if (value instanceof SecretBytes) {
      walk(value.bytes);
      return;
    }
    seen.add(value);
    if (value instanceof Uint8Array || value instanceof KeyObject) return;
    for (const key of Reflect.ownKeys(value)) walk((value as Record<PropertyKey, unknown>)[key]);
  };
  walk(from);
  return seen;
}

/** Changes all that can be changed of it; what is frozen says so by an exception, which is what is wanted. */
function ruin(result: unknown): number {
  let ruined = 0;
  for (const object of reachable(result)) {
    ruined++;
    if (object instanceof Uint8Array) {
      object.fill(0xee);
      continue;
    }
    for (const key of Reflect.ownKeys(object)) {
      if (Array.isArray(object) && key === "length") continue;
      Reflect.set(object, key, "ruined");
      Reflect.deleteProperty(object, key);
    }
    if (Array.isArray(object)) Reflect.set(object, "length", 0);
    Reflect.set(object, "extra", "ruined");
    Reflect.setPrototypeOf(object, null);
  }
  return ruined;
}

const SUITES = ["ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY", "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384"] as const;
type Suite = (typeof SUITES)[number];

interface Subject {
  readonly keyring: Keyring;
  readonly materials: CachingMaterials;
  readonly suite: Suite;
  readonly message: Uint8Array;
}

async function streamed({ materials, suite }: Subject) {
  const sealing = createEncryptStream({ materials, suite, encryptionContext, plaintextLengthBound: 100 });
  sealing.end(plaintext);
  return { message: await buffer(sealing), result: await sealing.result };
}

const request = (suite: Suite) => ({
  suite: ALGORITHM_SUITES[suite],
  commitmentPolicy: "require-encrypt-require-decrypt" as const,
  encryptionContext: canonicalContext(encryptionContext, DEFAULT_LIMITS),
  requiredContextKeys: ["tenant"],
});

/** What the library hands out, by where. */
const RESULTS: Readonly<Record<string, (subject: Subject) => unknown>> = {
  "encrypt result": ({ materials, suite }) => encrypt(plaintext, { materials, suite, encryptionContext }),
  "decrypt result": ({ materials, message }) => decrypt(Buffer.from(message), { materials, encryptionContext }),
  "decrypt result without a cache": ({ keyring, message }) =>
    decrypt(Buffer.from(message), { keyring, encryptionContext }),
  inspection: ({ message }) => inspect(Buffer.from(message)),
  "encrypt stream result": streamed,
  "decrypt stream result": async ({ materials, message }) => {
    const opening = createDecryptStream({ materials, encryptionContext });
    opening.end(Buffer.from(message));
    return { plaintext: await buffer(opening), result: await opening.result };
  },
  "encryption materials": async ({ materials, suite }) => {
    const own = { ...request(suite), plaintextLength: 10 };
    await materials.getEncryptionMaterials(own, CALL);
    return materials.getEncryptionMaterials(own, CALL);
  },
  "encryption materials of messages": ({ materials, suite }) =>
    materials.getEncryptionMaterials({ ...request(suite), requiredContextKeys: [], plaintextLength: 10 }, CALL),
  "decryption materials": ({ materials, suite, message }) => {
    const header = parseHeader(Buffer.from(message), DEFAULT_LIMITS);
    const own = { ...request(suite), encryptionContext: header.context, requiredContextKeys: [] };
    const accepts = (): boolean => true;
    return materials.decryptMaterials({ ...own, encryptedDataKeys: header.encryptedDataKeys, accepts }, CALL);
  },
};

for (const [name, hand] of Object.entries(RESULTS)) {
  for (const suite of SUITES) {
    for (const hotMessages of [0, 10]) {
      test(`${name}, ${suite}, ${hotMessages} hot messages`, async () => {
        const keyring = reportingKeyring();
        const materials = cachingMaterials({ keyring, maxAgeMs: 60_000, hotMessages });
        const options = { materials, suite, encryptionContext };
        const first = await encrypt(plaintext, options);
        const message = Buffer.from(first.message);
        const expected = structuredClone({ keys: first.encryptedDataKeys, wraps: first.wraps });
        const told = structuredClone(await decrypt(Buffer.from(message), { materials, encryptionContext }));
        assert.equal(told.openedBy?.key, "key-1");

        for (let times = 0; times < 2; times++) {
          const handed = await hand({ keyring, materials, suite, message });
          assert.ok(ruin(handed) > 0);
          assert.equal(ALGORITHM_SUITES[suite].keyLength, 32);

          const next = await encrypt(plaintext, options);
          assert.deepEqual(structuredClone({ keys: next.encryptedDataKeys, wraps: next.wraps }), expected);
          assert.deepEqual(next.encryptionContext, encryptionContext);
          for (const bytes of [next.message, message]) {
            for (const source of [{ materials }, { keyring }]) {
              const opened = await decrypt(Buffer.from(bytes), { ...source, encryptionContext });
              assert.equal(Buffer.from(opened.plaintext).toString(), "genuine");
              assert.deepEqual(opened.encryptionContext, encryptionContext);
              const { storedContext, openedBy } = opened;
              assert.deepEqual(
                { storedContext, openedBy },
                { storedContext: told.storedContext, openedBy: told.openedBy },
              );
            }
          }
        }
        assert.equal(materials.counts().evictions, 0);
      });
    }
  }
}

describe("a caller's own things", () => {
  test("a context that is changed while a call is under way is what it was when the call began", async () => {
    const keyring = reportingKeyring();
    const changing: Record<string, string> = { ...encryptionContext };
    const sealing = encrypt(plaintext, { keyring, encryptionContext: changing });
    changing["id"] = "43";
    const sealed = await sealing;
    assert.deepEqual(sealed.encryptionContext, encryptionContext);
    changing["id"] = "42";
    const opening = decrypt(sealed.message, { keyring, encryptionContext: changing });
    changing["id"] = "44";
    assert.deepEqual((await opening).encryptionContext, encryptionContext);
  });

  test("a keyring that keeps one array for all its wraps is written as it stands each time", async () => {
    const inner = reportingKeyring();
    const mine: Awaited<ReturnType<Keyring["onEncrypt"]>>["encryptedDataKeys"][number][] = [];
    const keyring: Keyring = {
      async onEncrypt(materials, call) {
        const made = await inner.onEncrypt(materials, call);
        mine.splice(0, mine.length, ...made.encryptedDataKeys);
        return { ...made, encryptedDataKeys: mine };
      },
      onDecrypt: (materials, keys, call) => inner.onDecrypt(materials, keys, call),
    };
    const materials = cachingMaterials({ keyring, maxAgeMs: 60_000, maxMessages: 2 });
    const options = [{ keyring }, { materials }] as const;
    for (const source of options) {
      for (let count = 0; count < 4; count++) {
        const { message } = await encrypt(plaintext, { ...source, encryptionContext });
        await decrypt(message, { keyring: inner, encryptionContext });
      }
    }
  });

  test("a shared key's bytes are its holder's own once they are read, and wiped with the handle", () => {
    const kept = new SecretBytes(randomBytes(32));
    const before = Buffer.from(kept.bytes);
    const handle = kept.share();
    const memory = handle.bytes;
    memory.fill(1);
    assert.equal(handle.bytes, memory, "the same at every reading");
    assert.deepEqual(kept.bytes, before);
    handle.wipe();
    assert.ok(memory.every((byte) => byte === 0));
    assert.deepEqual(kept.bytes, before);
    const last = kept.share();
    kept.wipe();
    assert.deepEqual(last.bytes, before, "the last to hold it still has it");
    const bytes = last.bytes;
    last.wipe();
    assert.ok(bytes.every((byte) => byte === 0));
  });
});
