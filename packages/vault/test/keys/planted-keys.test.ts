/**
 * Whoever has a public key and may write to the key store can wrap a key that he knows, with a check that is right. It
 * must not be what the next writer seals under.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { test } from "node:test";
import { encrypt, rawAesKeyring } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { branchKeySealing } from "@strongroom/envelope/hierarchical";
import { makeKey, unwrapKey } from "@strongroom/envelope/keyrings";
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import { multiKeyring } from "@strongroom/envelope/multi-keyring";
import { rawRsaKeyring } from "@strongroom/envelope/raw-rsa";
import type { KeyStore, KeyVersion, SubjectId } from "@strongroom/vault";
import { memoryKeyStore, MemoryKeyStorage } from "@strongroom/vault/memory";
import { envelopeFailure } from "../../src/envelope-failure.ts";
import { keyCheck, keyContext } from "../../src/keys/key-binding.ts";
import { rejectsWith } from "../support/errors.ts";
import { byName, opened, sealed, testKeys, VAULT, WRAPPING_KEY } from "../support/subject-keys.ts";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const RSA = { keyNamespace: "recovery", keyName: "rsa-1", padding: "OAEP_SHA256_MGF1" } as const;
const publicOnly = rawRsaKeyring({ ...RSA, publicKey });
const recovery = rawRsaKeyring({ ...RSA, publicKey, privateKey });
const symmetric = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: WRAPPING_KEY });
const both = multiKeyring({ generator: symmetric, children: [recovery] });

/** A newer key of somebody, which the planter knows. */
async function planted(
  store: KeyStore,
  owner: SubjectId,
  keyring: Keyring,
): Promise<SecretBytes & { version: string }> {
  const place = { kind: "subject", owner, version: randomUUID() as string as KeyVersion } as const;
  const createdAt = new Date().toISOString();
  const { key, wraps } = await makeKey({ keyring, encryptionContext: keyContext(VAULT, place, createdAt) });
  const columns = { ...place, ordinal: 2, generation: 1, createdAt };
  const { epoch } = await store.gate.current();
  const [result] = await store.keys.create([
    {
      epoch,
      name: null,
      key: {
        ...columns,
        check: keyCheck(key, VAULT, columns),
        wraps: wraps.map(({ providerId, providerInfo, ciphertext }) => ({
          provider: providerId,
          info: providerInfo,
          ciphertext,
        })),
        wrapSet: { wraps: [{ provider: RSA.keyNamespace, key: RSA.keyName, material: null }], target: 1, missing: [] },
      },
    },
  ]);
  assert.equal(result?.kind, "made");
  return Object.assign(key, { version: place.version });
}

test("a key that was planted under a public key seals nothing and opens nothing", async (t) => {
  const store = memoryKeyStore();
  const ada = await testKeys(t, { store, keyring: both }).sealer(byName("subject", "ada"));
  const message = await sealed(ada);
  const id = ada.subject as string as SubjectId;
  using key = await planted(store, id, publicOnly);
  const { keys } = testKeys(t, { store, keyring: both });
  const [sealer] = await keys.sealers([byName("subject", "ada")], undefined);
  assert.equal((sealer as { code?: string }).code, "key-not-configured");
  const forged = await encrypt(Buffer.from("forged"), {
    keyring: branchKeySealing(id, { version: key.version, key }),
    encryptionContext: { "strongroom:subject": id },
  });
  const read = await opened(keys, forged.message).catch((error: unknown) => envelopeFailure(error).code);
  assert.equal(read, "key-not-configured");
  await rejectsWith("key-not-configured", () => keys.renew(id, "subject", undefined));
  assert.equal(await opened(keys, message), "a document", "what was sealed under the right key opens");
});

test("wraps under a public key are for recovery: beside another one, and opened by hand", async (t) => {
  const storage = new MemoryKeyStorage();
  const { store, sealer } = testKeys(t, { storage, keyring: both });
  const { subject } = await sealer(byName("subject", "ada"));
  const row = (await store.keys.active([{ kind: "subject", owner: subject }]))[0]!.key!;
  assert.deepEqual(row.wraps.map(({ provider }) => provider).toSorted(), ["recovery", "test"]);
  const options = {
    keyring: recovery,
    encryptionContext: keyContext(VAULT, row, row.createdAt),
    accepts: (key: Uint8Array) => keyCheck(key, VAULT, row).equals(row.check),
  };
  const wraps = row.wraps.map(({ provider, info, ciphertext }) => ({
    providerId: provider,
    providerInfo: info,
    ciphertext,
  }));
  using key = (await unwrapKey(wraps, options)).key;
  assert.equal(key.length, 32);
  await assert.rejects(unwrapKey(wraps, { ...options, secretKeysOnly: true }), { code: "no-matching-key" });
});

test("a keyring of public keys alone keeps no keys of people", async (t) => {
  const { keys, store } = testKeys(t, { keyring: recovery });
  await rejectsWith("key-not-configured", () => keys.sealers([byName("subject", "ada")], undefined));
  assert.deepEqual(await store.keys.people({ after: null, limit: 1 }), []);
});
