// Verify: KMS API Reference, API_Verify. A bad signature is an error, never the answer false.

import * as members from "../calls/members.ts";
import { endDryRun, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { SIGNING_ALGORITHMS, prepareSignature } from "../calls/signatures.ts";
import { verifyWith } from "../crypto/signing.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { blob, oneOf, required, structure } from "../protocol/shape.ts";

export const verify: Operation = operation({
  name: "Verify",
  effect: "reads",
  input: structure({
    KeyId: required(members.keyId),
    Message: members.plaintext,
    MessageType: oneOf(["RAW", "DIGEST", "EXTERNAL_MU"]),
    Signature: required(blob({ min: 1, max: 6144 })),
    SigningAlgorithm: required(oneOf(SIGNING_ALGORITHMS)),
    GrantTokens: members.grantTokens,
    DryRun: members.dryRun,
  }),
  run(call, input) {
    const { key, scheme, signable } = prepareSignature(call, input, "Verify");
    if (!verifyWith(scheme, call.material.publicKey(key), signable, input.Signature))
      throw new AwsError("KMSInvalidSignatureException");
    endDryRun(input.DryRun);
    call.noteUse(key, "Verify");
    return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm };
  },
});
