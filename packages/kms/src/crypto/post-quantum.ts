// ML-KEM and ML-DSA come with OpenSSL 3.5, so with Node 24.7 and newer. On an older Node the rest of the KMS works, and
// such keys are refused with a reason.

import * as nodeCrypto from "node:crypto";
import type { KeyObject } from "node:crypto";
import { type AwsError, unsupported } from "../protocol/aws-error.ts";

// Read as properties: a named import that Node does not have would keep the whole package from loading.
const { encapsulate: encapsulateNow, decapsulate: decapsulateNow } = nodeCrypto as Partial<typeof nodeCrypto>;

/** @throws AwsError UnsupportedOperationException where this Node has no post-quantum algorithms. */
export function requirePostQuantum(): void {
  if (encapsulateNow === undefined || decapsulateNow === undefined) throw unavailable();
}

/**
 * A shared secret for the holder of the private key, and its ciphertext.
 * @throws AwsError UnsupportedOperationException
 */
export function encapsulate(publicKey: KeyObject): { readonly sharedKey: Buffer; readonly ciphertext: Buffer } {
  if (encapsulateNow === undefined) throw unavailable();
  return encapsulateNow(publicKey);
}

/**
 * The shared secret of a ciphertext.
 * @throws AwsError UnsupportedOperationException
 */
export function decapsulate(privateKey: KeyObject, ciphertext: Uint8Array): Buffer {
  if (decapsulateNow === undefined) throw unavailable();
  return decapsulateNow(privateKey, ciphertext);
}

const unavailable = (): AwsError =>
  unsupported(`ML-KEM and ML-DSA need Node 24.7 or newer; this KMS runs on Node ${process.versions.node}.`);
