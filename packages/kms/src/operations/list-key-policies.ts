// ListKeyPolicies: KMS API Reference, API_ListKeyPolicies.

import { pageOf } from "../calls/answers.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { required, structure } from "../protocol/shape.ts";

export const listKeyPolicies: Operation = operation({
  name: "ListKeyPolicies",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId), Limit: members.limit, Marker: members.marker }),
  run(call, { KeyId, Limit = 100, Marker }) {
    call.access.useKeyById(KeyId, { operation: "ListKeyPolicies" });
    const { items, ...page } = pageOf([members.POLICY_NAME], (name) => name, Limit, Marker);
    return { PolicyNames: items, ...page };
  },
});
