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
import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import type { KeyRecord } from "../keys/key-record.ts";
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
    // Both keys are known before either permission is asked for: a condition can ask whether they are the same.
    const from = (key: KeyRecord): KeyRequest =>
      side("kms:ReEncryptFrom", input.SourceEncryptionContext, key === call.access.findKey(input.DestinationKeyId));

    const ignored = ciphertext === undefined || input.DryRunModifiers?.includes("IGNORE_CIPHERTEXT") === true;
    if (ignored && (reference === undefined || input.DryRunModifiers === undefined)) throw missingCiphertext();
    const source = ignored
      ? { key: useSource(reference ?? ""), decrypt: null }
      : prepareDecryption(call, {
          ciphertext,
          reference,
          algorithm: sourceAlgorithm,
          context: input.SourceEncryptionContext,
          keyRequest: from,
          operation: "ReEncrypt",
        });
    const key = call.access.findKey(input.DestinationKeyId);
    call.access.admit(key, side("kms:ReEncryptTo", input.DestinationEncryptionContext, key === source.key));
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

    function useSource(named: string): KeyRecord {
      const key = call.access.findKey(named);
      call.access.admit(key, from(key));
      requireUsage(key, "ENCRYPT_DECRYPT", "ReEncrypt");
      requireAlgorithm(key, sourceAlgorithm);
      return key;
    }

    function side(action: string, context: EncryptionContext | undefined, reEncryptOnSameKey: boolean): KeyRequest {
      const { GrantTokens: tokens } = input;
      const members = { ...(tokens && { GrantTokens: tokens }), ...(context && { EncryptionContext: context }) };
      return { ...keyRequest("ReEncrypt", members), action, reEncryptOnSameKey };
    }
  },
});
