/** What is cleared is gone: also what was under way, what is in use, and what was derived from it. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import { createEncryptStream, decrypt, encrypt } from "@strongroom/envelope";
import { hierarchicalKeyring } from "@strongroom/envelope/hierarchical";
import { SecretBytes } from "@strongroom/envelope/keyrings";
import { canonicalContext } from "../../src/format/encryption-context.ts";
import { ALGORITHM_SUITES, DEFAULT_LIMITS } from "../../src/format/suites.ts";
import { cachedKeyring } from "../support/cached-keyring.ts";
import { rejectsWith } from "../support/errors.ts";
import { VirtualTime } from "../support/virtual-time.ts";

const CALL_MS = 20;
const encryptionContext = { id: "42" };
const plaintext = Buffer.from("genuine");
const MAX_AGE_MS = 1_000;

/** One cache under test: something that fills it, what ends it, and what shows whether anything is left. */
interface Subject {
  readonly time: VirtualTime;
  /** One operation that fetches and keeps a key; its caller's answer. */
  use(): Promise<unknown>;
  /** Calls to what is behind the cache. */
  calls(): number;
  /** Keys held now. */
  size(): number;
  /** Whether every key that was ever handed to the cache is wiped. */
  allWiped(): boolean;
  readonly ends: Readonly<Record<"clear" | "dispose", () => void>>;
}

async function materialsSubject(direction: "encrypts" | "decrypts", hotMessages = 0): Promise<Subject> {
  const { materials, keyring, time, calls, dataKeys } = cachedKeyring({ maxAgeMs: MAX_AGE_MS, hotMessages });
  const { value } = await time.run(encrypt(plaintext, { keyring, encryptionContext }));
  const before = calls.encrypts;
  return {
    time,
    use: () =>
      direction === "encrypts"
        ? encrypt(plaintext, { materials, encryptionContext })
        : decrypt(value.message, { materials, encryptionContext }),
    calls: () => (direction === "encrypts" ? calls.encrypts - before : calls.decrypts),
    size: () => materials.size,
    allWiped: () => dataKeys.every(({ wiped }) => wiped),
    ends: {
      clear: () => {
        materials.clear();
      },
      dispose: () => {
        materials[Symbol.dispose]();
      },
    },
  };
}

async function branchKeySubject(direction: "encrypts" | "decrypts"): Promise<Subject> {
  const time = new VirtualTime();
  const version = randomUUID();
  const bytes = Buffer.alloc(32, 7);
  const handedOut: Buffer[] = [];
  let calls = 0;
  const branchKey = async (): Promise<{ version: string; key: SecretBytes }> => {
    calls++;
    await time.sleep(CALL_MS);
    const key = SecretBytes.copyOf(bytes);
    handedOut.push(key.bytes);
    return { version, key };
  };
  const options = {
    keyStore: { getActiveBranchKey: branchKey, getBranchKeyVersion: branchKey },
    branchKeyId: "tenant",
    maxAgeMs: MAX_AGE_MS,
    time,
  };
  using writer = hierarchicalKeyring(options);
  const { value } = await time.run(encrypt(plaintext, { keyring: writer, encryptionContext }));
  calls = 0;
  const keyring = hierarchicalKeyring(options);
  return {
    time,
    use: () =>
      direction === "encrypts"
        ? encrypt(plaintext, { keyring, encryptionContext })
        : decrypt(value.message, { keyring, encryptionContext }),
    calls: () => calls,
    size: () => keyring.size,
    allWiped: () => handedOut.slice(1).every((key) => key.every((byte) => byte === 0)),
    ends: {
      clear: () => {
        keyring.forget("tenant");
      },
      dispose: () => {
        keyring[Symbol.dispose]();
      },
    },
  };
}

interface Row {
  readonly name: string;
  readonly make: () => Promise<Subject>;
  /** What one who waits gets when the cache ends meanwhile, and how many calls that takes. */
  readonly waiting: Readonly<Record<"clear" | "dispose", "its answer" | "an answer fetched anew" | "secret-wiped">>;
}

const SERVED = { clear: "its answer", dispose: "its answer" } as const;
const SENT_BACK = { clear: "an answer fetched anew", dispose: "secret-wiped" } as const;

const CACHES: readonly Row[] = [
  { name: "data keys for writing", make: () => materialsSubject("encrypts"), waiting: SERVED },
  { name: "data keys for reading", make: () => materialsSubject("decrypts"), waiting: SERVED },
  { name: "headers of hot messages", make: () => materialsSubject("decrypts", 10), waiting: SERVED },
  { name: "active branch keys", make: () => branchKeySubject("encrypts"), waiting: SENT_BACK },
  { name: "versions of branch keys", make: () => branchKeySubject("decrypts"), waiting: SENT_BACK },
];

for (const { name, make, waiting } of CACHES) {
  for (const end of ["clear", "dispose"] as const) {
    describe(`${name}, ${end}`, () => {
      test("before any call", async () => {
        const subject = await make();
        subject.ends[end]();
        subject.ends[end]();
        if (end === "dispose") await rejectsWith(subject.use(), "secret-wiped");
        else {
          await subject.time.run(subject.use());
          assert.ok(subject.size() > 0);
        }
      });

      test(`during a call: who waits gets ${waiting[end]}, and nothing is kept of what began before`, async () => {
        const subject = await make();
        const outcomes = Promise.allSettled([subject.use(), subject.use()]);
        await subject.time.advance(CALL_MS / 2);
        subject.ends[end]();
        subject.ends[end]();
        const { value } = await subject.time.run(outcomes);
        for (const outcome of value) {
          if (waiting[end] === "secret-wiped") {
            assert.equal(outcome.status, "rejected");
            assert.equal((outcome.reason as { code?: unknown }).code, "secret-wiped");
          } else assert.equal(outcome.status, "fulfilled");
        }
        await subject.time.advance(CALL_MS);
        if (waiting[end] === "an answer fetched anew") {
          assert.equal(subject.calls(), 2);
          subject.ends[end]();
        } else {
          assert.equal(subject.calls(), 1);
        }
        assert.deepEqual([subject.size(), subject.allWiped()], [0, true]);
        await subject.time.advance(MAX_AGE_MS);
        assert.equal(subject.time.pending, 0);
        if (end === "dispose") return;
        const calls = subject.calls();
        await subject.time.run(subject.use());
        assert.equal(subject.calls(), calls + 1, "not even a header is remembered");
      });

      test("during a call: who comes after it does not share that call", async () => {
        const subject = await make();
        const before = subject.use().catch(() => undefined);
        await subject.time.advance(CALL_MS / 2);
        subject.ends[end]();
        if (end === "dispose") {
          await rejectsWith(subject.use(), "secret-wiped");
          await subject.time.run(before);
          return;
        }
        await subject.time.run(Promise.all([before, subject.use()]));
        assert.equal(subject.calls(), 2);
        assert.ok(subject.size() > 0, "what began after it is kept");
        subject.ends[end]();
        assert.ok(subject.allWiped());
      });

      test("after a call", async () => {
        const subject = await make();
        await subject.time.run(subject.use());
        assert.ok(subject.size() > 0);
        subject.ends[end]();
        subject.ends[end]();
        assert.deepEqual([subject.size(), subject.allWiped(), subject.time.pending], [0, true, 0]);
        if (end === "dispose") await rejectsWith(subject.use(), "secret-wiped");
        else {
          await subject.time.run(subject.use());
          assert.equal(subject.calls(), 2);
        }
      });
    });
  }
}

describe("in use while it goes", () => {
  const suite = "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384";

  const request = {
    suite: ALGORITHM_SUITES.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    commitmentPolicy: "require-encrypt-require-decrypt",
    encryptionContext: canonicalContext(encryptionContext, DEFAULT_LIMITS),
    requiredContextKeys: [],
    plaintextLength: 10,
  } as const;

  test("materials that somebody holds outlive eviction, expiry, clear and dispose, and are wiped with them", async () => {
    const ends: readonly ((cached: ReturnType<typeof cachedKeyring>) => unknown)[] = [
      ({ materials, time }) => time.run(encrypt(plaintext, { materials, encryptionContext: { id: "crowds it out" } })),
      ({ time }) => time.advance(MAX_AGE_MS),
      ({ materials }) => {
        materials.clear();
      },
      ({ materials }) => {
        materials[Symbol.dispose]();
      },
    ];
    for (const end of ends) {
      const cached = cachedKeyring({ maxAgeMs: MAX_AGE_MS, capacity: 1 });
      const { materials, time, dataKeys } = cached;
      await time.run(encrypt(plaintext, { materials, encryptionContext }));
      const held = await time.run(materials.getEncryptionMaterials(request, { signal: undefined }));
      const bytes = Buffer.from(held.value.dataKey.bytes);
      await end(cached);
      assert.ok(dataKeys[0]?.wiped);
      assert.deepEqual(held.value.dataKey.bytes, bytes, "still the key");
      const memory = held.value.dataKey.bytes;
      held.value.dataKey.wipe();
      held.value.dataKey.wipe();
      assert.ok(memory.every((byte) => byte === 0));
    }
  });

  test("a stream that has begun goes on when the cache is disposed of; one that has not is refused", async () => {
    const { materials, keyring, time, dataKeys } = cachedKeyring();
    const options = { materials, encryptionContext, suite, plaintextLengthBound: 100 } as const;
    const begun = createEncryptStream(options);
    const collected = buffer(begun);
    begun.write("first ");
    await time.run(begun.result);
    const late = createEncryptStream(options);
    materials[Symbol.dispose]();
    assert.ok(dataKeys.every(({ wiped }) => wiped));
    begun.end("second");
    const { value } = await time.run(decrypt(await collected, { keyring, encryptionContext }));
    assert.equal(Buffer.from(value.plaintext).toString(), "first second");
    late.end("never");
    await rejectsWith(buffer(late), "secret-wiped");
  });

  test("what may not be cached is refused after disposal too", async () => {
    const { materials } = cachedKeyring();
    materials[Symbol.dispose]();
    const suiteWithoutKdf = "ALG_AES_256_GCM_IV12_TAG16_NO_KDF";
    await rejectsWith(
      encrypt(plaintext, {
        materials,
        encryptionContext,
        suite: suiteWithoutKdf,
        commitmentPolicy: "forbid-encrypt-allow-decrypt",
      }),
      "secret-wiped",
    );
  });

  test("a hot message's key is no younger than the data key it was derived from", async () => {
    const { materials, time, calls } = cachedKeyring({ maxAgeMs: MAX_AGE_MS, hotMessages: 10 });
    const write = () => encrypt(plaintext, { materials, encryptionContext });
    const [first, second] = (await time.run(Promise.all([write(), write()]))).value;
    await time.run(decrypt(first.message, { materials, encryptionContext }));
    await time.advance(MAX_AGE_MS - CALL_MS - 1);
    await decrypt(second.message, { materials, encryptionContext });
    assert.equal(calls.decrypts, 1);
    await time.advance(1);
    await time.run(decrypt(second.message, { materials, encryptionContext }));
    assert.equal(calls.decrypts, 2);
  });

  test("what a keyring did not verify serves its caller and is not kept", async () => {
    const { keyring, time, dataKeys, calls } = cachedKeyring();
    const { value } = await time.run(encrypt(plaintext, { keyring, encryptionContext }));
    let wrong = true;
    const careless = cachedKeyring({
      time,
      keyring: {
        onEncrypt: (materials, call) => keyring.onEncrypt(materials, call),
        onDecrypt: async (materials, keys, call) =>
          wrong
            ? { ...materials, dataKey: SecretBytes.copyOf(Buffer.alloc(32, 1)) }
            : await keyring.onDecrypt(materials, keys, call),
      },
    });
    await rejectsWith(
      decrypt(value.message, { materials: careless.materials, encryptionContext }),
      "decryption-failed",
    );
    assert.equal(careless.materials.size, 0);
    wrong = false;
    await time.run(decrypt(value.message, { materials: careless.materials, encryptionContext }));
    assert.deepEqual([calls.decrypts, dataKeys.length], [1, 2]);
  });
});
