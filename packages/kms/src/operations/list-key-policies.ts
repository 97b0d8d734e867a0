// ListKeyPolicies: KMS API Reference, API_ListKeyPolicies.

import { required, structure } from "../protocol/shape.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { POLICY_NAME } from "./policy-name.ts";

export const listKeyPolicies: Operation = operation({
  name: "ListKeyPolicies",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId), Limit: members.limit(1000), Marker: members.marker }),
  run(call, { KeyId }) {
    call.useKeyById(KeyId, { operation: "ListKeyPolicies" });
    return { PolicyNames: [POLICY_NAME], Truncated: false };
  },
});
