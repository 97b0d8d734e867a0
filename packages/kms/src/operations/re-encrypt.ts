// ReEncrypt: KMS API Reference, API_ReEncrypt. The plaintext never leaves the server.

import type { KeyRequest } from "../access/key-access.ts";
import {
  encryptWith,
  missingCiphertext,
  prepareDecryption,
  requireDryRunModifiers,
  requirePlaintextFits,
} from "../calls/encryption.ts";
import * as members from "../calls/members.ts";
import { endDryRun, keyRequest, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { requireAlgorithm, requireUsage } from "../keys/key-rules.ts";
import { required, structure } from "../protocol/shape.ts";

export const reEncrypt: Operation = operation({
  name: "ReEncrypt",
  effect: "reads",
  input: structure({
    CiphertextBlob: members.ciphertext,
    SourceEncryptionContext: members.encryptionContext,
    SourceKeyId: members.keyId,
    DestinationKeyId: required(members.keyId),
    DestinationEncryptionContext: members.encryptionContext,
    SourceEncryptionAlgorithm: members.encryptionAlgorithm,
    DestinationEncryptionAlgorithm: members.encryptionAlgorithm,
    GrantTokens: members.grantTokens,
    DryRun: members.dryRun,
    DryRunModifiers: members.dryRunModifiers,
  }),
  run(call, input) {
    const { SourceKeyId: reference, CiphertextBlob: ciphertext } = input;
    const {
      SourceEncryptionAlgorithm: sourceAlgorithm = "SYMMETRIC_DEFAULT",
      DestinationEncryptionAlgorithm: algorithm = "SYMMETRIC_DEFAULT",
    } = input;
    requireDryRunModifiers(input.DryRunModifiers, input.DryRun, reference);
    const grants = input.GrantTokens === undefined ? {} : { GrantTokens: input.GrantTokens };
    const from = side("kms:ReEncryptFrom", input.SourceEncryptionContext);
    const to = side("kms:ReEncryptTo", input.DestinationEncryptionContext);

    const ignored = ciphertext === undefined || input.DryRunModifiers?.includes("IGNORE_CIPHERTEXT") === true;
    if (ignored && (reference === undefined || input.DryRunModifiers === undefined)) throw missingCiphertext();
    const source = ignored
      ? { key: call.access.useKey(reference ?? "", from), decrypt: null }
      : prepareDecryption(call, {
          ciphertext,
          reference,
          algorithm: sourceAlgorithm,
          context: input.SourceEncryptionContext,
          keyRequest: from,
          operation: "ReEncrypt",
        });
    const key = call.access.useKey(input.DestinationKeyId, to);
    requireUsage(key, "ENCRYPT_DECRYPT", "ReEncrypt");
    requireAlgorithm(key, algorithm);
    if (source.decrypt === null) {
      endDryRun(input.DryRun);
      throw missingCiphertext();
    }
    const { plaintext, materialId } = source.decrypt();
    let blob: Buffer;
    try {
      requirePlaintextFits(key, algorithm, plaintext);
      endDryRun(input.DryRun);
      blob = encryptWith(call, key, algorithm, plaintext, input.DestinationEncryptionContext);
    } finally {
      plaintext.fill(0);
    }
    call.noteUse(source.key, "ReEncrypt");
    if (key !== source.key) call.noteUse(key, "ReEncrypt");
    return {
      CiphertextBlob: blob,
      SourceKeyId: source.key.arn,
      KeyId: key.arn,
      SourceEncryptionAlgorithm: sourceAlgorithm,
      DestinationEncryptionAlgorithm: algorithm,
      ...(sourceAlgorithm === "SYMMETRIC_DEFAULT" && { SourceKeyMaterialId: materialId }),
      ...(algorithm === "SYMMETRIC_DEFAULT" && { DestinationKeyMaterialId: call.material.current(key).id }),
    };

    function side(action: string, context: Readonly<Record<string, string>> | undefined): KeyRequest {
      return { ...keyRequest("ReEncrypt", { ...grants, ...(context && { EncryptionContext: context }) }), action };
    }
  },
});
