// Sign: KMS API Reference, API_Sign.

import { signWith } from "../crypto/signing.ts";
import { oneOf, required, structure } from "../protocol/shape.ts";
import { endDryRun } from "./call.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { SIGNING_ALGORITHMS, prepareSignature } from "./signature-request.ts";

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
    const { key, scheme, what } = prepareSignature(call, input, "Sign");
    endDryRun(input.DryRun);
    const signature = call.withSecret(key, call.currentMaterial(key), (secret) => signWith(scheme, secret, what));
    call.noteUse(key, "Sign");
    return { KeyId: key.arn, Signature: signature, SigningAlgorithm: input.SigningAlgorithm };
  },
});
