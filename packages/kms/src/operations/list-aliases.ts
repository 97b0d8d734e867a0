// ListAliases: KMS API Reference, API_ListAliases.

import { aliasArn } from "../keys/key-arn.ts";
import { seconds } from "../protocol/seconds.ts";
import { structure } from "../protocol/shape.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { pageOf } from "./pagination.ts";

export const listAliases: Operation = operation({
  name: "ListAliases",
  effect: "reads",
  input: structure({ KeyId: members.keyId, Limit: members.limit(100), Marker: members.marker }),
  run(call, { KeyId, Limit = 50, Marker }) {
    call.admitAccount("kms:ListAliases");
    const keyId = KeyId === undefined ? null : call.findKeyById(KeyId).keyId;
    const aliases = [...call.region.aliases.values()].filter((alias) => keyId === null || alias.keyId === keyId);
    const { items, ...page } = pageOf(aliases, (alias) => alias.name, Limit, Marker);
    return {
      Aliases: items.map((alias) => ({
        AliasName: alias.name,
        AliasArn: aliasArn(alias.region, call.account, alias.name),
        TargetKeyId: alias.keyId,
        CreationDate: seconds(alias.createdAt),
        LastUpdatedDate: seconds(alias.updatedAt),
      })),
      ...page,
    };
  },
});
