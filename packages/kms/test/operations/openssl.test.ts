// Interoperation with OpenSSL's command line, both ways, for every kind of key that it knows too.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { KMS, KeySpec, SigningAlgorithmSpec } from "@aws-sdk/client-kms";
import { wrapMaterial } from "../imported-material.ts";
import { hasOpenssl, openssl } from "../openssl.ts";
import { failure, runningKms } from "../running-kms.ts";

const skip = !hasOpenssl && "needs the openssl command";
const message = Buffer.from("the message that is signed");

async function signer(kms: KMS, spec: KeySpec): Promise<{ KeyId: string; publicKey: Buffer }> {
  const { KeyMetadata } = await kms.createKey({ KeySpec: spec, KeyUsage: "SIGN_VERIFY" });
  const { PublicKey } = await kms.getPublicKey({ KeyId: KeyMetadata!.KeyId! });
  return { KeyId: KeyMetadata!.KeyId!, publicKey: Buffer.from(PublicKey!) };
}

const HASHED: [KeySpec, SigningAlgorithmSpec, number, string[]][] = [
  ["RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", 256, []],
  ["RSA_3072", "RSASSA_PKCS1_V1_5_SHA_512", 512, []],
  ["ECC_NIST_P256", "ECDSA_SHA_256", 256, []],
  ["ECC_NIST_P384", "ECDSA_SHA_384", 384, []],
  ["ECC_NIST_P521", "ECDSA_SHA_512", 512, []],
  ["ECC_SECG_P256K1", "ECDSA_SHA_256", 256, []],
];

for (const [spec, SigningAlgorithm, bits] of HASHED) {
  test(`${spec} signatures, of messages and of digests, verify with OpenSSL`, { skip }, async (t) => {
    const kms = (await runningKms(t)).client();
    const { KeyId, publicKey } = await signer(kms, spec);
    const ssl = await openssl(t);
    ssl.write("public.der", publicKey);
    ssl.write("message", message);
    const digest = createHash(`sha${bits}`).update(message).digest();
    for (const [MessageType, Message] of [["RAW", message], ["DIGEST", digest]] as const) {
      const { Signature } = await kms.sign({ KeyId, Message, MessageType, SigningAlgorithm });
      ssl.write("signature", Signature!);
      assert.match(ssl.run("dgst", `-sha${bits}`, "-keyform", "DER", "-verify", "public.der", "-signature", "signature", "message").toString(), /Verified OK/);
      for (const other of ["RAW", "DIGEST"] as const) {
        assert.equal((await kms.verify({ KeyId, Message: other === "RAW" ? message : digest, MessageType: other, Signature: Signature!, SigningAlgorithm })).SignatureValid, true);
      }
    }
  });
}

/** An EXTERNAL key with the private key that OpenSSL made. */
async function imported(kms: KMS, spec: KeySpec, usage: "SIGN_VERIFY" | "ENCRYPT_DECRYPT", pkcs8: Buffer): Promise<string> {
  const { KeyId } = (await kms.createKey({ KeySpec: spec, KeyUsage: usage, Origin: "EXTERNAL" })).KeyMetadata!;
  const { ImportToken, PublicKey } = await kms.getParametersForImport({ KeyId, WrappingAlgorithm: "RSA_AES_KEY_WRAP_SHA_256", WrappingKeySpec: "RSA_2048" });
  const wrapped = wrapMaterial("RSA_AES_KEY_WRAP_SHA_256", Buffer.from(PublicKey!).toString("base64"), pkcs8);
  await kms.importKeyMaterial({ KeyId, ImportToken: ImportToken!, EncryptedKeyMaterial: Buffer.from(wrapped, "base64"), ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" });
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
    assert.equal((await kms.verify({ KeyId, Message: message, Signature, SigningAlgorithm })).SignatureValid, true, spec);
  }
  const ed = genpkey(ssl, "-algorithm", "ED25519");
  const KeyId = await imported(kms, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ed);
  const Signature = ssl.run("pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", "key.der", "-in", "message");
  assert.equal((await kms.verify({ KeyId, Message: message, Signature, SigningAlgorithm: "ED25519_SHA_512" })).SignatureValid, true);
});

test("Ed25519 signatures verify with OpenSSL, and Ed25519ph ones are of the digest", { skip }, async (t) => {
  const kms = (await runningKms(t)).client();
  const { KeyId, publicKey } = await signer(kms, "ECC_NIST_EDWARDS25519");
  const ssl = await openssl(t);
  ssl.write("public.der", publicKey);
  ssl.write("message", message);
  const { Signature } = await kms.sign({ KeyId, Message: message, SigningAlgorithm: "ED25519_SHA_512" });
  ssl.write("signature", Signature!);
  assert.match(ssl.run("pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", "public.der", "-sigfile", "signature", "-in", "message").toString(), /Verified Successfully/);
  const digest = createHash("sha512").update(message).digest();
  const ph = { KeyId, Message: digest, MessageType: "DIGEST", SigningAlgorithm: "ED25519_PH_SHA_512" } as const;
  const prehashed = await kms.sign(ph);
  assert.equal((await kms.verify({ ...ph, Signature: prehashed.Signature! })).SignatureValid, true);
  assert.equal((await failure(kms.verify({ ...ph, Signature: Signature! }))).name, "KMSInvalidSignatureException");
  assert.equal((await failure(kms.sign({ ...ph, MessageType: "RAW" }))).name, "ValidationException");
  assert.equal((await failure(kms.sign({ KeyId, Message: digest, MessageType: "DIGEST", SigningAlgorithm: "ED25519_SHA_512" }))).name, "ValidationException");
});

test("what OpenSSL encrypts to an RSA key opens here, and the other way round", { skip }, async (t) => {
  const kms = (await runningKms(t)).client();
  const ssl = await openssl(t);
  const KeyId = await imported(kms, "RSA_2048", "ENCRYPT_DECRYPT", genpkey(ssl, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"));
  for (const [EncryptionAlgorithm, hash] of [["RSAES_OAEP_SHA_1", "sha1"], ["RSAES_OAEP_SHA_256", "sha256"]] as const) {
    const options = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", `rsa_oaep_md:${hash}`, "-pkeyopt", `rsa_mgf1_md:${hash}`];
    ssl.write("plain", "for your eyes");
    const there = ssl.run("pkeyutl", "-encrypt", "-keyform", "DER", "-inkey", "key.der", ...options, "-in", "plain");
    assert.equal(Buffer.from((await kms.decrypt({ KeyId, EncryptionAlgorithm, CiphertextBlob: there })).Plaintext!).toString(), "for your eyes");
    const { CiphertextBlob } = await kms.encrypt({ KeyId, EncryptionAlgorithm, Plaintext: Buffer.from("and back") });
    ssl.write("cipher", CiphertextBlob!);
    assert.equal(ssl.run("pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", "key.der", ...options, "-in", "cipher").toString(), "and back");
  }
});

test("MACs of imported HMAC keys are OpenSSL's", { skip }, async (t) => {
  const kms = (await runningKms(t)).client();
  const ssl = await openssl(t);
  ssl.write("message", message);
  for (const bits of [224, 256, 384, 512] as const) {
    const material = randomBytes(bits / 8);
    const { KeyId } = (await kms.createKey({ KeySpec: `HMAC_${bits}`, KeyUsage: "GENERATE_VERIFY_MAC", Origin: "EXTERNAL" })).KeyMetadata!;
    const { ImportToken, PublicKey } = await kms.getParametersForImport({ KeyId, WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048" });
    const EncryptedKeyMaterial = Buffer.from(wrapMaterial("RSAES_OAEP_SHA_256", Buffer.from(PublicKey!).toString("base64"), material), "base64");
    await kms.importKeyMaterial({ KeyId, ImportToken: ImportToken!, EncryptedKeyMaterial, ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" });
    const { Mac } = await kms.generateMac({ KeyId: KeyId!, Message: message, MacAlgorithm: `HMAC_SHA_${bits}` });
    const theirs = ssl.run("dgst", `-sha${bits}`, "-mac", "HMAC", "-macopt", `hexkey:${material.toString("hex")}`, "-binary", "message");
    assert.deepEqual(Buffer.from(Mac!), theirs);
  }
});

test("data key pairs: the private key opens from its ciphertext and belongs to the public one", async (t: TestContext) => {
  const kms = (await runningKms(t)).client();
  const { KeyId } = (await kms.createKey({})).KeyMetadata!;
  const { createPrivateKey, createPublicKey } = await import("node:crypto");
  for (const KeyPairSpec of ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_P521", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "ML_KEM_768"] as const) {
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
    assert.equal((await failure(kms.verify({ ...request, Message: Buffer.from("other"), Signature: Signature! }))).name, "KMSInvalidSignatureException");
    assert.equal((await failure(kms.sign({ ...request, MessageType: "EXTERNAL_MU" }))).name, "UnsupportedOperationException");
  }
  for (const level of [512, 768, 1024] as const) {
    const { KeyId } = (await kms.createKey({ KeySpec: `ML_KEM_${level}`, KeyUsage: "ENCAPSULATE_DECAPSULATE" })).KeyMetadata!;
    const request = { KeyId: KeyId!, EncapsulationAlgorithm: "ML_KEM" } as const;
    const { SharedSecret, SharedSecretCiphertextBlob } = await kms.encapsulate(request);
    assert.equal(SharedSecret!.length, 32);
    assert.deepEqual((await kms.decapsulate({ ...request, SharedSecretCiphertextBlob: SharedSecretCiphertextBlob! })).SharedSecret, SharedSecret);
    assert.equal((await failure(kms.decapsulate({ ...request, SharedSecretCiphertextBlob: Buffer.from("short") }))).name, "InvalidCiphertextException");
  }
});

test("a key that is not what it is imported as is refused", async (t) => {
  const kms = (await runningKms(t)).client();
  const ec = generateKeyPairSync("ec", { namedCurve: "secp384r1", privateKeyEncoding: { type: "pkcs8", format: "der" }, publicKeyEncoding: { type: "spki", format: "der" } });
  await assert.rejects(imported(kms, "ECC_NIST_P256", "SIGN_VERIFY", ec.privateKey), { name: "InvalidCiphertextException" });
  await assert.rejects(imported(kms, "RSA_2048", "SIGN_VERIFY", ec.privateKey), { name: "InvalidCiphertextException" });
});
