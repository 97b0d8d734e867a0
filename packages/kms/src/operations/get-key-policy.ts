// GetKeyPolicy: KMS API Reference, API_GetKeyPolicy.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { required, structure } from "../protocol/shape.ts";

export const getKeyPolicy: Operation = operation({
  name: "GetKeyPolicy",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId), PolicyName: members.policyName }),
  run(call, { KeyId, PolicyName }) {
    const key = call.access.useKeyById(KeyId, { operation: "GetKeyPolicy" });
    members.requirePolicyName(PolicyName);
    return { Policy: key.policy, PolicyName: members.POLICY_NAME };
  },
});
