// RetireGrant: KMS API Reference, API_RetireGrant. The grant itself says who may give it back.

import type { Call } from "../calls/call.ts";
import * as members from "../calls/members.ts";
import { endDryRun, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import type { GrantRecord } from "../keys/key-record.ts";
import { requireState } from "../keys/key-rules.ts";
import { AwsError, notFound, validationError } from "../protocol/aws-error.ts";
import { structure, text } from "../protocol/shape.ts";

export const retireGrant: Operation = operation({
  name: "RetireGrant",
  effect: "writes",
  input: structure({
    GrantToken: text({ min: 1, max: 8192, secret: true }),
    KeyId: members.keyId,
    GrantId: members.grantId,
    DryRun: members.dryRun,
  }),
  run(call, input) {
    const grant = findGrant(call, input);
    const key = call.region.keys.get(grant.keyId);
    if (key === undefined) throw notFound(`Grant ID ${grant.grantId} not found`);
    call.access.permitRetiring(key, grant);
    requireState(key, "RetireGrant");
    endDryRun(input.DryRun);
    call.apply({ kind: "delete-grant", region: grant.region, grantId: grant.grantId });
    return null;
  },
});

function findGrant(
  call: Call,
  input: { readonly GrantToken?: string; readonly KeyId?: string; readonly GrantId?: string },
): GrantRecord {
  if (input.GrantToken !== undefined) {
    const grant = [...call.region.grants.values()].find(({ token }) => token === input.GrantToken);
    if (grant === undefined) throw new AwsError("InvalidGrantTokenException", "The grant token is not valid.");
    return grant;
  }
  if (input.KeyId === undefined || input.GrantId === undefined)
    throw validationError("Give a GrantToken, or a KeyId and a GrantId.");
  const key = call.access.findKeyById(input.KeyId);
  const grant = call.region.grants.get(input.GrantId);
  if (grant?.keyId !== key.keyId) throw notFound(`Grant ID ${input.GrantId} not found`);
  return grant;
}
