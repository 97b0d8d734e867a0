// Encrypt: KMS API Reference, API_Encrypt.

import { algorithmsOf } from "../keys/key-spec.ts";
import { required, structure } from "../protocol/shape.ts";
import { endDryRun, requireAlgorithm, requireUsage } from "./call.ts";
import { encryptWith, requirePlaintextFits } from "./encryption.ts";
import { keyRequest } from "./key-request.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

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
    const key = call.useKey(input.KeyId, keyRequest("Encrypt", input));
    requireUsage(key, "ENCRYPT_DECRYPT", "Encrypt");
    requireAlgorithm(key, algorithm, algorithmsOf(key.spec, key.usage));
    requirePlaintextFits(key, algorithm, plaintext);
    endDryRun(input.DryRun);
    const ciphertext = encryptWith(call, key, algorithm, plaintext, input.EncryptionContext);
    plaintext.fill(0);
    call.noteUse(key, "Encrypt");
    return { CiphertextBlob: ciphertext, KeyId: key.arn, EncryptionAlgorithm: algorithm };
  },
});
