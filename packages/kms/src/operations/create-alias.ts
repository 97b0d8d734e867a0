// CreateAlias: KMS API Reference, API_CreateAlias.

import { aliasArn } from "../keys/key-arn.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";
import { aliasTarget, requireAliasName } from "./alias-target.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const createAlias: Operation = operation({
  name: "CreateAlias",
  effect: "writes",
  input: structure({ AliasName: required(members.aliasName), TargetKeyId: required(members.keyId) }),
  run(call, { AliasName: name, TargetKeyId }) {
    requireAliasName(name);
    call.admitAccount("kms:CreateAlias", aliasArn(call.region.name, call.account, name));
    const key = aliasTarget(call, TargetKeyId, "CreateAlias");
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
