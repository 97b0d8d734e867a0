// ML-DSA and ML-KEM against an implementation that shares no line with OpenSSL's: @noble/post-quantum. Both hold the
// same key, made from one seed (FIPS 203 and 204), and each accepts what the other made.

import assert from "node:assert/strict";
import { createPrivateKey, randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import { ml_kem1024, ml_kem512, ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import type { SeedKeyDocument } from "@strongroom/kms";
import { failure, runningKms } from "../running-kms.ts";

const message = Buffer.from("signed by one, verified by the other");

/** The key as a seed of the KMS takes it: PKCS #8, from the FIPS's seed and the public key that noble made of it. */
function asSeed(
  spec: NonNullable<SeedKeyDocument["spec"]>,
  seed: Uint8Array,
  publicKey: Uint8Array,
): SeedKeyDocument & { material: string } {
  const [pub, priv] = [publicKey, seed].map((bytes) => Buffer.from(bytes).toString("base64url"));
  const key = createPrivateKey({ key: { kty: "AKP", alg: spec.replaceAll("_", "-"), pub, priv }, format: "jwk" });
  return { id: randomUUID(), spec, material: key.export({ type: "pkcs8", format: "pem" }) as string };
}

test("ML-DSA signatures of either side verify on the other", async (t) => {
  const signers = (
    [
      ["ML_DSA_44", ml_dsa44],
      ["ML_DSA_65", ml_dsa65],
      ["ML_DSA_87", ml_dsa87],
    ] as const
  ).map(([spec, noble]) => {
    const seed = randomBytes(32);
    const keys = noble.keygen(seed);
    return { noble, keys, key: asSeed(spec, seed, keys.publicKey) };
  });
  const kms = (await runningKms(t, { seed: { keys: signers.map(({ key }) => key) } })).client();
  for (const { noble, keys, key } of signers) {
    const request = { KeyId: key.id, Message: message, SigningAlgorithm: "ML_DSA_SHAKE_256" } as const;
    const theirs = noble.sign(message, keys.secretKey);
    assert.equal((await kms.verify({ ...request, Signature: theirs })).SignatureValid, true, key.spec);
    assert.equal(
      (await failure(kms.verify({ ...request, Message: Buffer.from("another"), Signature: theirs }))).name,
      "KMSInvalidSignatureException",
    );
    const { Signature } = await kms.sign(request);
    assert.equal(noble.verify(Signature!, message, keys.publicKey), true, key.spec);
    assert.equal(noble.verify(Signature!, Buffer.from("another"), keys.publicKey), false);
  }
});

test("ML-KEM secrets encapsulated on either side are opened on the other", async (t) => {
  const receivers = (
    [
      ["ML_KEM_512", ml_kem512],
      ["ML_KEM_768", ml_kem768],
      ["ML_KEM_1024", ml_kem1024],
    ] as const
  ).map(([spec, noble]) => {
    const seed = randomBytes(64);
    const keys = noble.keygen(seed);
    return { noble, keys, key: asSeed(spec, seed, keys.publicKey) };
  });
  const kms = (await runningKms(t, { seed: { keys: receivers.map(({ key }) => key) } })).client();
  for (const { noble, keys, key } of receivers) {
    const request = { KeyId: key.id, EncapsulationAlgorithm: "ML_KEM" } as const;
    const theirs = noble.encapsulate(keys.publicKey);
    const opened = await kms.decapsulate({ ...request, SharedSecretCiphertextBlob: theirs.cipherText });
    assert.deepEqual(Buffer.from(opened.SharedSecret!), Buffer.from(theirs.sharedSecret), key.spec);
    const { SharedSecret, SharedSecretCiphertextBlob } = await kms.encapsulate(request);
    assert.deepEqual(
      Buffer.from(noble.decapsulate(SharedSecretCiphertextBlob!, keys.secretKey)),
      Buffer.from(SharedSecret!),
      key.spec,
    );
    // FIPS 203, implicit rejection: a changed encapsulation opens to another secret, the same on both sides.
    const changed = Buffer.from(theirs.cipherText);
    changed[0]! ^= 1;
    const rejected = await kms.decapsulate({ ...request, SharedSecretCiphertextBlob: changed });
    assert.notDeepEqual(Buffer.from(rejected.SharedSecret!), Buffer.from(theirs.sharedSecret));
    assert.deepEqual(Buffer.from(noble.decapsulate(changed, keys.secretKey)), Buffer.from(rejected.SharedSecret!));
  }
});
