import assert from "node:assert/strict";
import { createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { setImmediate as macrotask } from "node:timers/promises";
import { describe, test } from "node:test";
import { BranchKeyStoreNode, buildClient, CommitmentPolicy, KmsHierarchicalKeyRingNode } from "@aws-crypto/client-node";
import { NodeBranchKeyMaterial } from "@aws-crypto/material-management";
import { decrypt, encrypt, EnvelopeError } from "@strongroom/envelope";
import { SecretBytes } from "@strongroom/envelope/keyrings";
import { HIERARCHICAL_DEFAULTS, hierarchicalKeyring } from "@strongroom/envelope/hierarchical";
import type {
  BranchKeyStore,
  HierarchicalKeyring,
  HierarchicalKeyringOptions,
} from "@strongroom/envelope/hierarchical";
import { decryptionMaterials, encryptionMaterials, keyringContract, wrapped } from "../keyring-contract.ts";
import { InMemoryBranchKeys } from "../support/branch-key-store.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";
import { VirtualTime } from "../support/virtual-time.ts";

const CALL = { signal: undefined };
const encryptionContext = { tenant: "a", id: "42" };
const plaintext = Buffer.from("a name");

interface Setup {
  readonly keyStore: InMemoryBranchKeys;
  readonly keyring: HierarchicalKeyring;
  readonly time: VirtualTime;
}

function setup(options: Partial<HierarchicalKeyringOptions> = {}): Setup {
  const keyStore = new InMemoryBranchKeys();
  for (const id of ["tenant-a", "tenant-b", "tenant-c"]) keyStore.rotate(id);
  const time = new VirtualTime();
  return {
    keyStore,
    time,
    keyring: hierarchicalKeyring({ keyStore, branchKeyId: "tenant-a", maxAgeMs: 60_000, time, ...options }),
  };
}

const byTenant = ({ tenant }: Readonly<Record<string, string>>): string => {
  if (tenant === undefined) throw new Error("no tenant");
  return `tenant-${tenant}`;
};

const isWiped = (bytes: Uint8Array | undefined): boolean => bytes?.every((byte) => byte === 0) ?? false;

keyringContract({
  name: "hierarchical",
  setup: () => readersOf(setup()),
});

/** A reader of the same key store, and one whose store has another key under the very same id and version. */
function readersOf({ keyStore, keyring }: Setup): {
  writer: HierarchicalKeyring;
  reader: HierarchicalKeyring;
  stranger: HierarchicalKeyring;
} {
  const other = new InMemoryBranchKeys();
  other.rotate("tenant-a", randomBytes(32), keyStore.raw("tenant-a")!.version);
  const options = { branchKeyId: "tenant-a", maxAgeMs: 60_000 };
  return {
    writer: keyring,
    reader: hierarchicalKeyring({ keyStore, ...options }),
    stranger: hierarchicalKeyring({ keyStore: other, ...options }),
  };
}

describe("hierarchical keyring", () => {
  test("an encrypted data key is laid out as the specification says", async () => {
    const { keyring, keyStore } = setup();
    const { dataKey, keys } = await wrapped(keyring);
    const [key] = keys;
    assert.deepEqual([key?.providerId, Buffer.from(key!.providerInfo).toString()], ["aws-kms-hierarchy", "tenant-a"]);
    const bytes = Buffer.from(key!.ciphertext);
    assert.equal(bytes.length, 16 + 12 + 16 + 32 + 16);
    const { version, key: branchKey } = keyStore.raw("tenant-a")!;
    const versionBytes = Buffer.from(version.replaceAll("-", ""), "hex");
    assert.deepEqual(bytes.subarray(28, 44), versionBytes);

    // Derived here once more with other means: SP 800-108 counter mode, HMAC-SHA256, one block.
    const label = Buffer.from("aws-kms-hierarchy");
    const derived = createHmac("sha256", branchKey)
      .update(Buffer.of(0, 0, 0, 1))
      .update(label)
      .update(Buffer.of(0))
      .update(bytes.subarray(0, 16))
      .update(Buffer.of(0, 0, 1, 0))
      .digest();
    const aad = Buffer.concat([
      label,
      Buffer.from("tenant-a"),
      versionBytes,
      encryptionMaterials().encryptionContext.bytes,
    ]);
    const opening = createDecipheriv("aes-256-gcm", derived, bytes.subarray(16, 28))
      .setAAD(aad)
      .setAuthTag(bytes.subarray(-16));
    assert.deepEqual(Buffer.concat([opening.update(bytes.subarray(44, -16)), opening.final()]), dataKey);
  });

  for (const utf8Sorting of [true, false]) {
    test(`messages cross with the AWS Encryption SDK for JavaScript, utf8Sorting ${utf8Sorting}`, async () => {
      const { keyring, keyStore } = setup();
      const theirs = new KmsHierarchicalKeyRingNode({
        keyStore: theirStore(keyStore),
        branchKeyId: "tenant-a",
        cacheLimitTtl: 60,
        utf8Sorting,
      });
      const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
      const contexts: readonly Record<string, string>[] = utf8Sorting
        ? [{}, encryptionContext, { b: "2", B: "1", "\u00e9": "\u{1F600}" }]
        : [{}, { b: "2", B: "1", a: "3" }];
      for (const context of contexts) {
        const { result } = await client.encrypt(theirs, plaintext, { encryptionContext: context });
        assert.deepEqual(
          Buffer.from((await decrypt(result, { keyring, encryptionContext: context })).plaintext),
          plaintext,
        );
        if (!utf8Sorting) continue;
        const { message } = await encrypt(plaintext, { keyring, encryptionContext: context });
        assert.deepEqual((await client.decrypt(theirs, message)).plaintext, plaintext);
      }
      const { message } = await encrypt(plaintext, { keyring, encryptionContext: { only: "one" } });
      assert.deepEqual((await client.decrypt(theirs, message)).plaintext, plaintext);
    });
  }

  test("a branch key for each tenant, by the encryption context", async () => {
    const { keyring, keyStore } = setup({ branchKeyId: byTenant });
    for (const tenant of ["a", "b"]) {
      const { message, encryptedDataKeys } = await encrypt(plaintext, { keyring, encryptionContext: { tenant } });
      assert.equal(Buffer.from(encryptedDataKeys[0]!.providerInfo).toString(), `tenant-${tenant}`);
      await decrypt(message, { keyring, encryptionContext: { tenant } });
    }
    assert.deepEqual(keyStore.calls, ["active tenant-a", "active tenant-b"]);
    for (const [context, code] of [
      [{}, "branch-key-unavailable"],
      [{ tenant: "unknown" }, "branch-key-unavailable"],
    ] as const) {
      await rejectsWith(encrypt(plaintext, { keyring, encryptionContext: context }), code);
    }
    const silent = hierarchicalKeyring({ keyStore, branchKeyId: () => "", maxAgeMs: 1 });
    await rejectsWith(encrypt(plaintext, { keyring: silent, encryptionContext }), "branch-key-unavailable");
  });

  test("what an old version wrapped is read after a rotation, new data keys use the new one", async () => {
    const { keyring, keyStore } = setup();
    const before = await wrapped(keyring);
    const version = keyStore.rotate("tenant-a");
    keyring.forget("tenant-a");
    const after = await wrapped(keyring);
    assert.equal(Buffer.from(after.keys[0]!.ciphertext).toString("hex", 28, 44), version.replaceAll("-", ""));
    for (const { dataKey, keys } of [before, after]) {
      assert.deepEqual((await keyring.onDecrypt(decryptionMaterials(dataKey), keys, CALL)).dataKey?.bytes, dataKey);
    }
  });
});

/** Their keyring wants an instance of their class; the keys are ours. */
function theirStore(keyStore: InMemoryBranchKeys): BranchKeyStoreNode {
  const material = async (id: string, version?: string): Promise<NodeBranchKeyMaterial> => {
    const found = keyStore.raw(id, version)!;
    return new NodeBranchKeyMaterial(Buffer.from(found.key), id, found.version, {});
  };
  return Object.create(BranchKeyStoreNode.prototype, {
    getActiveBranchKey: { value: (id: string) => material(id) },
    getBranchKeyVersion: { value: (id: string, version: string) => material(id, version) },
    getKeyStoreInfo: { value: () => ({ logicalKeyStoreName: "test" }) },
  }) as BranchKeyStoreNode;
}

describe("the branch key cache", () => {
  test("one fetch serves until the key is too old, for reading too; then it is wiped by itself", async () => {
    const { keyring, keyStore, time } = setup();
    for (let index = 0; index < 5; index++) {
      const { message } = await encrypt(plaintext, { keyring, encryptionContext });
      await decrypt(message, { keyring, encryptionContext });
    }
    assert.deepEqual(keyStore.calls, ["active tenant-a"]);
    assert.deepEqual(keyring.counts(), { hits: 9, misses: 1, shared: 0, bypasses: 0, evictions: 0 });
    assert.ok(!isWiped(keyStore.handedOut[0]));
    await time.run(time.sleep(60_001));
    assert.ok(isWiped(keyStore.handedOut[0]), "nobody asked again, but the key must be gone");
    assert.equal(keyring.size, 0);
    assert.equal(time.pending, 0);
    await encrypt(plaintext, { keyring, encryptionContext });
    assert.equal(keyStore.calls.length, 2);
  });

  test("many who want the same key at once make one call", async () => {
    const { keyring, keyStore } = setup();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    keyStore.gate = promise;
    const all = Array.from({ length: 50 }, () => encrypt(plaintext, { keyring, encryptionContext }));
    await macrotask();
    resolve(undefined);
    await Promise.all(all);
    assert.equal(keyStore.calls.length, 1);
  });

  test("one who gives up does not spoil it for the others, and nothing is left behind", async () => {
    const { keyring, keyStore } = setup();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    keyStore.gate = promise;
    const controller = new AbortController();
    const leader = encrypt(plaintext, { keyring, encryptionContext, signal: controller.signal });
    const follower = encrypt(plaintext, { keyring, encryptionContext });
    await macrotask();
    controller.abort();
    await rejectsWith(leader, "aborted");
    resolve(undefined);
    await follower;
    assert.equal(keyStore.calls.length, 1);
    keyring[Symbol.dispose]();
    assert.ok(keyStore.handedOut.every(isWiped));
  });

  test("the least recently used goes when there are too many, and is wiped", async () => {
    const { keyring, keyStore } = setup({ branchKeyId: byTenant, capacity: 2 });
    for (const tenant of ["a", "b"]) await encrypt(plaintext, { keyring, encryptionContext: { tenant } });
    assert.equal(keyring.size, 2);
    assert.ok(isWiped(keyStore.handedOut[0]) && !isWiped(keyStore.handedOut[1]));
  });

  test("works with room for one key only, however many are wanted at once", async () => {
    const { keyring, keyStore } = setup({ branchKeyId: byTenant, capacity: 1 });
    const all = Array.from({ length: 60 }, async (_, index) => {
      const context = { tenant: "abc"[index % 3]!, id: String(index) };
      const { message } = await encrypt(plaintext, { keyring, encryptionContext: context });
      return decrypt(message, { keyring, encryptionContext: context });
    });
    for (const { plaintext: opened } of await Promise.all(all)) assert.deepEqual(Buffer.from(opened), plaintext);
    assert.ok(keyring.size <= 1);
    keyring[Symbol.dispose]();
    assert.ok(keyStore.handedOut.every(isWiped));
  });

  test("a forgotten key is wiped at once, and one on its way does not come in", async () => {
    const { keyring, keyStore } = setup({ branchKeyId: byTenant });
    const { message } = await encrypt(plaintext, { keyring, encryptionContext });
    await encrypt(plaintext, { keyring, encryptionContext: { tenant: "b" } });
    keyring.forget("tenant-a");
    assert.deepEqual(keyStore.handedOut.map(isWiped), [true, false]);

    const { promise, resolve } = Promise.withResolvers<undefined>();
    keyStore.gate = promise;
    const reading = decrypt(message, { keyring, encryptionContext });
    const watched = rejectsWith(reading, "branch-key-unavailable");
    await macrotask();
    // The store has answered with the key, or is about to: from here on it must not be used or kept.
    const answeredBefore = keyStore.raw("tenant-a");
    assert.ok(answeredBefore !== null);
    keyring.forget("tenant-a");
    keyStore.erase("tenant-a");
    resolve(undefined);
    await watched;
    assert.equal(keyring.size, 2);
  });

  test("a key that was fetched before it was forgotten is not used after", async () => {
    const { keyStore } = setup();
    let release: (() => void) | undefined;
    const slow: BranchKeyStore = {
      async getActiveBranchKey(id) {
        const answer = await keyStore.getActiveBranchKey(id);
        if (release === undefined) await new Promise<void>((resolve) => (release = resolve));
        return answer;
      },
      getBranchKeyVersion: (id, version) => keyStore.getBranchKeyVersion(id, version),
    };
    const keyring = hierarchicalKeyring({ keyStore: slow, branchKeyId: "tenant-a", maxAgeMs: 60_000 });
    const writing = wrapped(keyring);
    await macrotask();
    const version = keyStore.rotate("tenant-a");
    keyring.forget("tenant-a");
    release?.();
    assert.equal(Buffer.from((await writing).keys[0]!.ciphertext).toString("hex", 28, 44), version.replaceAll("-", ""));
    assert.ok(isWiped(keyStore.handedOut[0]));
    keyring[Symbol.dispose]();
  });

  test("after disposal nothing works and nothing is held", async () => {
    const { keyring, keyStore } = setup();
    const { message } = await encrypt(plaintext, { keyring, encryptionContext });
    keyring[Symbol.dispose]();
    assert.ok(keyStore.handedOut.every(isWiped));
    await rejectsWith(encrypt(plaintext, { keyring, encryptionContext }), "secret-wiped");
    await rejectsWith(decrypt(message, { keyring, encryptionContext }), "secret-wiped");
  });

  test("a failed fetch is not remembered", async () => {
    const { keyring, keyStore } = setup();
    keyStore.error = new Error("down");
    await rejectsWith(encrypt(plaintext, { keyring, encryptionContext }), "branch-key-unavailable");
    keyStore.error = null;
    await encrypt(plaintext, { keyring, encryptionContext });
  });
});

describe("when the branch key cannot be had", () => {
  test("the error keeps the key store's own error and lists the encrypted data keys", async () => {
    const { keyring, keyStore } = setup();
    const { message } = await encrypt(plaintext, { keyring, encryptionContext });
    keyring.forget("tenant-a");
    keyStore.error = new Error("disk on fire");
    const error = await rejectsWith(decrypt(message, { keyring, encryptionContext }), "branch-key-unavailable");
    assert.equal(error.cause, keyStore.error);
    assert.deepEqual(error.encryptedDataKeys, [
      { providerId: "aws-kms-hierarchy", key: "tenant-a", region: null, outcome: "key-store-failed" },
    ]);
  });

  test("an outage of the regions behind the key store comes through with its attempts", async () => {
    const { keyring, keyStore } = setup();
    const { message } = await encrypt(plaintext, { keyring, encryptionContext });
    keyring.forget("tenant-a");
    const attempt = {
      region: "eu-west-1",
      keyArn: "arn:aws:kms:eu-west-1:000000000000:key/1",
      operation: "Decrypt",
      reason: "timeout",
      errorName: null,
      elapsedMs: 500,
    } as const;
    keyStore.error = new EnvelopeError("regions-unavailable", "No region could unwrap", { attempts: [attempt] });
    for (const call of [
      decrypt(message, { keyring, encryptionContext }),
      encrypt(plaintext, { keyring, encryptionContext }),
    ]) {
      const error = await rejectsWith(call, "regions-unavailable");
      assert.deepEqual(error.attempts, [attempt]);
    }
  });

  test("an erased branch key", async () => {
    const { keyring, keyStore } = setup();
    const { message } = await encrypt(plaintext, { keyring, encryptionContext });
    keyStore.erase("tenant-a");
    keyring.forget("tenant-a");
    const error = await rejectsWith(decrypt(message, { keyring, encryptionContext }), "branch-key-unavailable");
    assert.deepEqual(
      error.encryptedDataKeys?.map(({ outcome }) => outcome),
      ["key-not-found"],
    );
    await rejectsWith(encrypt(plaintext, { keyring, encryptionContext }), "branch-key-unavailable");
  });

  test("messages of another branch key are not its own, and cost no call", async () => {
    const { keyring, keyStore } = setup();
    const { message } = await encrypt(plaintext, { keyring, encryptionContext });
    const calls = keyStore.calls.length;
    const other = hierarchicalKeyring({ keyStore, branchKeyId: "tenant-b", maxAgeMs: 60_000 });
    await rejectsWith(decrypt(message, { keyring: other, encryptionContext }), "no-matching-key");
    assert.equal(keyStore.calls.length, calls);
  });

  test("a key store that answers something else than it was asked for is not believed", async () => {
    const key = (length: number): SecretBytes => SecretBytes.copyOf(randomBytes(length));
    const [mine, other] = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];
    const writer = hierarchicalKeyring({
      keyStore: {
        getActiveBranchKey: async () => ({ version: mine, key: key(32) }),
        getBranchKeyVersion: async () => null,
      },
      branchKeyId: "k",
      maxAgeMs: 1000,
    });
    const { dataKey, keys } = await wrapped(writer);
    writer[Symbol.dispose]();
    for (const answer of [
      { version: other, key: key(32) },
      { version: mine, key: key(16) },
      { version: mine.toUpperCase().replaceAll("1", "A"), key: key(32) },
      { version: "v1", key: key(32) },
    ]) {
      const keyStore: BranchKeyStore = {
        getActiveBranchKey: async () => answer,
        getBranchKeyVersion: async () => answer,
      };
      const keyring = hierarchicalKeyring({ keyStore, branchKeyId: "k", maxAgeMs: 1000 });
      await rejectsWith(keyring.onDecrypt(decryptionMaterials(dataKey), keys, CALL), "branch-key-unavailable");
      assert.ok(answer.key.wiped);
      keyring[Symbol.dispose]();
    }
  });
});

test("options: problems are listed all at once", () => {
  const options = { keyStore: {} as BranchKeyStore, branchKeyId: "", maxAgeMs: 0, capacity: 0.5 };
  const error = throwsWith(() => hierarchicalKeyring(options), "option-invalid");
  for (const part of ["keyStore", "branchKeyId", "maxAgeMs", "capacity"]) assert.ok(error.message.includes(part));
  assert.equal(HIERARCHICAL_DEFAULTS.capacity, 1_000);
});
