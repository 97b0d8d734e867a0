// PutKeyPolicy: KMS API Reference, API_PutKeyPolicy.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { flag, required, structure } from "../protocol/shape.ts";

export const putKeyPolicy: Operation = operation({
  name: "PutKeyPolicy",
  effect: "writes",
  input: structure({
    KeyId: required(members.keyId),
    Policy: required(members.policyDocument),
    PolicyName: members.policyName,
    BypassPolicyLockoutSafetyCheck: flag(),
  }),
  run(call, { KeyId, Policy, PolicyName, BypassPolicyLockoutSafetyCheck: bypass }) {
    const key = call.access.useKeyById(KeyId, { operation: "PutKeyPolicy" });
    members.requirePolicyName(PolicyName);
    const changed = { ...key, policy: Policy };
    call.access.requireSafePolicy(changed, { bypass: bypass === true });
    call.apply({ kind: "put-key", key: changed });
    return null;
  },
});
