// Members that AWS leaves out or keeps, as recordings of its answers show (the snapshots that LocalStack validates
// against AWS).

import assert from "node:assert/strict";
import { constants, createPublicKey, publicEncrypt, randomBytes } from "node:crypto";
import { test } from "node:test";
import { runningKms, REGION } from "../running-kms.ts";
import { signedCall } from "../signed-call.ts";

test("a replica without tags is answered without ReplicaTags", async (t) => {
  const { client } = await runningKms(t);
  const kms = client();
  const { KeyId } = (await kms.createKey({ MultiRegion: true, Tags: [{ TagKey: "a", TagValue: "1" }] })).KeyMetadata!;
  const bare = await kms.replicateKey({ KeyId: KeyId!, ReplicaRegion: "eu-west-2" });
  assert.equal("ReplicaTags" in bare, false);
  const Tags = [{ TagKey: "b", TagValue: "2" }];
  const tagged = await kms.replicateKey({ KeyId: KeyId!, ReplicaRegion: "eu-central-1", Tags });
  assert.deepEqual(tagged.ReplicaTags, Tags);
});

test("a key whose imported material was deleted still says which material it had", async (t) => {
  const { client } = await runningKms(t);
  const kms = client();
  const { KeyId = "", CurrentKeyMaterialId } = (await kms.createKey({ Origin: "EXTERNAL" })).KeyMetadata!;
  assert.equal(CurrentKeyMaterialId, undefined);
  const { PublicKey, ImportToken } = await kms.getParametersForImport({
    KeyId,
    WrappingAlgorithm: "RSAES_OAEP_SHA_256",
    WrappingKeySpec: "RSA_2048",
  });
  const key = createPublicKey({ key: Buffer.from(PublicKey!), format: "der", type: "spki" });
  const EncryptedKeyMaterial = publicEncrypt(
    { key, oaepHash: "sha256", padding: constants.RSA_PKCS1_OAEP_PADDING },
    randomBytes(32),
  );
  await kms.importKeyMaterial({
    KeyId,
    ImportToken,
    EncryptedKeyMaterial,
    ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
  });
  const id = (await kms.describeKey({ KeyId })).KeyMetadata!.CurrentKeyMaterialId;
  assert.match(id!, /^[0-9a-f]{64}$/);
  await kms.deleteImportedKeyMaterial({ KeyId });
  const { KeyState, CurrentKeyMaterialId: still } = (await kms.describeKey({ KeyId })).KeyMetadata!;
  assert.deepEqual([KeyState, still], ["PendingImport", id]);
});

test("an error that AWS sends without a message has no such member", async (t) => {
  const { kms, client } = await runningKms(t);
  const { KeyId } = (await client().createKey({ KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" })).KeyMetadata!;
  const { json } = await signedCall({
    endpoint: kms.endpoints[REGION]!,
    credentials: kms.credentials,
    region: REGION,
    operation: "RotateKeyOnDemand",
    body: { KeyId },
  });
  assert.deepEqual(json, { __type: "UnsupportedOperationException" });
});
