// A grant as ListGrants and ListRetirableGrants show it. Its token is a credential and is never shown again.

import type { GrantRecord } from "../keys/key-record.ts";
import { keyArn } from "../keys/key-arn.ts";
import { seconds } from "../protocol/seconds.ts";
import type { Json } from "../protocol/shape.ts";

/** GrantListEntry: KMS API Reference. */
export function grantEntry(grant: GrantRecord, account: string): Json {
  const { subset, equals, sourceArn } = grant.constraints;
  return {
    KeyId: keyArn(grant.region, account, grant.keyId),
    GrantId: grant.grantId,
    Name: grant.name ?? "",
    CreationDate: seconds(grant.createdAt),
    GranteePrincipal: grant.grantee,
    ...(grant.retiring !== null && { RetiringPrincipal: grant.retiring }),
    IssuingAccount: grant.issuingAccount,
    Operations: grant.operations,
    ...(Object.keys(grant.constraints).length > 0 && {
      Constraints: {
        ...(subset && { EncryptionContextSubset: subset }),
        ...(equals && { EncryptionContextEquals: equals }),
        ...(sourceArn !== undefined && { SourceArn: sourceArn }),
      },
    }),
  };
}
