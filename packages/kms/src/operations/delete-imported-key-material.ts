// DeleteImportedKeyMaterial: KMS API Reference, API_DeleteImportedKeyMaterial. The key is then pending import.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { currentBackingKey } from "../keys/key-record.ts";
import { requireOrigin } from "../keys/key-rules.ts";
import { notFound } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";

export const deleteImportedKeyMaterial: Operation = operation({
  name: "DeleteImportedKeyMaterial",
  effect: "writes",
  input: structure({
    KeyId: required(members.keyId),
    KeyMaterialId: members.keyMaterialId,
  }),
  run(call, { KeyId, KeyMaterialId }) {
    const key = call.access.useKeyById(KeyId, { operation: "DeleteImportedKeyMaterial" });
    requireOrigin(key, "EXTERNAL");
    const id = KeyMaterialId ?? currentBackingKey(key)?.id;
    // Deleting what is not there succeeds, as in AWS.
    if (id === undefined) return { KeyId: key.arn };
    const backing = key.backingKeys.find((candidate) => candidate.id === id);
    if (backing === undefined) throw notFound(`Key material ${id} is not found in ${key.arn}.`);
    const left =
      backing.state === "pending"
        ? key.backingKeys.filter((candidate) => candidate !== backing)
        : key.backingKeys.map((candidate) => (candidate === backing ? { ...candidate, sealed: null } : candidate));
    call.apply({ kind: "put-key", key: { ...key, backingKeys: left } });
    return { KeyId: key.arn, KeyMaterialId: id };
  },
});
