// ListAliases: KMS API Reference, API_ListAliases.

import { MAX_PAGE, pageOf } from "../calls/answers.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { aliasArn } from "../keys/key-arn.ts";
import type { AliasRecord } from "../keys/key-record.ts";
import { MANAGED_ALIAS_NAMES } from "../keys/managed-keys.ts";
import { seconds } from "../protocol/exchange.ts";
import { structure } from "../protocol/shape.ts";

export const listAliases: Operation = operation({
  name: "ListAliases",
  effect: "reads",
  input: structure({ KeyId: members.keyId, Limit: members.limit, Marker: members.marker }),
  run(call, { KeyId, Limit = 50, Marker }) {
    call.access.permitOnAccount("kms:ListAliases");
    const keyId = KeyId === undefined ? null : call.access.findKeyById(KeyId).keyId;
    const made = [...call.region.aliases.values()].filter((alias) => keyId === null || alias.keyId === keyId);
    // The aliases of AWS managed keys are there before their keys.
    const unmade = keyId === null ? MANAGED_ALIAS_NAMES.filter((name) => !call.region.aliases.has(name)) : [];
    const aliases: readonly (AliasRecord | { readonly name: string })[] = [
      ...made,
      ...unmade.map((name) => ({ name })),
    ];
    const { items, ...page } = pageOf(aliases, (alias) => alias.name, Math.min(Limit, MAX_PAGE), Marker);
    return {
      Aliases: items.map((alias) => ({
        AliasName: alias.name,
        AliasArn: aliasArn(call.region.name, call.account, alias.name),
        ...("keyId" in alias && {
          TargetKeyId: alias.keyId,
          CreationDate: seconds(alias.createdAt),
          LastUpdatedDate: seconds(alias.updatedAt),
        }),
      })),
      ...page,
    };
  },
});
