// Members of requests that many operations share, with the limits of the KMS service model, and the rules of the
// members that mean the same everywhere.

import { ENCRYPTION_ALGORITHMS } from "../keys/key-spec.ts";
import type { EncryptionAlgorithm } from "../keys/key-spec.ts";
import { notFound, unsupported, validationError } from "../protocol/aws-error.ts";
import { blob, flag, integer, list, map, oneOf, required, structure, text } from "../protocol/shape.ts";
import type { Required, Shape } from "../protocol/shape.ts";

/** An encryption context has at most so many characters. */
const MAX_CONTEXT = 8192;

export const keyId: Shape<string> = text({ min: 1, max: 2048 });
export const aliasName: Shape<string> = text({ min: 1, max: 256, pattern: /^[a-zA-Z0-9:/_-]+$/ });
export const marker: Shape<string> = text({ min: 1, max: 1024, pattern: /^[\u0020-\u00FF]*$/ });
export const limit = (max: number): Shape<number> => integer({ min: 1, max });
export const plaintext: Required<Buffer> = required(blob({ min: 1, max: 4096, secret: true }));
export const ciphertext: Shape<Buffer> = blob({ min: 1, max: 6144 });
export const grantTokens: Shape<readonly string[]> = list(text({ min: 1, max: 8192, secret: true }), { max: 10 });
export const dryRun: Shape<boolean> = flag();
export const dryRunModifiers: Shape<readonly "IGNORE_CIPHERTEXT"[]> = list(oneOf(["IGNORE_CIPHERTEXT"]));
export const encryptionAlgorithm: Shape<EncryptionAlgorithm> = oneOf(ENCRYPTION_ALGORITHMS);
export const description: Shape<string> = text({ max: 8192 });
export const policyDocument: Shape<string> = text({
  min: 1,
  max: 131072,
  pattern: /^[\u0009\u000A\u000D\u0020-\u00FF]+$/,
});

/** The non-secret pairs that a ciphertext is bound to. They are shown in the audit, as AWS does. */
export const encryptionContext: Shape<Readonly<Record<string, string>>> = limited(map());

function limited(context: Shape<Readonly<Record<string, string>>>): Shape<Readonly<Record<string, string>>> {
  return {
    read(raw, path, problems) {
      const value = context.read(raw, path, problems);
      let length = 0;
      for (const [key, text_] of Object.entries(value)) length += key.length + text_.length;
      if (length > MAX_CONTEXT)
        throw validationError(`EncryptionContext must not be longer than ${MAX_CONTEXT} characters in all.`);
      return value;
    },
    audit: (value) => context.audit(value),
  };
}

/** A Nitro enclave's attestation. */
export const recipient: Shape<{ readonly KeyEncryptionAlgorithm?: string; readonly AttestationDocument?: Buffer }> =
  structure({
    KeyEncryptionAlgorithm: oneOf(["RSAES_OAEP_SHA_256"]),
    AttestationDocument: blob({ min: 1, max: 262144 }),
  });

/** Tags of a key. */
export const tags: Shape<readonly { readonly TagKey: string; readonly TagValue: string }[]> = list(
  structure({ TagKey: required(text({ min: 1, max: 128 })), TagValue: required(text({ max: 256 })) }),
);

/**
 * Refuses rather than hands a plaintext to someone who asked for it to go to an enclave only. Attestation documents are
 * signed by AWS's hypervisor alone.
 */
export function refuseRecipient(recipient: object | undefined): void {
  if (recipient !== undefined) throw unsupported("Attestation documents of Nitro enclaves cannot be verified here.");
}

/** A key's policy has a name, and it is this one. */
export const POLICY_NAME = "default";

export const policyName: Shape<string> = text({ min: 1, max: 128, pattern: /^[\w]+$/ });

/** @throws AwsError NotFoundException for any other name. */
export function requirePolicyName(name: string | undefined): void {
  if (name !== undefined && name !== POLICY_NAME) throw notFound("No such policy exists");
}

/** Custom key stores: this server has none, and answers as AWS does an account without any. */
export const storeId: Shape<string> = text({ min: 1, max: 64 });
export const storeName: Shape<string> = text({ min: 1, max: 256 });
