// What Sign and Verify share: the key, the algorithm, and what is to be signed.

import { SIGNING_SCHEMES } from "../crypto/signing.ts";
import type { Signable, SigningScheme } from "../crypto/signing.ts";
import { algorithmsOf } from "../keys/key-spec.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { unsupported, validationError } from "../protocol/aws-error.ts";
import { requireAlgorithm, requireUsage } from "./call.ts";
import type { Call } from "./call.ts";
import { keyRequest } from "./key-request.ts";

/** The members of both inputs that count here. */
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
): { key: KeyRecord; scheme: SigningScheme; what: Signable } {
  const key = call.useKey(input.KeyId, keyRequest(operation, input));
  requireUsage(key, "SIGN_VERIFY", operation);
  requireAlgorithm(key, input.SigningAlgorithm, algorithmsOf(key.spec, key.usage));
  const scheme = SIGNING_SCHEMES.get(input.SigningAlgorithm);
  if (scheme === undefined) throw unsupported(`Algorithm ${input.SigningAlgorithm} is not available here.`);
  return { key, scheme, what: signableOf(scheme, input) };
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
