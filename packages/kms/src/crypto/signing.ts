// Signatures: RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017), ECDSA (FIPS 186-5), Ed25519 and Ed25519ph (RFC 8032),
// ML-DSA (FIPS 204). Whole messages go through OpenSSL. A digest made by the caller does too for RSA (the encoding is
// done here, the exponentiation there); OpenSSL behind Node signs no bare digest with an elliptic curve, so those
// go through @noble/curves.

import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  privateEncrypt,
  publicDecrypt,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import type { KeyObject } from "node:crypto";
import { eddsa } from "@noble/curves/abstract/edwards.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { secretText } from "@strongroom/base/secret-memory";

type HashName = "sha256" | "sha384" | "sha512";

interface RsaScheme {
  readonly kind: "rsa-pkcs1" | "rsa-pss";
  readonly hash: HashName;
  readonly digestLength: number;
}

/** How a signing algorithm works. */
export type SigningScheme =
  | RsaScheme
  | { readonly kind: "ecdsa"; readonly hash: HashName; readonly digestLength: number }
  | { readonly kind: "ed25519" | "ml-dsa" }
  | { readonly kind: "ed25519ph"; readonly digestLength: 64 };

const withHash = (kind: "rsa-pkcs1" | "rsa-pss" | "ecdsa", bits: 256 | 384 | 512): SigningScheme => ({
  kind,
  hash: `sha${bits}`,
  digestLength: bits / 8,
});

/** Every signing algorithm of AWS's enumeration but SM2DSA. */
export const SIGNING_SCHEMES: ReadonlyMap<string, SigningScheme> = new Map<string, SigningScheme>([
  ["RSASSA_PKCS1_V1_5_SHA_256", withHash("rsa-pkcs1", 256)],
  ["RSASSA_PKCS1_V1_5_SHA_384", withHash("rsa-pkcs1", 384)],
  ["RSASSA_PKCS1_V1_5_SHA_512", withHash("rsa-pkcs1", 512)],
  ["RSASSA_PSS_SHA_256", withHash("rsa-pss", 256)],
  ["RSASSA_PSS_SHA_384", withHash("rsa-pss", 384)],
  ["RSASSA_PSS_SHA_512", withHash("rsa-pss", 512)],
  ["ECDSA_SHA_256", withHash("ecdsa", 256)],
  ["ECDSA_SHA_384", withHash("ecdsa", 384)],
  ["ECDSA_SHA_512", withHash("ecdsa", 512)],
  ["ED25519_SHA_512", { kind: "ed25519" }],
  ["ED25519_PH_SHA_512", { kind: "ed25519ph", digestLength: 64 }],
  ["ML_DSA_SHAKE_256", { kind: "ml-dsa" }],
]);

/** What is signed: a whole message, or its digest made by the caller. */
export interface Signable {
  readonly kind: "message" | "digest";
  readonly bytes: Uint8Array;
}

/** Padding of RSA; the salt of PSS is as long as the digest. */
const RSA_PADDING = {
  "rsa-pkcs1": { padding: constants.RSA_PKCS1_PADDING },
  "rsa-pss": { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
} as const;

/** Signs with a PKCS #8 private key. ECDSA signatures are DER, as AWS gives them. */
export function signWith(scheme: SigningScheme, pkcs8: Buffer, signable: Signable): Buffer {
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  switch (scheme.kind) {
    case "rsa-pkcs1":
    case "rsa-pss": {
      if (signable.kind === "message") return sign(scheme.hash, signable.bytes, { key, ...RSA_PADDING[scheme.kind] });
      const encoded = scheme.kind === "rsa-pss" ? encodePss(signable.bytes, scheme.hash, bitsOf(key)) : null;
      return encoded === null
        ? privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digestInfo(scheme.hash, signable.bytes))
        : privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
    }
    case "ecdsa": {
      if (signable.kind === "message") return sign(scheme.hash, signable.bytes, { key, dsaEncoding: "der" });
      const scalar = jwkBytes(key, "d");
      const signature = curveOf(key).sign(signable.bytes, scalar, {
        prehash: false,
        lowS: false,
        format: "der",
        extraEntropy: true,
      });
      scalar.fill(0);
      return Buffer.from(signature);
    }
    case "ed25519":
    case "ml-dsa":
      return sign(null, signable.bytes, key);
    case "ed25519ph": {
      const seed = jwkBytes(key, "d");
      const signature = Buffer.from(ED25519_PH.sign(signable.bytes, seed));
      seed.fill(0);
      return signature;
    }
  }
}

/** Whether a signature is good, for a SubjectPublicKeyInfo public key. */
export function verifyWith(
  scheme: SigningScheme,
  spki: Uint8Array,
  signable: Signable,
  signature: Uint8Array,
): boolean {
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  try {
    switch (scheme.kind) {
      case "rsa-pkcs1":
      case "rsa-pss":
        if (signable.kind === "message")
          return verify(scheme.hash, signable.bytes, { key, ...RSA_PADDING[scheme.kind] }, signature);
        return verifyRsaDigest(scheme, key, signable.bytes, signature);
      case "ecdsa":
        if (signable.kind === "message")
          return verify(scheme.hash, signable.bytes, { key, dsaEncoding: "der" }, signature);
        return curveOf(key).verify(signature, signable.bytes, pointOf(key), {
          prehash: false,
          lowS: false,
          format: "der",
        });
      case "ed25519":
      case "ml-dsa":
        return verify(null, signable.bytes, key, signature);
      case "ed25519ph":
        return ED25519_PH.verify(signature, signable.bytes, jwkBytes(key, "x"));
    }
  } catch {
    // Malformed signatures make the libraries throw; to the caller they are as bad as wrong ones.
    return false;
  }
}

function verifyRsaDigest(scheme: RsaScheme, key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  if (scheme.kind === "rsa-pss") {
    return verifyPss(
      publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature),
      digest,
      scheme.hash,
      bitsOf(key),
    );
  }
  const found = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
  const wanted = digestInfo(scheme.hash, digest);
  return found.length === wanted.length && timingSafeEqual(found, wanted);
}

/** DER before the digest in EMSA-PKCS1-v1_5 (RFC 8017, section 9.2, note 1). */
const DIGEST_INFO: Readonly<Record<HashName, Buffer>> = {
  sha256: Buffer.from("3031300d060960864801650304020105000420", "hex"),
  sha384: Buffer.from("3041300d060960864801650304020205000430", "hex"),
  sha512: Buffer.from("3051300d060960864801650304020305000440", "hex"),
};

const digestInfo = (hash: HashName, digest: Uint8Array): Buffer => Buffer.concat([DIGEST_INFO[hash], digest]);

const bitsOf = (key: KeyObject): number => key.asymmetricKeyDetails?.modulusLength ?? 0;

/** EMSA-PSS-ENCODE (RFC 8017, section 9.1.1) with MGF1 of the same hash; modulus lengths here are multiples of 8. */
function encodePss(digest: Uint8Array, hash: HashName, modulusBits: number): Buffer {
  const length = modulusBits / 8;
  const salt = randomBytes(digest.length);
  const h = pssHash(hash, digest, salt);
  const db = Buffer.concat([Buffer.alloc(length - 2 * digest.length - 2), Buffer.of(1), salt]);
  const masked = xor(db, mgf1(hash, h, db.length));
  masked[0] = (masked[0] ?? 0) & 0x7f;
  return Buffer.concat([masked, h, Buffer.of(0xbc)]);
}

/** EMSA-PSS-VERIFY (section 9.1.2) with a salt as long as the digest. */
function verifyPss(encoded: Buffer, digest: Uint8Array, hash: HashName, modulusBits: number): boolean {
  const length = modulusBits / 8;
  const dbLength = length - digest.length - 1;
  if (encoded.length !== length || encoded[length - 1] !== 0xbc || ((encoded[0] ?? 0) & 0x80) !== 0) return false;
  const h = encoded.subarray(dbLength, length - 1);
  const db = xor(encoded.subarray(0, dbLength), mgf1(hash, h, dbLength));
  db[0] = (db[0] ?? 0) & 0x7f;
  const padding = db.subarray(0, dbLength - digest.length - 1);
  if (padding.some((byte) => byte !== 0) || db[padding.length] !== 1) return false;
  return timingSafeEqual(h, pssHash(hash, digest, db.subarray(padding.length + 1)));
}

const pssHash = (hash: HashName, digest: Uint8Array, salt: Uint8Array): Buffer =>
  createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();

function mgf1(hash: HashName, seed: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 0, made = 0; made < length; counter++) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(counter);
    const block = createHash(hash).update(seed).update(number).digest();
    blocks.push(block);
    made += block.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}

const xor = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));

const CURVES: Readonly<Record<string, typeof p256>> = { prime256v1: p256, secp384r1: p384, secp521r1: p521, secp256k1 };

function curveOf(key: KeyObject): typeof p256 {
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (curve === undefined) throw new RangeError("not a curve of this server");
  return curve;
}

const jwkBytes = (key: KeyObject, member: "d" | "x" | "y"): Buffer =>
  secretText(String(key.export({ format: "jwk" })[member]), "base64url");

/** The uncompressed point of a public key (SEC 1, section 2.3.3). */
const pointOf = (key: KeyObject): Buffer => Buffer.concat([Buffer.of(4), jwkBytes(key, "x"), jwkBytes(key, "y")]);

/** Clamping of the secret scalar (RFC 8032, section 5.1.5, step 2). */
function clamp(bytes: Uint8Array): Uint8Array {
  bytes[0] = (bytes[0] ?? 0) & 248;
  bytes[31] = ((bytes[31] ?? 0) & 127) | 64;
  return bytes;
}

/** Ed25519ph over a SHA-512 digest that the caller made (RFC 8032, section 5.1: dom2 with the flag 1, no context). */
const ED25519_PH = eddsa(ed25519.Point, sha512, {
  adjustScalarBytes: clamp,
  // The message is its own prehash here: AWS's MessageType DIGEST hands over the digest.
  prehash: Object.assign((digest: Uint8Array) => digest, sha512),
  domain: (data: Uint8Array, context: Uint8Array, prehashed: boolean) =>
    Buffer.concat([
      Buffer.from("SigEd25519 no Ed25519 collisions"),
      Buffer.of(prehashed ? 1 : 0, context.length),
      context,
      data,
    ]),
});
