// ListRetirableGrants: KMS API Reference, API_ListRetirableGrants.

import { grantEntry, pageOf } from "../calls/answers.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { validationError } from "../protocol/aws-error.ts";
import { structure, text } from "../protocol/shape.ts";

export const listRetirableGrants: Operation = operation({
  name: "ListRetirableGrants",
  effect: "reads",
  input: structure({
    Limit: members.limit(100),
    Marker: members.marker,
    RetiringPrincipal: text({ min: 1, max: 256, pattern: /^[\w+=,.@:/-]+$/ }),
    RetiringServicePrincipal: text({ min: 1, max: 256, pattern: /^[\w+=,.@:/-]+$/ }),
  }),
  run(call, { Limit = 50, Marker, RetiringPrincipal, RetiringServicePrincipal }) {
    const principal = RetiringPrincipal ?? RetiringServicePrincipal;
    if (principal === undefined) throw validationError("A RetiringPrincipal is required.");
    // The resource that is asked about is the retiring principal (API_ListRetirableGrants).
    call.access.permitOnAccount("kms:ListRetirableGrants", principal);
    const grants = [...call.region.grants.values()].filter((grant) => grant.retiring === principal);
    const { items, ...page } = pageOf(grants, (grant) => grant.grantId, Limit, Marker);
    return { Grants: items.map((grant) => grantEntry(grant, call.account)), ...page };
  },
});
