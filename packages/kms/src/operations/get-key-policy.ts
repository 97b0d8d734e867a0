// GetKeyPolicy: KMS API Reference, API_GetKeyPolicy.

import { required, structure } from "../protocol/shape.ts";
import { POLICY_NAME, policyName, requirePolicyName } from "./policy-name.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const getKeyPolicy: Operation = operation({
  name: "GetKeyPolicy",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId), PolicyName: policyName }),
  run(call, { KeyId, PolicyName }) {
    const key = call.useKeyById(KeyId, { operation: "GetKeyPolicy" });
    requirePolicyName(PolicyName);
    return { Policy: key.policy, PolicyName: POLICY_NAME };
  },
});
