// Signatures and MACs: what Sign and Verify share, and GenerateMac and VerifyMac (HMAC: RFC 2104, FIPS 198-1).

import { createHmac } from "node:crypto";
import { SIGNING_SCHEMES } from "../crypto/signing.ts";
import type { Signable, SigningScheme } from "../crypto/signing.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { requireAlgorithm, requireUsage } from "../keys/key-rules.ts";
import { unsupported, validationError } from "../protocol/aws-error.ts";
import type { Call } from "./call.ts";
import { keyRequest } from "./operation.ts";

/** The members of the inputs of Sign and Verify that count here. */
export interface SignatureInput {
  readonly KeyId: string;
  readonly Message: Buffer;
  readonly MessageType?: "RAW" | "DIGEST" | "EXTERNAL_MU";
  readonly SigningAlgorithm: string;
  readonly GrantTokens?: readonly string[];
}

/** Every name in AWS's enumeration. */
export const SIGNING_ALGORITHMS: readonly string[] = [...SIGNING_SCHEMES.keys(), "SM2DSA"];

/** Finds the key and checks that algorithm and message go with it. */
export function prepareSignature(
  call: Call,
  input: SignatureInput,
  operation: "Sign" | "Verify",
): { key: KeyRecord; scheme: SigningScheme; signable: Signable } {
  const key = call.access.useKey(input.KeyId, keyRequest(operation, input));
  requireUsage(key, "SIGN_VERIFY", operation);
  requireAlgorithm(key, input.SigningAlgorithm);
  const scheme = SIGNING_SCHEMES.get(input.SigningAlgorithm);
  if (scheme === undefined) throw unsupported(`Algorithm ${input.SigningAlgorithm} is not available here.`);
  return { key, scheme, signable: signableOf(scheme, input) };
}

function signableOf(
  scheme: SigningScheme,
  { Message: bytes, MessageType: type = "RAW", SigningAlgorithm: algorithm }: SignatureInput,
): Signable {
  if (type === "EXTERNAL_MU") {
    if (scheme.kind !== "ml-dsa")
      throw validationError(`MessageType EXTERNAL_MU is not valid for algorithm ${algorithm}.`);
    throw unsupported("The cryptographic library here takes no external mu: send the message as RAW.");
  }
  if (type === "RAW") {
    if (scheme.kind === "ed25519ph") throw validationError(`MessageType RAW is not valid for algorithm ${algorithm}.`);
    return { kind: "message", bytes };
  }
  if (!("digestLength" in scheme)) throw validationError(`MessageType DIGEST is not valid for algorithm ${algorithm}.`);
  if (bytes.length !== scheme.digestLength)
    throw validationError(`Digest is invalid length for algorithm ${algorithm}.`);
  return { kind: "digest", bytes };
}

/** Every name in AWS's enumeration. */
export const MAC_ALGORITHMS = ["HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512"] as const;

/** The members of the inputs of GenerateMac and VerifyMac that count here. */
export interface MacInput {
  readonly KeyId: string;
  readonly Message: Buffer;
  readonly MacAlgorithm: (typeof MAC_ALGORITHMS)[number];
  readonly GrantTokens?: readonly string[];
}

/** The key of the request, and the MAC of its message under that key. */
export function macOf(
  call: Call,
  input: MacInput,
  operation: "GenerateMac" | "VerifyMac",
): { key: KeyRecord; mac: Buffer } {
  const key = call.access.useKey(input.KeyId, keyRequest(operation, input));
  requireUsage(key, "GENERATE_VERIFY_MAC", operation);
  requireAlgorithm(key, input.MacAlgorithm);
  const hash = input.MacAlgorithm.replace("HMAC_SHA_", "sha");
  return {
    key,
    mac: call.material.withSecret(key, (secret) => createHmac(hash, secret).update(input.Message).digest()),
  };
}
