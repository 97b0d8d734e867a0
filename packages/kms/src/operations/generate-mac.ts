// GenerateMac: KMS API Reference, API_GenerateMac.

import * as members from "../calls/members.ts";
import { endDryRun, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { MAC_ALGORITHMS, macOf } from "../calls/signatures.ts";
import { oneOf, required, structure } from "../protocol/shape.ts";

export const generateMac: Operation = operation({
  name: "GenerateMac",
  effect: "reads",
  input: structure({
    Message: members.plaintext,
    KeyId: required(members.keyId),
    MacAlgorithm: required(oneOf(MAC_ALGORITHMS)),
    GrantTokens: members.grantTokens,
    DryRun: members.dryRun,
  }),
  run(call, input) {
    const { key, mac } = macOf(call, input, "GenerateMac");
    endDryRun(input.DryRun);
    call.noteUse(key, "GenerateMac");
    return { Mac: mac, MacAlgorithm: input.MacAlgorithm, KeyId: key.arn };
  },
});
