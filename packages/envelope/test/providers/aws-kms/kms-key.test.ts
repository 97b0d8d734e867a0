/** AWS KMS keys as wrapping keys: against the project's KMS, and against clients that lie or lack a method. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SecretBytes } from "@strongroom/envelope/keyrings";
import type { EncryptedDataKey } from "@strongroom/envelope/format";
import type { KmsClient, ReEncryptInput } from "@strongroom/envelope/aws-kms";
import { KmsKey, parseKeyArn } from "../../../src/providers/aws-kms/kms-key.ts";
import type { CallAnswer } from "../../../src/resilience/calls.ts";
import { InMemoryKms, named } from "../../support/in-memory-kms.ts";
import type { Wrapping } from "../../support/in-memory-kms.ts";
import { createKey, runningKms } from "../../support/running-kms.ts";

const [WEST, NORTH] = ["eu-west-1", "eu-north-1"] as const;
const kms = await runningKms(WEST, NORTH);
const westArn = await createKey(kms.client(WEST));
const otherArn = await createKey(kms.client(WEST));
const northArn = await createKey(kms.client(NORTH));
const mrkArn = await createKey(kms.client(WEST), { MultiRegion: true });

const { signal } = new AbortController();
const context = { id: "42" };
const newContext = { id: "42", generation: "2" };
const keyLength = 32;

/** A client that writes down which operations it is asked for. */
function recorded(client: KmsClient): { readonly client: KmsClient; readonly asked: string[] } {
  const asked: string[] = [];
  const recording = new Proxy(client, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...args: unknown[]): unknown => {
        asked.push(String(name));
        return Reflect.apply(method, target, args);
      };
    },
  });
  return { client: recording, asked };
}

function keyOf(arn: string, client: KmsClient): KmsKey {
  const key = parseKeyArn(arn);
  assert.ok(key !== null);
  return new KmsKey({ key, client, grantTokens: [] });
}

/** The answer without the id that the service gave the call. */
async function withoutId<T>(answer: Promise<CallAnswer<T>>): Promise<unknown> {
  const { requestId, ...given } = await answer;
  assert.match(requestId ?? "", /^[0-9a-f-]{36}$/);
  return given;
}

async function valueOf<T>(answer: Promise<CallAnswer<T>>): Promise<T> {
  const given = await answer;
  assert.ok("value" in given, JSON.stringify(given));
  return given.value;
}

const wrapOf = async (key: KmsKey, bytes: Uint8Array): Promise<Uint8Array> =>
  valueOf(key.wrap(Buffer.from(bytes), context, signal));

describe("against the project's KMS", () => {
  const west = keyOf(westArn, kms.client(WEST));

  test("what it generates and what it wraps, it unwraps, under that context only", async () => {
    const { dataKey, ciphertext } = await valueOf(west.generate(keyLength, context, signal));
    assert.deepEqual(
      (await valueOf(west.unwrap({ ciphertext, keyLength, context }, signal))).bytes,
      Buffer.from(dataKey.bytes),
    );
    const wrap = await wrapOf(west, dataKey.bytes);
    assert.deepEqual(
      (await valueOf(west.unwrap({ ciphertext: wrap, keyLength, context }, signal))).bytes,
      dataKey.bytes,
    );
    assert.deepEqual(await withoutId(west.unwrap({ ciphertext, keyLength, context: newContext }, signal)), {
      failed: "invalid-ciphertext",
      errorName: "InvalidCiphertextException",
    });
    assert.deepEqual(await withoutId(west.unwrap({ ciphertext, keyLength: 16, context }, signal)), {
      failed: "wrong-key-length",
      errorName: null,
    });
  });

  test("it says whether it is usable", async () => {
    const arn = await createKey(kms.client(WEST));
    const key = keyOf(arn, kms.client(WEST));
    const { KeyMetadata } = await kms.client(WEST).describeKey({ KeyId: arn });
    const material = KeyMetadata?.CurrentKeyMaterialId;
    assert.match(material ?? "", /^[0-9a-f]{64}$/);
    assert.deepEqual(await withoutId(key.describe(signal)), { value: true, material });
    await kms.client(WEST).disableKey({ KeyId: arn });
    assert.deepEqual(await withoutId(key.describe(signal)), { failed: "key-disabled", errorName: null });
    await kms.client(WEST).scheduleKeyDeletion({ KeyId: arn });
    assert.deepEqual(await withoutId(key.describe(signal)), { failed: "key-pending-deletion", errorName: null });
  });

  test("a wrap under another key of one client is re-encrypted inside the KMS, into the new context", async () => {
    const { client, asked } = recorded(kms.client(WEST));
    const [source, target] = [keyOf(westArn, client), keyOf(otherArn, client)];
    const { dataKey, ciphertext } = await valueOf(source.generate(keyLength, context, signal));
    asked.length = 0;
    const moved = await valueOf(target.rewrap({ source, ciphertext, keyLength, context, newContext }, signal));
    assert.deepEqual(asked, ["reEncrypt"]);
    assert.deepEqual(
      (await valueOf(target.unwrap({ ciphertext: moved, keyLength, context: newContext }, signal))).bytes,
      Buffer.from(dataKey.bytes),
    );
    const refused = await source.unwrap({ ciphertext: moved, keyLength, context: newContext }, signal);
    assert.ok("failed" in refused, "the new wrap is not the old key's");
  });

  test("a wrap is renewed under its own key, whose material was rotated", async () => {
    const { dataKey, ciphertext } = await valueOf(west.generate(keyLength, context, signal));
    await kms.client(WEST).rotateKeyOnDemand({ KeyId: westArn });
    const request = { source: west, ciphertext, keyLength, context, newContext: context };
    const renewed = await valueOf(west.rewrap(request, signal));
    assert.notDeepEqual(Buffer.from(renewed), Buffer.from(ciphertext));
    assert.deepEqual(
      (await valueOf(west.unwrap({ ciphertext: renewed, keyLength, context }, signal))).bytes,
      Buffer.from(dataKey.bytes),
    );
  });

  test("a wrap of another region is decrypted there and encrypted here", async () => {
    const [from, to] = [recorded(kms.client(NORTH)), recorded(kms.client(WEST))];
    const [source, target] = [keyOf(northArn, from.client), keyOf(westArn, to.client)];
    const { dataKey, ciphertext } = await valueOf(source.generate(keyLength, context, signal));
    from.asked.length = 0;
    const moved = await valueOf(target.rewrap({ source, ciphertext, keyLength, context, newContext }, signal));
    assert.deepEqual([from.asked, to.asked], [["decrypt"], ["encrypt"]]);
    assert.deepEqual(
      (await valueOf(target.unwrap({ ciphertext: moved, keyLength, context: newContext }, signal))).bytes,
      Buffer.from(dataKey.bytes),
    );
  });

  test("a rewrap that the KMS refuses says why", async () => {
    const arn = await createKey(kms.client(WEST));
    const source = keyOf(arn, kms.client(WEST));
    const ciphertext = await wrapOf(source, Buffer.alloc(keyLength, 7));
    const request = { source, ciphertext, keyLength, newContext };
    assert.deepEqual(await withoutId(west.rewrap({ ...request, context: newContext }, signal)), {
      failed: "invalid-ciphertext",
      errorName: "InvalidCiphertextException",
    });
    await kms.client(WEST).disableKey({ KeyId: arn });
    assert.deepEqual(await withoutId(west.rewrap({ ...request, context }, signal)), {
      failed: "key-disabled",
      errorName: "DisabledException",
    });
  });
});

describe("against other clients", () => {
  const region = new InMemoryKms(WEST);
  const key = keyOf(region.keyArn, region);

  test("a client without reEncrypt decrypts and encrypts, and the key does not stay here", async () => {
    const ciphertext = await wrapOf(key, Buffer.alloc(keyLength, 7));
    const before = region.calls.length;
    await valueOf(key.rewrap({ source: key, ciphertext, keyLength, context, newContext }, signal));
    assert.deepEqual(region.calls.slice(before), ["Decrypt", "Encrypt"]);
    assert.ok(
      region.plaintexts.at(-1)?.every((byte) => byte === 0),
      "the key was not wiped",
    );
  });

  test("it is wiped when the second half fails, too", async () => {
    const target = new InMemoryKms(NORTH);
    target.fault = { kind: "throws", error: named("ThrottlingException") };
    const ciphertext = await wrapOf(key, Buffer.alloc(keyLength, 7));
    const request = { source: key, ciphertext, keyLength, context, newContext };
    assert.deepEqual(await keyOf(target.keyArn, target).rewrap(request, signal), {
      failed: "throttled",
      errorName: "ThrottlingException",
    });
    assert.ok(region.plaintexts.at(-1)?.every((byte) => byte === 0));
  });

  for (const reEncrypts of [false, true]) {
    const by = reEncrypts ? "reEncrypt" : "decrypt and encrypt";
    test(`a rewrap that is to be proven opens the new wrap before it is given: by ${by}`, async () => {
      const kmsKey = new InMemoryKms(WEST);
      const { keyArn: KeyId } = kmsKey;
      const client: KmsClient = reEncrypts
        ? Object.assign(kmsKey, {
            reEncrypt: async ({ CiphertextBlob }: ReEncryptInput) => {
              const { Plaintext } = await kmsKey.decrypt({ KeyId, CiphertextBlob, EncryptionContext: context });
              const made = await kmsKey.encrypt({ KeyId, Plaintext, EncryptionContext: newContext });
              return { ...made, SourceKeyId: KeyId };
            },
          })
        : kmsKey;
      const honest = keyOf(kmsKey.keyArn, client);
      const ciphertext = await wrapOf(honest, Buffer.alloc(keyLength, 7));
      const request = { source: honest, ciphertext, keyLength, context, newContext, proof: "opened" } as const;
      const moved = await valueOf(honest.rewrap(request, signal));
      assert.deepEqual(
        (await valueOf(honest.unwrap({ ciphertext: moved, keyLength, context: newContext }, signal))).bytes,
        Buffer.alloc(keyLength, 7),
      );
      for (const lie of [
        ({ seal }: Wrapping) => seal(Buffer.alloc(keyLength, 8)),
        ({ sealElsewhere, plaintext }: Wrapping) => sealElsewhere(plaintext),
        ({ seal, plaintext }: Wrapping) => seal(plaintext, { other: "context" }),
      ]) {
        kmsKey.wrapping = lie;
        const answer = await honest.rewrap(request, signal);
        assert.equal("failed" in answer ? answer.failed : "value", "wrap-does-not-open");
      }
      kmsKey.wrapping = null;
      // It opens wrong, each time otherwise.
      kmsKey.opening = (key) => Buffer.from(key.map((byte) => byte ^ (kmsKey.calls.length & 0xff)));
      const answer = await honest.rewrap(request, signal);
      assert.equal("failed" in answer ? answer.failed : "value", "wrap-does-not-open");
    });
  }

  for (const [name, answer, failed] of [
    ["of another source", { SourceKeyId: westArn, KeyId: region.keyArn }, "wrong-key-id"],
    ["of another target", { SourceKeyId: region.keyArn, KeyId: westArn }, "wrong-key-id"],
    [
      "of nothing",
      { SourceKeyId: region.keyArn, KeyId: region.keyArn, CiphertextBlob: new Uint8Array() },
      "server-error",
    ],
    [
      "too long",
      { SourceKeyId: region.keyArn, KeyId: region.keyArn, CiphertextBlob: new Uint8Array(65_536) },
      "server-error",
    ],
    ["that is none", null, "server-error"],
  ] as const) {
    test(`a re-encrypted wrap ${name} is not taken`, async () => {
      const lying = Object.assign(new InMemoryKms(WEST), {
        reEncrypt: () =>
          Promise.resolve(answer === null ? (null as never) : { CiphertextBlob: Buffer.alloc(8), ...answer }),
      });
      const asked = keyOf(region.keyArn, lying);
      const request = { source: asked, ciphertext: Buffer.alloc(8), keyLength, context, newContext };
      assert.deepEqual(await asked.rewrap(request, signal), { failed, errorName: null });
    });
  }

  test("none of its methods throws or rejects, whatever the client does", async () => {
    const client = Object.fromEntries(
      ["generateDataKey", "encrypt", "decrypt", "describeKey", "reEncrypt"].map((name) => [
        name,
        () => {
          throw named("Surprise");
        },
      ]),
    ) as unknown as KmsClient;
    const broken = keyOf(region.keyArn, client);
    const ciphertext = Buffer.alloc(8);
    const answers: readonly Promise<CallAnswer<unknown>>[] = [
      broken.generate(keyLength, context, signal),
      broken.wrap(Buffer.alloc(keyLength), context, signal),
      broken.unwrap({ ciphertext, keyLength, context }, signal),
      broken.rewrap({ source: broken, ciphertext, keyLength, context, newContext }, signal),
      broken.describe(signal),
    ];
    for (const answer of await Promise.all(answers))
      assert.deepEqual(answer, { failed: "unknown", errorName: "Surprise" });
  });
});

describe("stored wraps", () => {
  const mrk = keyOf(mrkArn, kms.client(WEST));
  const named = (name: string, providerId = "aws-kms"): EncryptedDataKey => ({
    providerId,
    providerInfo: Buffer.from(name),
    ciphertext: Buffer.alloc(8),
  });

  test("its own, its replicas', and nobody else's", () => {
    assert.equal(mrk.matches(mrk.stored(Buffer.alloc(8))), "own");
    assert.equal(mrk.matches(named(mrkArn.replace(WEST, NORTH))), "replica");
    assert.equal(mrk.matches(named(mrkArn.replace("key/", "alias/"))), null);
    assert.equal(mrk.matches(named(westArn)), null);
    assert.equal(mrk.matches(named(mrkArn, "aws-kms-rsa")), null);
    const single = keyOf(westArn, kms.client(WEST));
    assert.equal(single.matches(named(westArn)), "own");
    assert.equal(single.matches(named(westArn.replace(WEST, NORTH))), null, "only multi-Region keys have replicas");
  });

  test("each is the message's own: to change one changes no other", () => {
    const first = mrk.stored(Buffer.alloc(8));
    first.providerInfo.fill(0);
    assert.deepEqual(Buffer.from(mrk.stored(Buffer.alloc(8)).providerInfo).toString(), mrkArn);
  });
});

test("a secret that it unwraps prints as one", async () => {
  const region = new InMemoryKms(WEST);
  const key = keyOf(region.keyArn, region);
  const { dataKey } = await valueOf(key.generate(keyLength, context, signal));
  assert.ok(dataKey instanceof SecretBytes);
  assert.equal(JSON.stringify({ dataKey }), '{"dataKey":"[secret]"}');
});
