// ListKeyPolicies: KMS API Reference, API_ListKeyPolicies.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { required, structure } from "../protocol/shape.ts";

export const listKeyPolicies: Operation = operation({
  name: "ListKeyPolicies",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId), Limit: members.limit(1000), Marker: members.marker }),
  run(call, { KeyId }) {
    call.access.useKeyById(KeyId, { operation: "ListKeyPolicies" });
    return { PolicyNames: [members.POLICY_NAME], Truncated: false };
  },
});
