// One key in two places: OpenSSL makes it, a seed brings it into the KMS, and each side does with it what the other
// must accept. The exchanges of a key are those of its usage, for every algorithm and message type that it has.

import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { EncryptionAlgorithmSpec, KMS, MacAlgorithmSpec, SigningAlgorithmSpec } from "@aws-sdk/client-kms";
import type { SeedKeyDocument } from "@strongroom/kms";
import { KEY_SPECS, algorithmsOf } from "../src/keys/key-spec.ts";
import type { KeySpec, KeyUsage } from "../src/keys/key-spec.ts";
import { opensslLacks } from "./openssl.ts";
import type { Openssl } from "./openssl.ts";

/** Which OpenSSL knows what a key is for. */
const NEEDS: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  ML_DSA: [3, 5],
  ML_KEM: [3, 5],
  ED25519_PH: [3, 2],
};
const lacks = (name: string): string | false =>
  opensslLacks(...(Object.entries(NEEDS).find(([prefix]) => name.startsWith(prefix))?.[1] ?? [3, 0]));

/** Why keys of a spec cannot be exchanged here, or false. */
export const specLacks = (spec: KeySpec): string | false => lacks(spec);

const CURVES: Readonly<Record<string, string>> = {
  ECC_NIST_P256: "P-256",
  ECC_NIST_P384: "P-384",
  ECC_NIST_P521: "P-521",
  ECC_SECG_P256K1: "secp256k1",
};

function genpkeyArguments(spec: KeySpec): readonly string[] {
  const { material } = KEY_SPECS[spec];
  if (material.kind === "rsa") return ["-algorithm", "RSA", "-pkeyopt", `rsa_keygen_bits:${material.modulusLength}`];
  if (material.kind === "ec") return ["-algorithm", "EC", "-pkeyopt", `ec_paramgen_curve:${CURVES[spec]}`];
  return ["-algorithm", spec === "ECC_NIST_EDWARDS25519" ? "ED25519" : spec.replaceAll("_", "-")];
}

/** A key that both sides have. */
export interface SharedKey {
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  readonly id: string;
  /** Its line in the seed. */
  readonly seed: SeedKeyDocument;
}

/** Makes a key with OpenSSL; `key-ID.pem` (or its hexadecimal digits in `seed`) is OpenSSL's copy. */
export function sharedKey(ssl: Openssl, spec: KeySpec, usage: KeyUsage): SharedKey {
  const id = randomUUID();
  const { material: kind } = KEY_SPECS[spec];
  if (kind.kind === "bytes")
    return { spec, usage, id, seed: { id, spec, usage, material: randomBytes(kind.length).toString("hex") } };
  ssl.run("genpkey", ...genpkeyArguments(spec), "-out", `key-${id}.pem`);
  return { spec, usage, id, seed: { id, spec, usage, material: ssl.read(`key-${id}.pem`).toString() } };
}

/** The two sides and the key between them. */
interface Sides {
  readonly kms: KMS;
  readonly ssl: Openssl;
  readonly key: SharedKey;
  /** OpenSSL's arguments for the private and the public key. */
  readonly privateKey: readonly string[];
  readonly publicKey: readonly string[];
}

const message = Buffer.from("what the other side must accept");

/** Options of `openssl dgst` for an algorithm that hashes; null for those that take the message itself. */
function digestOptions(algorithm: string): { readonly hash: string; readonly options: readonly string[] } | null {
  if (!/^(?:RSASSA|ECDSA)/.test(algorithm)) return null;
  const pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];
  return { hash: `sha${algorithm.slice(-3)}`, options: algorithm.includes("PSS") ? pss : [] };
}

async function exchangeSignatures(
  { kms, ssl, key, privateKey: [, privateFile = ""], publicKey: [, publicFile = ""] }: Sides,
  algorithm: string,
): Promise<number> {
  const SigningAlgorithm = algorithm as SigningAlgorithmSpec;
  const hashed = digestOptions(algorithm);
  const prehashed = algorithm.startsWith("ED25519_PH");
  const instance = prehashed ? ["-pkeyopt", "instance:Ed25519ph"] : [];
  const digest = createHash(hashed?.hash ?? "sha512")
    .update(message)
    .digest();
  const inputs = [
    ...(prehashed ? [] : [["RAW", message] as const]),
    ...(hashed !== null || prehashed ? [["DIGEST", digest] as const] : []),
  ];
  ssl.write("message", message);
  const theirs = hashed
    ? ssl.run("dgst", `-${hashed.hash}`, ...hashed.options, "-sign", privateFile, "message")
    : ssl.run("pkeyutl", "-sign", "-rawin", "-inkey", privateFile, ...instance, "-in", "message");
  for (const [MessageType, Message] of inputs) {
    const request = { KeyId: key.id, MessageType, Message, SigningAlgorithm } as const;
    assert.equal((await kms.verify({ ...request, Signature: theirs })).SignatureValid, true);
    await assert.rejects(
      kms.verify({ ...request, Signature: theirs.map((byte, i) => (i === theirs.length - 1 ? byte ^ 1 : byte)) }),
      { name: "KMSInvalidSignatureException" },
    );
    const { Signature } = await kms.sign(request);
    ssl.write("signature", Signature!);
    // A signature that does not verify makes the command fail.
    if (hashed)
      ssl.run(
        "dgst",
        `-${hashed.hash}`,
        ...hashed.options,
        "-verify",
        publicFile,
        "-signature",
        "signature",
        "message",
      );
    else
      ssl.run(
        "pkeyutl",
        "-verify",
        "-rawin",
        "-pubin",
        "-inkey",
        publicFile,
        ...instance,
        "-sigfile",
        "signature",
        "-in",
        "message",
      );
  }
  return inputs.length * 2;
}

async function exchangeCiphertexts(
  { kms, ssl, key, privateKey, publicKey }: Sides,
  algorithm: string,
): Promise<number> {
  const EncryptionAlgorithm = algorithm as EncryptionAlgorithmSpec;
  const hash = algorithm.endsWith("_1") ? "sha1" : "sha256";
  const options = [
    "-pkeyopt",
    "rsa_padding_mode:oaep",
    "-pkeyopt",
    `rsa_oaep_md:${hash}`,
    "-pkeyopt",
    `rsa_mgf1_md:${hash}`,
  ];
  ssl.write("message", message);
  const theirs = ssl.run("pkeyutl", "-encrypt", "-pubin", ...publicKey, ...options, "-in", "message");
  const opened = await kms.decrypt({ KeyId: key.id, EncryptionAlgorithm, CiphertextBlob: theirs });
  assert.deepEqual(Buffer.from(opened.Plaintext!), message);
  ssl.write(
    "ciphertext",
    (await kms.encrypt({ KeyId: key.id, EncryptionAlgorithm, Plaintext: message })).CiphertextBlob!,
  );
  assert.deepEqual(ssl.run("pkeyutl", "-decrypt", ...privateKey, ...options, "-in", "ciphertext"), message);
  return 2;
}

async function exchangeMacs({ kms, ssl, key }: Sides, algorithm: string): Promise<number> {
  const request = { KeyId: key.id, Message: message, MacAlgorithm: algorithm as MacAlgorithmSpec };
  ssl.write("message", message);
  const theirs = ssl.run(
    "dgst",
    `-sha${algorithm.slice(-3)}`,
    "-mac",
    "HMAC",
    "-macopt",
    `hexkey:${String(key.seed.material)}`,
    "-binary",
    "message",
  );
  assert.equal((await kms.verifyMac({ ...request, Mac: theirs })).MacValid, true);
  assert.deepEqual(Buffer.from((await kms.generateMac(request)).Mac!), theirs);
  return 2;
}

async function agree({ kms, ssl, key, privateKey, publicKey: [, publicFile = ""] }: Sides): Promise<number> {
  ssl.run("genpkey", ...genpkeyArguments(key.spec), "-out", "peer.pem");
  const peer = ssl.run("pkey", "-in", "peer.pem", "-pubout", "-outform", "DER");
  ssl.write("peer-public.der", peer);
  const { SharedSecret } = await kms.deriveSharedSecret({
    KeyId: key.id,
    KeyAgreementAlgorithm: "ECDH",
    PublicKey: peer,
  });
  // The peer derives it with the KMS's public key, and the KMS's own private key with the peer's.
  assert.deepEqual(
    ssl.run("pkeyutl", "-derive", "-inkey", "peer.pem", "-peerkey", publicFile),
    Buffer.from(SharedSecret!),
  );
  assert.deepEqual(
    ssl.run("pkeyutl", "-derive", ...privateKey, "-peerkey", "peer-public.der", "-peerform", "DER"),
    Buffer.from(SharedSecret!),
  );
  return 2;
}

async function encapsulate({ kms, ssl, key, privateKey, publicKey }: Sides): Promise<number> {
  const request = { KeyId: key.id, EncapsulationAlgorithm: "ML_KEM" } as const;
  ssl.run("pkeyutl", "-encap", "-pubin", ...publicKey, "-secret", "secret", "-out", "encapsulated");
  const opened = await kms.decapsulate({ ...request, SharedSecretCiphertextBlob: ssl.read("encapsulated") });
  assert.deepEqual(Buffer.from(opened.SharedSecret!), ssl.read("secret"));
  const { SharedSecret, SharedSecretCiphertextBlob } = await kms.encapsulate(request);
  ssl.write("encapsulated", SharedSecretCiphertextBlob!);
  ssl.run("pkeyutl", "-decap", ...privateKey, "-in", "encapsulated", "-secret", "secret");
  assert.deepEqual(ssl.read("secret"), Buffer.from(SharedSecret!));
  return 2;
}

const EXCHANGES: Readonly<Record<KeyUsage, (sides: Sides, algorithm: string) => Promise<number>>> = {
  SIGN_VERIFY: exchangeSignatures,
  ENCRYPT_DECRYPT: exchangeCiphertexts,
  GENERATE_VERIFY_MAC: exchangeMacs,
  KEY_AGREEMENT: agree,
  ENCAPSULATE_DECAPSULATE: encapsulate,
};

/** What was exchanged with a key: how many times one side accepted the other's, and algorithms that OpenSSL lacks. */
export interface Exchanged {
  readonly accepted: number;
  readonly skipped: readonly string[];
}

/** Exchanges, both ways, everything that the key is for. */
export async function exchange(kms: KMS, ssl: Openssl, key: SharedKey): Promise<Exchanged> {
  const algorithms = algorithmsOf(key.spec, key.usage);
  const skipped = algorithms.filter((algorithm) => lacks(algorithm) !== false);
  const publicFile = `public-${key.id}.pem`;
  if (KEY_SPECS[key.spec].material.kind !== "bytes") {
    ssl.write("public.der", (await kms.getPublicKey({ KeyId: key.id })).PublicKey!);
    ssl.run("pkey", "-pubin", "-inform", "DER", "-in", "public.der", "-out", publicFile);
  }
  const sides: Sides = {
    kms,
    ssl,
    key,
    privateKey: ["-inkey", `key-${key.id}.pem`],
    publicKey: ["-inkey", publicFile],
  };
  let accepted = 0;
  for (const algorithm of algorithms.filter((one) => !skipped.includes(one)))
    accepted += await EXCHANGES[key.usage](sides, algorithm);
  return { accepted, skipped };
}
