// Encapsulate: KMS API Reference, API_Encapsulate. ML-KEM as in FIPS 203.

import { createPublicKey } from "node:crypto";
import { encapsulate as encapsulateWith } from "../crypto/post-quantum.ts";
import { algorithmsOf } from "../keys/key-spec.ts";
import { oneOf, required, structure } from "../protocol/shape.ts";
import { endDryRun, requireAlgorithm, requireUsage } from "./call.ts";
import { keyRequest } from "./key-request.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

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
    const key = call.useKey(input.KeyId, keyRequest("Encapsulate", input));
    requireUsage(key, "ENCAPSULATE_DECAPSULATE", "Encapsulate");
    requireAlgorithm(key, input.EncapsulationAlgorithm, algorithmsOf(key.spec, key.usage));
    endDryRun(input.DryRun);
    const { sharedKey, ciphertext } = encapsulateWith(
      createPublicKey({ key: call.publicKey(key), format: "der", type: "spki" }),
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
