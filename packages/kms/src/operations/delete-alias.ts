// DeleteAlias: KMS API Reference, API_DeleteAlias.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { aliasArn, requireAliasName } from "../keys/key-arn.ts";
import { notFound } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";

export const deleteAlias: Operation = operation({
  name: "DeleteAlias",
  effect: "writes",
  input: structure({ AliasName: required(members.aliasName) }),
  run(call, { AliasName: name }) {
    requireAliasName(name);
    call.access.permitOnAccount("kms:DeleteAlias", aliasArn(call.region.name, call.account, name));
    const alias = call.region.aliases.get(name);
    if (alias === undefined) throw notFound(`Alias ${aliasArn(call.region.name, call.account, name)} is not found.`);
    const key = call.region.keys.get(alias.keyId);
    if (key !== undefined) call.access.admit(key, { operation: "DeleteAlias" });
    call.apply({ kind: "delete-alias", region: call.region.name, name });
    return null;
  },
});
