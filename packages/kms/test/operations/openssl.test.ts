// Interoperation with OpenSSL's command line, both ways, for every kind of key that it knows too.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { KMS, SigningAlgorithmSpec } from "@aws-sdk/client-kms";
import type { KeySpec, KeyUsage } from "../../src/keys/key-spec.ts";
import { wrapMaterial } from "../imported-material.ts";
import { exchange, sharedKey } from "../openssl-exchange.ts";
import { hasOpenssl, openssl, opensslLacks } from "../openssl.ts";
import { failure, runningKms } from "../running-kms.ts";

const skip = !hasOpenssl && "needs the openssl command";
const message = Buffer.from("the message that is signed");

async function signer(kms: KMS, spec: KeySpec): Promise<{ KeyId: string }> {
  const { KeyMetadata } = await kms.createKey({ KeySpec: spec, KeyUsage: "SIGN_VERIFY" });
  return { KeyId: KeyMetadata!.KeyId! };
}

/** One key for each kind of algorithm: test-long/openssl-exchange.test.ts has them all. */
const DAILY: readonly (readonly [KeySpec, KeyUsage])[] = [
  ["RSA_2048", "SIGN_VERIFY"],
  ["RSA_2048", "ENCRYPT_DECRYPT"],
  ["ECC_NIST_P256", "SIGN_VERIFY"],
  ["ECC_SECG_P256K1", "SIGN_VERIFY"],
  ["ECC_NIST_EDWARDS25519", "SIGN_VERIFY"],
  ["ECC_NIST_P384", "KEY_AGREEMENT"],
  ["HMAC_384", "GENERATE_VERIFY_MAC"],
];
const POST_QUANTUM: typeof DAILY = [
  ["ML_DSA_44", "SIGN_VERIFY"],
  ["ML_KEM_768", "ENCAPSULATE_DECAPSULATE"],
];

async function exchangeAll(t: TestContext, specs: typeof DAILY): Promise<number> {
  const ssl = await openssl(t);
  const keys = specs.map(([spec, usage]) => sharedKey(ssl, spec, usage));
  const { client } = await runningKms(t, { seed: { keys: keys.map((key) => key.seed) } });
  let accepted = 0;
  for (const key of keys) accepted += (await exchange(client(), ssl, key)).accepted;
  return accepted;
}

test("what is done with a key here OpenSSL accepts, and the other way round", { skip }, async (t) => {
  assert.ok((await exchangeAll(t, DAILY)) >= 42);
});

test(
  "OpenSSL accepts ML-DSA signatures and ML-KEM encapsulations, and the other way round",
  { skip: opensslLacks(3, 5) },
  async (t) => {
    assert.equal(await exchangeAll(t, POST_QUANTUM), 4);
  },
);

/** An EXTERNAL key with the private key that OpenSSL made. */
async function imported(
  kms: KMS,
  spec: KeySpec,
  usage: "SIGN_VERIFY" | "ENCRYPT_DECRYPT",
  pkcs8: Buffer,
): Promise<string> {
  const { KeyId } = (await kms.createKey({ KeySpec: spec, KeyUsage: usage, Origin: "EXTERNAL" })).KeyMetadata!;
  const { ImportToken, PublicKey } = await kms.getParametersForImport({
    KeyId,
    WrappingAlgorithm: "RSA_AES_KEY_WRAP_SHA_256",
    WrappingKeySpec: "RSA_2048",
  });
  const wrapped = wrapMaterial("RSA_AES_KEY_WRAP_SHA_256", Buffer.from(PublicKey!).toString("base64"), pkcs8);
  await kms.importKeyMaterial({
    KeyId,
    ImportToken: ImportToken!,
    EncryptedKeyMaterial: Buffer.from(wrapped, "base64"),
    ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
  });
  return KeyId!;
}

function genpkey(ssl: Awaited<ReturnType<typeof openssl>>, ...args: string[]): Buffer {
  ssl.run("genpkey", ...args, "-outform", "DER", "-out", "key.der");
  return ssl.run("pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-in", "key.der", "-outform", "DER");
}

test("keys that OpenSSL made are imported, and its signatures verify here", { skip }, async (t) => {
  const kms = (await runningKms(t)).client();
  const ssl = await openssl(t);
  ssl.write("message", message);
  const cases: [KeySpec, SigningAlgorithmSpec, string[]][] = [
    ["ECC_NIST_P384", "ECDSA_SHA_384", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]],
    ["ECC_SECG_P256K1", "ECDSA_SHA_256", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]],
    ["RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]],
  ];
  for (const [spec, SigningAlgorithm, args] of cases) {
    const KeyId = await imported(kms, spec, "SIGN_VERIFY", genpkey(ssl, ...args));
    const bits = SigningAlgorithm.slice(-3);
    const Signature = ssl.run("dgst", `-sha${bits}`, "-keyform", "DER", "-sign", "key.der", "message");
    assert.equal(
      (await kms.verify({ KeyId, Message: message, Signature, SigningAlgorithm })).SignatureValid,
      true,
      spec,
    );
  }
  const ed = genpkey(ssl, "-algorithm", "ED25519");
  const KeyId = await imported(kms, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ed);
  const Signature = ssl.run("pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", "key.der", "-in", "message");
  assert.equal(
    (await kms.verify({ KeyId, Message: message, Signature, SigningAlgorithm: "ED25519_SHA_512" })).SignatureValid,
    true,
  );
});

test("Ed25519 signs messages, Ed25519ph their SHA-512 digests, and neither the other's", async (t) => {
  const kms = (await runningKms(t)).client();
  const { KeyId } = await signer(kms, "ECC_NIST_EDWARDS25519");
  const { Signature } = await kms.sign({ KeyId, Message: message, SigningAlgorithm: "ED25519_SHA_512" });
  const digest = createHash("sha512").update(message).digest();
  const ph = { KeyId, Message: digest, MessageType: "DIGEST", SigningAlgorithm: "ED25519_PH_SHA_512" } as const;
  const prehashed = await kms.sign(ph);
  assert.equal((await kms.verify({ ...ph, Signature: prehashed.Signature! })).SignatureValid, true);
  assert.equal((await failure(kms.verify({ ...ph, Signature: Signature! }))).name, "KMSInvalidSignatureException");
  assert.equal((await failure(kms.sign({ ...ph, MessageType: "RAW" }))).name, "ValidationException");
  assert.equal(
    (await failure(kms.sign({ KeyId, Message: digest, MessageType: "DIGEST", SigningAlgorithm: "ED25519_SHA_512" })))
      .name,
    "ValidationException",
  );
});

test("data key pairs: the private key opens from its ciphertext and belongs to the public one", async (t: TestContext) => {
  const kms = (await runningKms(t)).client();
  const { KeyId } = (await kms.createKey({})).KeyMetadata!;
  const { createPrivateKey, createPublicKey } = await import("node:crypto");
  for (const KeyPairSpec of [
    "RSA_2048",
    "ECC_NIST_P256",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "ECC_NIST_EDWARDS25519",
    "ML_KEM_768",
  ] as const) {
    const made = await kms.generateDataKeyPair({ KeyId: KeyId!, KeyPairSpec, EncryptionContext: { a: "1" } });
    const opened = await kms.decrypt({ CiphertextBlob: made.PrivateKeyCiphertextBlob!, EncryptionContext: { a: "1" } });
    assert.deepEqual(opened.Plaintext, made.PrivateKeyPlaintext);
    const privateKey = createPrivateKey({ key: Buffer.from(made.PrivateKeyPlaintext!), format: "der", type: "pkcs8" });
    assert.deepEqual(createPublicKey(privateKey).export({ type: "spki", format: "der" }), Buffer.from(made.PublicKey!));
    const without = await kms.generateDataKeyPairWithoutPlaintext({ KeyId: KeyId!, KeyPairSpec });
    assert.equal("PrivateKeyPlaintext" in without, false);
  }
});

test("ML-DSA signs and verifies, ML-KEM encapsulates and decapsulates, at every level", async (t) => {
  const kms = (await runningKms(t)).client();
  for (const level of [44, 65, 87] as const) {
    const { KeyId } = await signer(kms, `ML_DSA_${level}`);
    const request = { KeyId, Message: message, SigningAlgorithm: "ML_DSA_SHAKE_256" } as const;
    const { Signature } = await kms.sign(request);
    assert.equal((await kms.verify({ ...request, Signature: Signature! })).SignatureValid, true);
    assert.equal(
      (await failure(kms.verify({ ...request, Message: Buffer.from("other"), Signature: Signature! }))).name,
      "KMSInvalidSignatureException",
    );
    assert.equal(
      (await failure(kms.sign({ ...request, MessageType: "EXTERNAL_MU" }))).name,
      "UnsupportedOperationException",
    );
  }
  for (const level of [512, 768, 1024] as const) {
    const { KeyId } = (await kms.createKey({ KeySpec: `ML_KEM_${level}`, KeyUsage: "ENCAPSULATE_DECAPSULATE" }))
      .KeyMetadata!;
    const request = { KeyId: KeyId!, EncapsulationAlgorithm: "ML_KEM" } as const;
    const { SharedSecret, SharedSecretCiphertextBlob } = await kms.encapsulate(request);
    assert.equal(SharedSecret!.length, 32);
    assert.deepEqual(
      (await kms.decapsulate({ ...request, SharedSecretCiphertextBlob: SharedSecretCiphertextBlob! })).SharedSecret,
      SharedSecret,
    );
    assert.equal(
      (await failure(kms.decapsulate({ ...request, SharedSecretCiphertextBlob: Buffer.from("short") }))).name,
      "InvalidCiphertextException",
    );
  }
});

test("a key that is not what it is imported as is refused", async (t) => {
  const kms = (await runningKms(t)).client();
  const ec = generateKeyPairSync("ec", {
    namedCurve: "secp384r1",
    privateKeyEncoding: { type: "pkcs8", format: "der" },
    publicKeyEncoding: { type: "spki", format: "der" },
  });
  await assert.rejects(imported(kms, "ECC_NIST_P256", "SIGN_VERIFY", ec.privateKey), {
    name: "InvalidCiphertextException",
  });
  await assert.rejects(imported(kms, "RSA_2048", "SIGN_VERIFY", ec.privateKey), { name: "InvalidCiphertextException" });
});
