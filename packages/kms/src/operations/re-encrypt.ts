// ReEncrypt: KMS API Reference, API_ReEncrypt. The plaintext never leaves the server.

import { algorithmsOf } from "../keys/key-spec.ts";
import { validationError } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";
import { endDryRun, requireAlgorithm, requireUsage } from "./call.ts";
import type { KeyRequest } from "./call.ts";
import { encryptWith, prepareDecryption, requireDryRunModifiers, requirePlaintextFits } from "./encryption.ts";
import { keyRequest } from "./key-request.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

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
      ? { key: call.useKey(reference ?? "", from), decrypt: null }
      : prepareDecryption(call, {
          ciphertext,
          reference,
          algorithm: sourceAlgorithm,
          context: input.SourceEncryptionContext,
          keyRequest: from,
          operation: "ReEncrypt",
        });
    const key = call.useKey(input.DestinationKeyId, to);
    requireUsage(key, "ENCRYPT_DECRYPT", "ReEncrypt");
    requireAlgorithm(key, algorithm, algorithmsOf(key.spec, key.usage));
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
      ...(algorithm === "SYMMETRIC_DEFAULT" && { DestinationKeyMaterialId: call.currentMaterial(key).id }),
    };

    function side(action: string, context: Readonly<Record<string, string>> | undefined): KeyRequest {
      return { ...keyRequest("ReEncrypt", { ...grants, ...(context && { EncryptionContext: context }) }), action };
    }
  },
});

const missingCiphertext = (): Error =>
  validationError(
    "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
  );
