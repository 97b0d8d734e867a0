// Decrypt: KMS API Reference, API_Decrypt.

import { missingCiphertext, prepareDecryption, requireDryRunModifiers } from "../calls/encryption.ts";
import * as members from "../calls/members.ts";
import { endDryRun, keyRequest, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { requireAlgorithm, requireUsage } from "../keys/key-rules.ts";
import { structure } from "../protocol/shape.ts";

export const decrypt: Operation = operation({
  name: "Decrypt",
  effect: "reads",
  input: structure({
    CiphertextBlob: members.ciphertext,
    EncryptionContext: members.encryptionContext,
    GrantTokens: members.grantTokens,
    KeyId: members.keyId,
    EncryptionAlgorithm: members.encryptionAlgorithm,
    Recipient: members.recipient,
    DryRun: members.dryRun,
    DryRunModifiers: members.dryRunModifiers,
  }),
  run(call, input) {
    const {
      KeyId: reference,
      CiphertextBlob: ciphertext,
      EncryptionAlgorithm: algorithm = "SYMMETRIC_DEFAULT",
    } = input;
    requireDryRunModifiers(input.DryRunModifiers, input.DryRun, reference);
    members.refuseRecipient(input.Recipient);
    if (ciphertext === undefined || input.DryRunModifiers?.includes("IGNORE_CIPHERTEXT") === true) {
      if (reference === undefined || input.DryRunModifiers === undefined) throw missingCiphertext();
      const key = call.access.useKey(reference, keyRequest("Decrypt", input));
      requireUsage(key, "ENCRYPT_DECRYPT", "Decrypt");
      requireAlgorithm(key, algorithm);
      endDryRun(input.DryRun);
      throw missingCiphertext();
    }
    const { key, decrypt } = prepareDecryption(call, {
      ciphertext,
      reference,
      algorithm,
      context: input.EncryptionContext,
      keyRequest: () => keyRequest("Decrypt", input),
      operation: "Decrypt",
    });
    const { plaintext, materialId } = decrypt();
    try {
      endDryRun(input.DryRun);
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
    call.noteUse(key, "Decrypt");
    return {
      KeyId: key.arn,
      Plaintext: plaintext,
      EncryptionAlgorithm: algorithm,
      ...(algorithm === "SYMMETRIC_DEFAULT" && { KeyMaterialId: materialId }),
    };
  },
});
