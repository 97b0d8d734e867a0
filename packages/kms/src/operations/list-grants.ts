// ListGrants: KMS API Reference, API_ListGrants.

import { MAX_PAGE, grantEntry, pageOf } from "../calls/answers.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { required, structure } from "../protocol/shape.ts";

export const listGrants: Operation = operation({
  name: "ListGrants",
  effect: "reads",
  input: structure({
    Limit: members.limit,
    Marker: members.marker,
    KeyId: required(members.keyId),
    GrantId: members.grantId,
    GranteePrincipal: members.principal,
    GranteeServicePrincipal: members.servicePrincipal,
  }),
  run(call, { KeyId, Limit = 50, Marker, GrantId, GranteePrincipal, GranteeServicePrincipal }) {
    const key = call.access.useKeyById(KeyId, { operation: "ListGrants" });
    const grantee = members.onePrincipal({ GranteePrincipal, GranteeServicePrincipal });
    const grants = call.access
      .grantsOn(key)
      .filter((grant) => (GrantId ?? grant.grantId) === grant.grantId && (grantee ?? grant.grantee) === grant.grantee);
    const { items, ...page } = pageOf(grants, (grant) => grant.grantId, Math.min(Limit, MAX_PAGE), Marker);
    return { Grants: items.map((grant) => grantEntry(grant, call.account)), ...page };
  },
});
