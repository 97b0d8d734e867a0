/**
 * What the compiler must refuse: checked by `npm run typecheck`, never run.
 */
import { KMS, KMSClient } from "@aws-sdk/client-kms";
import { cachingMaterials, decrypt, encrypt, ENVELOPE_ERRORS } from "@strongroom/envelope";
import type { EnvelopeErrorCode, Keyring } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KmsClient, RegionHealth } from "@strongroom/envelope/aws-kms";

declare const keyring: Keyring;
declare const bytes: Uint8Array;
const encryptionContext = { id: "42" };
const materials = cachingMaterials({ keyring, maxAgeMs: 1000 });

export function accepted(): unknown[] {
  return [
    encrypt(bytes, { keyring, encryptionContext: {} }),
    encrypt(bytes, { materials, encryptionContext, suite: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384" }),
    encrypt(bytes, {
      keyring,
      encryptionContext,
      suite: "ALG_AES_128_GCM_IV12_TAG16_NO_KDF",
      commitmentPolicy: "forbid-encrypt-allow-decrypt",
    }),
    decrypt(bytes, {
      keyring,
      encryptionContext,
      commitmentPolicy: "require-encrypt-allow-decrypt",
      requiredContextKeys: ["id"],
    }),
  ];
}

export function refused(): unknown[] {
  return [
    // @ts-expect-error a context must be given, if only {}
    encrypt(bytes, { keyring }),
    // @ts-expect-error for reading too
    decrypt(bytes, { keyring }),
    // @ts-expect-error context values are strings
    encrypt(bytes, { keyring, encryptionContext: { id: 42 } }),
    // @ts-expect-error keys must come from somewhere
    encrypt(bytes, { encryptionContext }),
    // @ts-expect-error and from one place
    encrypt(bytes, { keyring, materials, encryptionContext }),
    // @ts-expect-error a suite without commitment needs the policy that allows it
    encrypt(bytes, { keyring, encryptionContext, suite: "ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA256" }),
    encrypt(bytes, {
      keyring,
      encryptionContext,
      // @ts-expect-error and not one that forbids it
      suite: "ALG_AES_256_GCM_IV12_TAG16_NO_KDF",
      commitmentPolicy: "require-encrypt-allow-decrypt",
    }),
    // @ts-expect-error there is no such suite
    encrypt(bytes, { keyring, encryptionContext, suite: "ALG_ROT13" }),
    // @ts-expect-error text must be encoded by the caller
    encrypt("text", { keyring, encryptionContext }),
    // @ts-expect-error how long a data key may be used has no default
    cachingMaterials({ keyring }),
    // @ts-expect-error nor how many wraps are enough
    multiRegionKeyring({ regions: [] }),
    // @ts-expect-error the bare client has no operations as methods
    takesClient(new KMSClient({})),
  ];
}

declare function takesClient(client: KmsClient): unknown;
takesClient(new KMS({}));

/** Codes are a closed union, and the table has each. */
export const title = (code: EnvelopeErrorCode): string => ENVELOPE_ERRORS[code].title;
// @ts-expect-error no such code
title("whatever");

export function state(health: RegionHealth): string {
  // @ts-expect-error results are readonly
  health.state = "up";
  return health.state;
}
