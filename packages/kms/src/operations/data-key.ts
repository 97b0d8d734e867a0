// What GenerateDataKey and GenerateDataKeyWithoutPlaintext share: which key, how many bytes.

import { randomBytes } from "node:crypto";
import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { algorithmsOf } from "../keys/key-spec.ts";
import { validationError } from "../protocol/aws-error.ts";
import { integer, oneOf, required, structure } from "../protocol/shape.ts";
import type { Shape } from "../protocol/shape.ts";
import { endDryRun, requireAlgorithm, requireUsage } from "./call.ts";
import type { Call } from "./call.ts";
import * as members from "./members.ts";
import { keyRequest } from "./key-request.ts";
import { refuseRecipient } from "./recipient.ts";

const LENGTH = { AES_128: 16, AES_256: 32 } as const;

/** The input of both. */
export interface DataKeyInput {
  readonly KeyId: string;
  readonly EncryptionContext?: EncryptionContext;
  readonly NumberOfBytes?: number;
  readonly KeySpec?: keyof typeof LENGTH;
  readonly GrantTokens?: readonly string[];
  readonly Recipient?: object;
  readonly DryRun?: boolean;
}

export const dataKeyInput: Shape<DataKeyInput> = structure({
  KeyId: required(members.keyId),
  EncryptionContext: members.encryptionContext,
  NumberOfBytes: integer({ min: 1, max: 1024 }),
  KeySpec: oneOf(["AES_128", "AES_256"]),
  GrantTokens: members.grantTokens,
  Recipient: members.recipient,
  DryRun: members.dryRun,
});

/** A new data key, plain (the caller hands it out or wipes it) and encrypted under the KMS key. */
export function makeDataKey(
  call: Call,
  input: DataKeyInput,
  operation: "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext",
): { key: KeyRecord; plaintext: Buffer; ciphertext: Buffer; materialId: string } {
  const length = lengthOf(input);
  refuseRecipient(input.Recipient);
  const context = input.EncryptionContext ?? {};
  const key = call.useKey(input.KeyId, keyRequest(operation, input));
  requireSymmetricEncryption(key, operation);
  endDryRun(input.DryRun);
  const plaintext = randomBytes(length);
  const ciphertext = call.seal(key, plaintext, context);
  call.noteUse(key, operation);
  return { key, plaintext, ciphertext, materialId: call.currentMaterial(key).id };
}

/** Data keys are wrapped by symmetric encryption keys only. */
export function requireSymmetricEncryption(key: KeyRecord, operation: string): void {
  requireUsage(key, "ENCRYPT_DECRYPT", operation);
  requireAlgorithm(key, "SYMMETRIC_DEFAULT", algorithmsOf(key.spec, key.usage));
}

function lengthOf(input: DataKeyInput): number {
  if ((input.NumberOfBytes === undefined) === (input.KeySpec === undefined)) {
    throw validationError("Please specify either number of bytes or key spec.");
  }
  return input.KeySpec === undefined ? (input.NumberOfBytes ?? 0) : LENGTH[input.KeySpec];
}
