// Decapsulate: KMS API Reference, API_Decapsulate. ML-KEM as in FIPS 203: a ciphertext of the right length that was
// made for another key gives another secret, not an error (implicit rejection).

import { createPrivateKey } from "node:crypto";
import * as members from "../calls/members.ts";
import { endDryRun, keyRequest, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { decapsulate as decapsulateWith } from "../crypto/post-quantum.ts";
import { requireAlgorithm, requireUsage } from "../keys/key-rules.ts";
import { invalidCiphertext } from "../protocol/aws-error.ts";
import { oneOf, required, structure } from "../protocol/shape.ts";

export const decapsulate: Operation = operation({
  name: "Decapsulate",
  effect: "reads",
  input: structure({
    KeyId: required(members.keyId),
    SharedSecretCiphertextBlob: required(members.ciphertext),
    EncapsulationAlgorithm: required(oneOf(["ML_KEM"])),
    GrantTokens: members.grantTokens,
    DryRun: members.dryRun,
  }),
  run(call, input) {
    const key = call.access.useKey(input.KeyId, keyRequest("Decapsulate", input));
    requireUsage(key, "ENCAPSULATE_DECAPSULATE", "Decapsulate");
    requireAlgorithm(key, input.EncapsulationAlgorithm);
    endDryRun(input.DryRun);
    const secret = call.material.withSecret(key, (pkcs8) => {
      const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
      try {
        return decapsulateWith(privateKey, input.SharedSecretCiphertextBlob);
      } catch {
        throw invalidCiphertext();
      }
    });
    call.noteUse(key, "Decapsulate");
    return { KeyId: key.arn, SharedSecret: secret, EncapsulationAlgorithm: input.EncapsulationAlgorithm };
  },
});
