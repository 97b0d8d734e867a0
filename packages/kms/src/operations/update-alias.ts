// UpdateAlias: KMS API Reference, API_UpdateAlias. An alias moves only between keys of one kind and usage.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { aliasArn, requireAliasName, requireNoAlias } from "../keys/key-arn.ts";
import { KEY_SPECS } from "../keys/key-spec.ts";
import type { KeySpec } from "../keys/key-spec.ts";
import { notFound, validationError } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";

const isSymmetric = (spec: KeySpec): boolean => KEY_SPECS[spec].material.kind === "bytes";

export const updateAlias: Operation = operation({
  name: "UpdateAlias",
  effect: "writes",
  input: structure({ AliasName: required(members.aliasName), TargetKeyId: required(members.keyId) }),
  run(call, { AliasName: name, TargetKeyId }) {
    requireAliasName(name);
    call.access.permitOnAccount("kms:UpdateAlias", aliasArn(call.region.name, call.account, name));
    const alias = call.region.aliases.get(name);
    if (alias === undefined) throw notFound(`Alias ${aliasArn(call.region.name, call.account, name)} is not found.`);
    requireNoAlias(TargetKeyId);
    const key = call.access.useKeyById(TargetKeyId, { operation: "UpdateAlias" });
    const former = call.region.keys.get(alias.keyId);
    if (former !== undefined) {
      call.access.admit(former, { operation: "DescribeKey", action: "kms:UpdateAlias" });
      if (former.usage !== key.usage || isSymmetric(former.spec) !== isSymmetric(key.spec)) {
        throw validationError(
          `Alias ${name} cannot be changed from a ${former.spec} key for ${former.usage} ` +
            `to a ${key.spec} key for ${key.usage}.`,
        );
      }
    }
    call.apply({ kind: "put-alias", alias: { ...alias, keyId: key.keyId, updatedAt: call.now } });
    return null;
  },
});
