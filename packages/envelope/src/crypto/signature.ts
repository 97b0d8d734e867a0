/**
 * ECDSA over P-256 and P-384 for signed suites (framework/transitive-requirements.md, "ECDSA"): signatures in DER,
 * public keys as compressed points (SEC 1 version 2.0, section 2.3.3).
 */
import { createPublicKey, createSign, createVerify, ECDH, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { EnvelopeError } from "../errors.ts";

export interface SignatureAlgorithm {
  readonly curve: "prime256v1" | "secp384r1";
  readonly hash: "sha256" | "sha384" | "sha512";
}

export interface SigningKey {
  readonly algorithm: SignatureAlgorithm;
  readonly privateKey: KeyObject;
  /** The compressed public point, base64: the value of `aws-crypto-public-key`. */
  readonly publicKey: string;
}

const JWK_CURVES = { prime256v1: "P-256", secp384r1: "P-384" } as const;
const COORDINATE_BYTES = { prime256v1: 32, secp384r1: 48 } as const;

export function generateSigningKey(algorithm: SignatureAlgorithm): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: algorithm.curve });
  const { x, y } = publicKey.export({ format: "jwk" });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x ?? "", "base64url"), Buffer.from(y ?? "", "base64url")]);
  const compressed = ECDH.convertKey(point, algorithm.curve, undefined, undefined, "compressed") as Buffer;
  return { algorithm, privateKey, publicKey: compressed.toString("base64") };
}

/** Verification keys held, for messages that share their materials: reading one costs a tenth of verifying with it. */
const MOST_KEYS = 256;
/** By curve and text, least recently read first. Public keys only, each of which was found valid. */
const verificationKeys = new Map<string, KeyObject>();

function verificationKey(algorithm: SignatureAlgorithm, base64: string): KeyObject {
  const id = `${algorithm.curve} ${base64}`;
  const key = verificationKeys.get(id) ?? readVerificationKey(algorithm, base64);
  verificationKeys.delete(id);
  verificationKeys.set(id, key);
  const [oldest] = verificationKeys.keys();
  if (verificationKeys.size > MOST_KEYS && oldest !== undefined) verificationKeys.delete(oldest);
  return key;
}

/** Reads a verification key. Anything but a point on the curve, in the one base64 form it has, is malformed. */
function readVerificationKey(algorithm: SignatureAlgorithm, base64: string): KeyObject {
  const size = COORDINATE_BYTES[algorithm.curve];
  const point = Buffer.from(base64, "base64");
  try {
    const uncompressed = ECDH.convertKey(point, algorithm.curve, undefined, undefined, "uncompressed") as Buffer;
    // Some writers store the point uncompressed; both forms name one key, but junk in the base64 is refused.
    if (point.toString("base64") !== base64) throw new Error("base64");
    const [x, y] = [uncompressed.subarray(1, 1 + size), uncompressed.subarray(1 + size)];
    return createPublicKey({
      key: { kty: "EC", crv: JWK_CURVES[algorithm.curve], x: x.toString("base64url"), y: y.toString("base64url") },
      format: "jwk",
    });
  } catch {
    throw new EnvelopeError(
      "message-malformed",
      "The message's public signing key is not a point on its suite's curve",
    );
  }
}

/** Signs what it was fed; once. */
export interface MessageSigner {
  update(bytes: Uint8Array): void;
  sign(): Buffer;
}

export interface MessageVerifier {
  update(bytes: Uint8Array): void;
  /** @throws EnvelopeError `decryption-failed` */
  verify(signature: Uint8Array): void;
}

export function messageSigner({ algorithm, privateKey }: SigningKey): MessageSigner {
  const signing = createSign(algorithm.hash);
  return { update: (bytes) => void signing.update(bytes), sign: () => signing.sign(privateKey) };
}

/** @param publicKey as `readVerificationKey` takes it */
export function messageVerifier(algorithm: SignatureAlgorithm, publicKey: string): MessageVerifier {
  const key = verificationKey(algorithm, publicKey);
  const verifying = createVerify(algorithm.hash);
  return {
    update: (bytes) => void verifying.update(bytes),
    verify: (signature) => {
      if (!verifying.verify(key, signature))
        throw new EnvelopeError("decryption-failed", "The message does not authenticate");
    },
  };
}
