/**
 * Elliptic-curve Diffie-Hellman over the NIST curves (NIST SP 800-56A rev. 3, section 5.7.1.2), the reading of its
 * keys, and points in compressed form (SEC 1 version 2.0, section 2.3.3).
 */
import { createPublicKey, diffieHellman, ECDH, generateKeyPairSync } from "node:crypto";
import { EnvelopeError } from "../errors.ts";
import { oneOf } from "../options.ts";
import type { Reader } from "../options.ts";
import { readKey } from "./key-input.ts";
import type { KeyInput, KeyKind, KeyObject } from "./key-input.ts";
import { SecretBytes } from "./secret.ts";

export type EcdhCurve = "ECC_NIST_P256" | "ECC_NIST_P384" | "ECC_NIST_P521";

interface CurveEntry {
  /** As node:crypto names it. */
  readonly name: string;
  readonly jwk: string;
  readonly coordinateBytes: number;
}

const CURVES: Readonly<Record<EcdhCurve, CurveEntry>> = {
  ECC_NIST_P256: { name: "prime256v1", jwk: "P-256", coordinateBytes: 32 },
  ECC_NIST_P384: { name: "secp384r1", jwk: "P-384", coordinateBytes: 48 },
  ECC_NIST_P521: { name: "secp521r1", jwk: "P-521", coordinateBytes: 66 },
};

/** PEM (text, or bytes of it), DER, or a key object of node:crypto. */
export type EcPublicKeyInput = KeyInput;
/** PEM (text, or bytes of it), DER, or a key object of node:crypto. */
export type EcPrivateKeyInput = KeyInput;

/** A point of the curve: never the one at infinity, never one beside the curve. */
export interface EcPublicKey {
  readonly key: KeyObject;
  /** As messages store it. */
  readonly compressed: Buffer;
  /** SubjectPublicKeyInfo in DER with the uncompressed point, as AWS KMS takes it. */
  readonly der: Buffer;
}

export interface EcPrivateKey {
  readonly key: KeyObject;
  readonly publicKey: EcPublicKey;
}

function isCurve(value: unknown): value is EcdhCurve {
  return typeof value === "string" && Object.hasOwn(CURVES, value);
}

/** The option `curve`. */
export const curveOption: Reader<EcdhCurve> = oneOf(Object.keys(CURVES) as EcdhCurve[]);

/** Bytes of a compressed point. */
export function compressedLength(curve: EcdhCurve): number {
  return CURVES[curve].coordinateBytes + 1;
}

/** Bytes of a shared secret. */
export function sharedSecretLength(curve: EcdhCurve): number {
  return CURVES[curve].coordinateBytes;
}

/** A public key of this curve, or what is wrong with it. */
export function readEcPublicKey(curve: EcdhCurve, input: unknown): EcPublicKey | string {
  const key = readEcKey(curve, "public", input);
  return typeof key === "string" ? key : (pointOf(curve, key) ?? NO_POINT);
}

/** A private key of this curve, or what is wrong with it. */
export function readEcPrivateKey(curve: EcdhCurve, input: unknown): EcPrivateKey | string {
  const key = readEcKey(curve, "private", input);
  return typeof key === "string" ? key : (withPublicKey(curve, key) ?? NO_POINT);
}

const NO_POINT = "must be a point on the curve, and not the one at infinity";

function readEcKey(curve: EcdhCurve, kind: KeyKind, input: unknown): KeyObject | string {
  const key = readKey(kind, input);
  if (typeof key === "string") return key;
  const found = key.asymmetricKeyDetails?.namedCurve;
  if (found === CURVES[curve].name) return key;
  const other = found ?? `a key of the type ${key.asymmetricKeyType ?? "unknown"}`;
  return `must be a key of ${curve}, not ${other}`;
}

/** An option that is a key of this curve. */
export function ecKey<Key>(read: (curve: EcdhCurve, input: unknown) => Key | string, curve: EcdhCurve): Reader<Key> {
  return (value, name, problems) => {
    // A curve that was refused has been said already.
    const key = isCurve(curve) ? read(curve, value) : "needs a curve";
    if (typeof key !== "string") return key;
    problems.push(`${name} ${key}`);
    return undefined as never;
  };
}

function pointOf(curve: EcdhCurve, key: KeyObject): EcPublicKey | null {
  try {
    const { x, y } = key.export({ format: "jwk" });
    return ofPoint(
      curve,
      Buffer.concat([Buffer.of(4), Buffer.from(x ?? "", "base64url"), Buffer.from(y ?? "", "base64url")]),
    );
  } catch {
    // node reads the point at infinity, which has no coordinates.
    return null;
  }
}

export function generateEcKeyPair(curve: EcdhCurve): EcPrivateKey {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: CURVES[curve].name });
  const pair = withPublicKey(curve, privateKey);
  if (pair === null) throw new EnvelopeError("wrap-failed", "No key pair could be made");
  return pair;
}

function withPublicKey(curve: EcdhCurve, key: KeyObject): EcPrivateKey | null {
  const publicKey = pointOf(curve, createPublicKey(key));
  return publicKey === null ? null : { key, publicKey };
}

/** Reads a point as messages store it. null for anything but the compressed form of a point on the curve. */
export function readCompressedPoint(curve: EcdhCurve, compressed: Uint8Array): EcPublicKey | null {
  return compressed.length === compressedLength(curve) ? ofPoint(curve, compressed) : null;
}

function ofPoint(curve: EcdhCurve, point: Uint8Array): EcPublicKey | null {
  const { name, jwk, coordinateBytes } = CURVES[curve];
  try {
    const uncompressed = ECDH.convertKey(point, name, undefined, undefined, "uncompressed") as Buffer;
    const [x, y] = [uncompressed.subarray(1, 1 + coordinateBytes), uncompressed.subarray(1 + coordinateBytes)];
    const key = createPublicKey({
      key: { kty: "EC", crv: jwk, x: x.toString("base64url"), y: y.toString("base64url") },
      format: "jwk",
    });
    return {
      key,
      compressed: ECDH.convertKey(uncompressed, name, undefined, undefined, "compressed") as Buffer,
      der: key.export({ format: "der", type: "spki" }),
    };
  } catch {
    return null;
  }
}

/** The caller wipes it. */
export function sharedSecret(privateKey: EcPrivateKey, publicKey: EcPublicKey): SecretBytes {
  return new SecretBytes(diffieHellman({ privateKey: privateKey.key, publicKey: publicKey.key }));
}
