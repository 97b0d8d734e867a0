// Sign: KMS API Reference, API_Sign.

import * as members from "../calls/members.ts";
import { endDryRun, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { SIGNING_ALGORITHMS, prepareSignature } from "../calls/signatures.ts";
import { signWith } from "../crypto/signing.ts";
import { oneOf, required, structure } from "../protocol/shape.ts";

export const sign: Operation = operation({
  name: "Sign",
  effect: "reads",
  input: structure({
    KeyId: required(members.keyId),
    Message: members.plaintext,
    MessageType: oneOf(["RAW", "DIGEST", "EXTERNAL_MU"]),
    GrantTokens: members.grantTokens,
    SigningAlgorithm: required(oneOf(SIGNING_ALGORITHMS)),
    DryRun: members.dryRun,
  }),
  run(call, input) {
    const { key, scheme, signable } = prepareSignature(call, input, "Sign");
    endDryRun(input.DryRun);
    const signature = call.material.withSecret(key, (secret) => signWith(scheme, secret, signable));
    call.noteUse(key, "Sign");
    return { KeyId: key.arn, Signature: signature, SigningAlgorithm: input.SigningAlgorithm };
  },
});
