// ListGrants: KMS API Reference, API_ListGrants.

import { grantEntry, pageOf } from "../calls/answers.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { required, structure, text } from "../protocol/shape.ts";

export const listGrants: Operation = operation({
  name: "ListGrants",
  effect: "reads",
  input: structure({
    Limit: members.limit(100),
    Marker: members.marker,
    KeyId: required(members.keyId),
    GrantId: text({ min: 1, max: 128 }),
    GranteePrincipal: text({ min: 1, max: 256 }),
    GranteeServicePrincipal: text({ min: 1, max: 256 }),
  }),
  run(call, { KeyId, Limit = 50, Marker, GrantId, GranteePrincipal, GranteeServicePrincipal }) {
    const key = call.access.useKeyById(KeyId, { operation: "ListGrants" });
    const grantee = GranteePrincipal ?? GranteeServicePrincipal;
    const grants = call.access
      .grantsOn(key)
      .filter((grant) => (GrantId ?? grant.grantId) === grant.grantId && (grantee ?? grant.grantee) === grant.grantee);
    const { items, ...page } = pageOf(grants, (grant) => grant.grantId, Limit, Marker);
    return { Grants: items.map((grant) => grantEntry(grant, call.account)), ...page };
  },
});
