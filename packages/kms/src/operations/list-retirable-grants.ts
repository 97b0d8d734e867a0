// ListRetirableGrants: KMS API Reference, API_ListRetirableGrants.

import { MAX_PAGE, grantEntry, pageOf } from "../calls/answers.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { validationError } from "../protocol/aws-error.ts";
import { structure } from "../protocol/shape.ts";

export const listRetirableGrants: Operation = operation({
  name: "ListRetirableGrants",
  effect: "reads",
  input: structure({
    Limit: members.limit,
    Marker: members.marker,
    RetiringPrincipal: members.principal,
    RetiringServicePrincipal: members.servicePrincipal,
  }),
  run(call, { Limit = 50, Marker, RetiringPrincipal, RetiringServicePrincipal }) {
    const principal = members.onePrincipal({ RetiringPrincipal, RetiringServicePrincipal });
    if (principal === undefined)
      throw validationError("You must specify either RetiringPrincipal or RetiringServicePrincipal.");
    // The resource that is asked about is the retiring principal (API_ListRetirableGrants).
    call.access.permitOnAccount("kms:ListRetirableGrants", principal);
    const grants = [...call.region.grants.values()].filter((grant) => grant.retiring === principal);
    const { items, ...page } = pageOf(grants, (grant) => grant.grantId, Math.min(Limit, MAX_PAGE), Marker);
    return { Grants: items.map((grant) => grantEntry(grant, call.account)), ...page };
  },
});
