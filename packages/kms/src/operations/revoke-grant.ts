// RevokeGrant: KMS API Reference, API_RevokeGrant.

import * as members from "../calls/members.ts";
import { endDryRun, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { notFound } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";

export const revokeGrant: Operation = operation({
  name: "RevokeGrant",
  effect: "writes",
  input: structure({
    KeyId: required(members.keyId),
    GrantId: required(members.grantId),
    DryRun: members.dryRun,
  }),
  run(call, { KeyId, GrantId, DryRun }) {
    const key = call.access.useKeyById(KeyId, { operation: "RevokeGrant" });
    if (call.region.grants.get(GrantId)?.keyId !== key.keyId) throw notFound(`Grant ID ${GrantId} not found`);
    endDryRun(DryRun);
    call.apply({ kind: "delete-grant", region: key.region, grantId: GrantId });
    return null;
  },
});
