// HMAC (RFC 2104, FIPS 198-1) for GenerateMac and VerifyMac.

import { createHmac } from "node:crypto";
import { algorithmsOf } from "../keys/key-spec.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { requireAlgorithm, requireUsage } from "./call.ts";
import type { Call } from "./call.ts";
import { keyRequest } from "./key-request.ts";

/** Every name in AWS's enumeration. */
export const MAC_ALGORITHMS = ["HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512"] as const;

/** The members of both inputs that count here. */
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
  const key = call.useKey(input.KeyId, keyRequest(operation, input));
  requireUsage(key, "GENERATE_VERIFY_MAC", operation);
  requireAlgorithm(key, input.MacAlgorithm, algorithmsOf(key.spec, key.usage));
  const hash = input.MacAlgorithm.replace("HMAC_SHA_", "sha");
  return {
    key,
    mac: call.withSecret(key, call.currentMaterial(key), (secret) =>
      createHmac(hash, secret).update(input.Message).digest(),
    ),
  };
}
