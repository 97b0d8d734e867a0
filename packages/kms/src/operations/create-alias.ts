// CreateAlias: KMS API Reference, API_CreateAlias.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { aliasArn, requireAliasName, requireNoAlias } from "../keys/key-arn.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";

export const createAlias: Operation = operation({
  name: "CreateAlias",
  effect: "writes",
  input: structure({ AliasName: required(members.aliasName), TargetKeyId: required(members.keyId) }),
  run(call, { AliasName: name, TargetKeyId }) {
    requireAliasName(name);
    call.access.permitOnAccount("kms:CreateAlias", aliasArn(call.region.name, call.account, name));
    requireNoAlias(TargetKeyId);
    const key = call.access.useKeyById(TargetKeyId, { operation: "CreateAlias" });
    if (call.region.aliases.has(name)) {
      throw new AwsError(
        "AlreadyExistsException",
        `An alias with the name ${aliasArn(call.region.name, call.account, name)} already exists`,
      );
    }
    call.apply({
      kind: "put-alias",
      alias: { region: call.region.name, name, keyId: key.keyId, createdAt: call.now, updatedAt: call.now },
    });
    return null;
  },
});
