// Encapsulate: KMS API Reference, API_Encapsulate. ML-KEM as in FIPS 203.

import { createPublicKey } from "node:crypto";
import * as members from "../calls/members.ts";
import { endDryRun, keyRequest, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { encapsulate as encapsulateWith } from "../crypto/post-quantum.ts";
import { requireAlgorithm, requireUsage } from "../keys/key-rules.ts";
import { oneOf, required, structure } from "../protocol/shape.ts";

export const encapsulate: Operation = operation({
  name: "Encapsulate",
  effect: "reads",
  input: structure({
    KeyId: required(members.keyId),
    EncapsulationAlgorithm: required(oneOf(["ML_KEM"])),
    GrantTokens: members.grantTokens,
    DryRun: members.dryRun,
  }),
  run(call, input) {
    const key = call.access.useKey(input.KeyId, keyRequest("Encapsulate", input));
    requireUsage(key, "ENCAPSULATE_DECAPSULATE", "Encapsulate");
    requireAlgorithm(key, input.EncapsulationAlgorithm);
    endDryRun(input.DryRun);
    const { sharedKey, ciphertext } = encapsulateWith(
      createPublicKey({ key: call.material.publicKey(key), format: "der", type: "spki" }),
    );
    call.noteUse(key, "Encapsulate");
    return {
      KeyId: key.arn,
      SharedSecret: sharedKey,
      SharedSecretCiphertextBlob: ciphertext,
      EncapsulationAlgorithm: input.EncapsulationAlgorithm,
    };
  },
});
