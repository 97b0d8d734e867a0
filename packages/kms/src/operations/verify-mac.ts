// VerifyMac: KMS API Reference, API_VerifyMac. A wrong MAC is an error, never the answer false.

import { timingSafeEqual } from "node:crypto";
import * as members from "../calls/members.ts";
import { endDryRun, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { MAC_ALGORITHMS, macOf } from "../calls/signatures.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { blob, oneOf, required, structure } from "../protocol/shape.ts";

export const verifyMac: Operation = operation({
  name: "VerifyMac",
  effect: "reads",
  input: structure({
    Message: members.plaintext,
    KeyId: required(members.keyId),
    MacAlgorithm: required(oneOf(MAC_ALGORITHMS)),
    Mac: required(blob({ min: 1, max: 6144 })),
    GrantTokens: members.grantTokens,
    DryRun: members.dryRun,
  }),
  run(call, input) {
    const { key, mac } = macOf(call, input, "VerifyMac");
    if (mac.length !== input.Mac.length || !timingSafeEqual(mac, input.Mac))
      throw new AwsError("KMSInvalidMacException");
    endDryRun(input.DryRun);
    call.noteUse(key, "VerifyMac");
    return { KeyId: key.arn, MacValid: true, MacAlgorithm: input.MacAlgorithm };
  },
});
