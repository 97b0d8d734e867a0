// ListRetirableGrants: KMS API Reference, API_ListRetirableGrants.

import { validationError } from "../protocol/aws-error.ts";
import { structure, text } from "../protocol/shape.ts";
import { grantEntry } from "./grant-entry.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { pageOf } from "./pagination.ts";

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
    call.admitAccount("kms:ListRetirableGrants");
    const grants = [...call.region.grants.values()].filter((grant) => grant.retiring === principal);
    const { items, ...page } = pageOf(grants, (grant) => grant.grantId, Limit, Marker);
    return { Grants: items.map((grant) => grantEntry(grant, call.account)), ...page };
  },
});
