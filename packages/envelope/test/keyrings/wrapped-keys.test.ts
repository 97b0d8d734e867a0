/**
 * Keys that are kept wrapped apart from any message: over three regions, each of which can lie.
 */
import assert from "node:assert/strict";
import { createCipheriv, createHmac, randomBytes, randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import {
  keyedHash,
  makeKey,
  openUnder,
  randomSecret,
  sealUnder,
  SecretBytes,
  unwrapKey,
  unwrapUnder,
  wrapKey,
  wrapUnder,
  wrapVersionOf,
} from "@strongroom/envelope/keyrings";
import type { KeyWraps } from "@strongroom/envelope/keyrings";
import { rejectsWith } from "../support/errors.ts";
import { InMemoryKms } from "../support/in-memory-kms.ts";

const encryptionContext = { "branch-key-id": "42", type: "branch:version:1" };
const keyArnEntry = "kms-arn";

interface Regions {
  readonly kms: readonly InMemoryKms[];
  readonly options: Parameters<typeof makeKey>[0];
}

function regions(kms = ["eu-west-1", "eu-west-2", "eu-central-1"].map((region) => new InMemoryKms(region))): Regions {
  const listed = kms.map((region) => region.asRegion);
  const keyring = multiRegionKeyring({ regions: listed, minimum: 2, proveWraps: "all" });
  return { kms, options: { keyring, encryptionContext, keyArnEntry } };
}

async function opened({ wraps }: KeyWraps, { options }: Regions, key: SecretBytes): Promise<unknown> {
  const accepts = (candidate: Uint8Array): boolean => key.bytes.equals(candidate);
  const { key: found, openedBy, refused } = await unwrapKey(wraps, { ...options, accepts });
  assert.ok(found.bytes.equals(key.bytes));
  return { region: openedBy?.region, refused: refused?.map(({ region, outcome }) => `${region}: ${outcome}`) };
}

describe("a key of its own", () => {
  test("has a wrap in every region, and each opens it", async () => {
    const given = regions();
    const made = await makeKey(given.options);
    assert.equal(made.key.length, 32);
    assert.deepEqual(made.report?.missing, []);
    for (const [index, { region }] of given.kms.entries())
      assert.deepEqual(await opened({ ...made, wraps: [made.wraps[index]!] }, given, made.key), {
        region,
        refused: undefined,
      });
  });

  test("has each wrap bound to the ARN of its own wrapping key, in all that a region is asked", async () => {
    const given = regions();
    const made = await makeKey(given.options);
    for (const [index, kms] of given.kms.entries()) {
      const input = { KeyId: kms.keyArn, CiphertextBlob: made.wraps[index]!.ciphertext };
      const EncryptionContext = { ...encryptionContext, [keyArnEntry]: kms.keyArn };
      assert.ok(made.key.bytes.equals((await kms.decrypt({ ...input, EncryptionContext })).Plaintext));
      await assert.rejects(kms.decrypt({ ...input, EncryptionContext: encryptionContext }));
      assert.ok(kms.calls.includes("Decrypt"), "its proof was bound so too, and held");
    }
    // Without the entry nothing opens; with it, also what a replica of the key has wrapped.
    const without = { keyring: given.options.keyring, encryptionContext };
    await rejectsWith(unwrapKey(made.wraps, { ...without, accepts: () => true }), "decryption-failed");
    const primary = new InMemoryKms("eu-west-1", "mrk-1");
    const writer = regions([primary, new InMemoryKms("eu-west-2")]);
    const reader = regions([primary.replicaIn("us-east-1"), new InMemoryKms("us-west-2")]);
    const replicated = await makeKey(writer.options);
    assert.deepEqual(await opened(replicated, reader, replicated.key), { region: "us-east-1", refused: undefined });
  });

  test("is wrapped anew without being made anew, and stays the caller's", async () => {
    const given = regions();
    using key = randomSecret(32);
    const wraps = await wrapKey(key, given.options);
    assert.equal(key.wiped, false);
    assert.deepEqual(await opened(wraps, given, key), { region: "eu-west-1", refused: undefined });
    await rejectsWith(wrapKey(new SecretBytes(randomBytes(16)), given.options), "option-invalid");
  });

  test("is opened by the next region when one gives another key, and which wraps were wrong is told", async () => {
    const given = regions();
    const made = await makeKey(given.options);
    given.kms[0]!.opening = () => randomBytes(32);
    const changed = Buffer.from(made.wraps[1]!.ciphertext);
    changed[20]! ^= 1;
    const wraps = [made.wraps[0]!, { ...made.wraps[1]!, ciphertext: changed }, made.wraps[2]!];
    assert.deepEqual(await opened({ ...made, wraps }, given, made.key), {
      region: "eu-central-1",
      refused: ["eu-west-1: wrong-data-key", "eu-west-2: invalid-ciphertext"],
    });
    given.kms[2]!.fault = { kind: "throws", error: new Error("down") };
    await rejectsWith(opened({ ...made, wraps }, given, made.key), "regions-unavailable");
  });

  test("has no wrong wrap where one region lies about it and another one opens it", async () => {
    const primary = new InMemoryKms("eu-west-1", "mrk-1");
    const made = await makeKey(regions([primary, new InMemoryKms("eu-west-2")]).options);
    const reader = regions([primary, primary.replicaIn("us-east-1")]);
    primary.opening = () => randomBytes(32);
    assert.deepEqual(await opened({ ...made, wraps: made.wraps.slice(0, 1) }, reader, made.key), {
      region: "us-east-1",
      refused: undefined,
    });
  });

  test("is not given when no wrap is accepted, nor by a keyring that does not ask", async () => {
    const given = regions();
    const made = await makeKey(given.options);
    await rejectsWith(unwrapKey(made.wraps, { ...given.options, accepts: () => false }), "decryption-failed");
    const answered = randomSecret(32);
    const keyring = {
      onEncrypt: () => Promise.reject(new Error("not asked")),
      onDecrypt: (materials: object) => Promise.resolve({ ...materials, dataKey: answered } as never),
    };
    await rejectsWith(unwrapKey(made.wraps, { ...given.options, keyring, accepts: () => false }), "decryption-failed");
    assert.ok(answered.wiped);
  });

  test("is refused where something was forgotten", async () => {
    const { options } = regions();
    for (const wrong of [
      { ...options, encryptionContext: undefined },
      { ...options, encryptionContext: { id: undefined } },
      { ...options, encryptionContext: Promise.resolve({}) },
      { ...options, keyring: undefined },
      { ...options, keyArnEntry: "" },
      { ...options, keyArnEntry: "type" },
      { ...options, keyArnEntries: "kms-arn" },
    ])
      await rejectsWith(makeKey(wrong as never), "option-invalid");
    await rejectsWith(unwrapKey([], { ...options, accepts: undefined } as never), "option-invalid");
  });
});

test("keyrings whose keys have no ARN leave the entry out", async () => {
  const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "1", wrappingKey: randomBytes(32) });
  const made = await makeKey({ keyring, encryptionContext, keyArnEntry });
  using found = (await unwrapKey(made.wraps, { keyring, encryptionContext, accepts: () => true })).key;
  assert.ok(found.bytes.equals(made.key.bytes));
  assert.equal(made.report, null);
});

test("what is sealed under a derived key is as SP 800-108 and GCM have it", () => {
  const [secret, aad] = [randomBytes(32), Buffer.from("bound to this")];
  const sealing = { label: "some-label", key: SecretBytes.copyOf(secret), aad };
  const sealed = sealUnder(Buffer.from("a name"), sealing);
  const [salt, iv, ciphertext] = [sealed.subarray(0, 16), sealed.subarray(16, 28), sealed.subarray(28)];
  const input = Buffer.concat([
    Buffer.from("00000001", "hex"),
    Buffer.from("some-label\0"),
    salt,
    Buffer.from("00000100", "hex"),
  ]);
  const cipher = createCipheriv("aes-256-gcm", createHmac("sha256", secret).update(input).digest(), iv).setAAD(aad);
  const expected = Buffer.concat([cipher.update("a name"), cipher.final(), cipher.getAuthTag()]);
  assert.deepEqual(ciphertext, expected);
  assert.equal(openUnder(sealed, sealing)?.bytes.toString(), "a name");
  for (let index = 0; index < sealed.length; index++) {
    const changed = Buffer.from(sealed);
    changed[index]! ^= 1;
    assert.equal(openUnder(changed, sealing), null);
    assert.equal(openUnder(sealed.subarray(0, index), sealing), null);
  }
  for (const other of [{ label: "other" }, { aad: Buffer.from("bound to that") }, { key: randomSecret(32) }])
    assert.equal(openUnder(sealed, { ...sealing, ...other }), null);
});

test("a wrap has the version of the key that it is under between IV and key", () => {
  const [version, key] = [randomUUID(), randomSecret(32)];
  const sealing = { label: "some-label", key: randomSecret(32), aad: Buffer.from(version) };
  const wrapped = wrapUnder(key, version, sealing);
  assert.equal(wrapped.length, 16 + 12 + 16 + 32 + 16);
  assert.equal(wrapVersionOf(wrapped, 32), version);
  assert.equal(wrapped.subarray(28, 44).toString("hex"), version.replaceAll("-", ""));
  const sealed = Buffer.concat([wrapped.subarray(0, 28), wrapped.subarray(44)]);
  assert.ok(openUnder(sealed, sealing)?.bytes.equals(key.bytes));
  assert.ok(unwrapUnder(wrapped, sealing)?.bytes.equals(key.bytes));
  assert.equal(unwrapUnder(wrapped.subarray(0, 59), sealing), null);
});

test("a keyed hash is HMAC-SHA-256", () => {
  const secret = randomBytes(32);
  const expected = createHmac("sha256", secret).update("some bytes").digest();
  using key = SecretBytes.copyOf(secret);
  assert.deepEqual(keyedHash(key, Buffer.from("some bytes")), expected);
  assert.deepEqual(keyedHash(secret, Buffer.from("some bytes")), expected);
});
