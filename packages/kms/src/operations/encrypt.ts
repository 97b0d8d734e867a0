// Encrypt: KMS API Reference, API_Encrypt.

import { encryptWith, requirePlaintextFits } from "../calls/encryption.ts";
import * as members from "../calls/members.ts";
import { endDryRun, keyRequest, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { requireAlgorithm, requireUsage } from "../keys/key-rules.ts";
import { required, structure } from "../protocol/shape.ts";

export const encrypt: Operation = operation({
  name: "Encrypt",
  effect: "reads",
  input: structure({
    KeyId: required(members.keyId),
    Plaintext: members.plaintext,
    EncryptionContext: members.encryptionContext,
    GrantTokens: members.grantTokens,
    EncryptionAlgorithm: members.encryptionAlgorithm,
    DryRun: members.dryRun,
  }),
  run(call, input) {
    const { Plaintext: plaintext, EncryptionAlgorithm: algorithm = "SYMMETRIC_DEFAULT" } = input;
    const key = call.access.useKey(input.KeyId, keyRequest("Encrypt", input));
    requireUsage(key, "ENCRYPT_DECRYPT", "Encrypt");
    requireAlgorithm(key, algorithm);
    requirePlaintextFits(key, algorithm, plaintext);
    endDryRun(input.DryRun);
    const ciphertext = encryptWith(call, key, algorithm, plaintext, input.EncryptionContext);
    plaintext.fill(0);
    call.noteUse(key, "Encrypt");
    return { CiphertextBlob: ciphertext, KeyId: key.arn, EncryptionAlgorithm: algorithm };
  },
});
