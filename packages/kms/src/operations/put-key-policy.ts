// PutKeyPolicy: KMS API Reference, API_PutKeyPolicy.

import { flag, required, structure } from "../protocol/shape.ts";
import { requireSafePolicy } from "./key-policy.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { policyName, requirePolicyName } from "./policy-name.ts";

export const putKeyPolicy: Operation = operation({
  name: "PutKeyPolicy",
  effect: "writes",
  input: structure({
    KeyId: required(members.keyId),
    Policy: required(members.policyDocument),
    PolicyName: policyName,
    BypassPolicyLockoutSafetyCheck: flag(),
  }),
  run(call, { KeyId, Policy, PolicyName, BypassPolicyLockoutSafetyCheck: bypass }) {
    const key = call.useKeyById(KeyId, { operation: "PutKeyPolicy" });
    requirePolicyName(PolicyName);
    const changed = { ...key, policy: Policy };
    requireSafePolicy(call, changed, bypass === true ? "bypass" : "check");
    call.apply({ kind: "put-key", key: changed });
    return null;
  },
});
