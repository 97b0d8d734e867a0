import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Sealer } from "../../src/crypto/sealing.ts";
import { KeyMaterial } from "../../src/keys/key-material.ts";
import type { BackingKey, KeyRecord } from "../../src/keys/key-record.ts";

const SECRET = randomBytes(32);
const MATERIAL_ID = "ab".repeat(32);
const material = new KeyMaterial(new Sealer(randomBytes(32)));

function keyWith(backingKeys: readonly BackingKey[], region = "eu-west-1"): KeyRecord {
  const keyId = "11111111-2222-4333-8444-555555555555";
  return {
    region,
    keyId,
    arn: `arn:aws:kms:${region}:000000000000:key/${keyId}`,
    createdAt: 0,
    description: "",
    spec: "SYMMETRIC_DEFAULT",
    usage: "ENCRYPT_DECRYPT",
    origin: "AWS_KMS",
    enabled: true,
    deletion: null,
    policy: "{}",
    tags: [],
    primaryRegion: null,
    automaticRotation: null,
    backingKeys,
  };
}

const backing: BackingKey = {
  id: MATERIAL_ID,
  createdAt: 0,
  sealed: material.sealSecret(keyWith([]), MATERIAL_ID, SECRET),
  publicKey: null,
  state: "current",
  rotation: null,
  imported: null,
};

test("a secret is lent and then wiped, however the work with it ends", async () => {
  const key = keyWith([backing]);
  const lent: Buffer[] = [];
  const take = (secret: Buffer): string => {
    lent.push(secret);
    return secret.toString("hex");
  };
  assert.equal(material.withSecret(key, take), SECRET.toString("hex"));
  assert.equal(await material.withSecret(key, async (secret) => take(secret)), SECRET.toString("hex"));
  assert.throws(
    () =>
      material.withSecret(key, (secret) => {
        take(secret);
        throw new RangeError("no");
      }),
    RangeError,
  );
  await assert.rejects(
    material.withSecret(key, async (secret) => {
      take(secret);
      throw new RangeError("no");
    }),
    RangeError,
  );
  assert.equal(lent.length, 4);
  for (const secret of lent) assert.ok(secret.equals(Buffer.alloc(32)), "wiped");
});

test("a sealed secret in another key's record does not open", () => {
  assert.throws(() => material.withSecret(keyWith([backing], "eu-west-2"), String), { code: "store-corrupt" });
});

test("a key without material says that it waits for it", () => {
  const pending = { type: "KMSInvalidStateException" };
  assert.throws(() => material.current(keyWith([])), pending);
  assert.throws(() => material.withSecret(keyWith([{ ...backing, sealed: null }]), String), pending);
});

test("what was encrypted before a rotation is decrypted by the former backing key, and by no other", () => {
  const blob = material.encrypt(keyWith([backing]), Buffer.from("two books"), { order: "7" });
  const parsed = { keyId: keyWith([]).keyId, materialId: MATERIAL_ID, bytes: blob };
  const former: BackingKey = { ...backing, state: "former" };
  const { plaintext, materialId } = material.decrypt(keyWith([former]), parsed, { order: "7" });
  assert.equal(plaintext.toString(), "two books");
  assert.equal(materialId, MATERIAL_ID);
  const wrong = { type: "InvalidCiphertextException" };
  assert.throws(() => material.decrypt(keyWith([former]), parsed, { order: "8" }), wrong);
  assert.throws(() => material.decrypt(keyWith([{ ...backing, state: "pending" }]), parsed, { order: "7" }), wrong);
  assert.throws(() => material.decrypt(keyWith([]), parsed, { order: "7" }), wrong);
});
