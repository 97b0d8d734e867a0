// DisableKeyRotation: KMS API Reference, API_DisableKeyRotation.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { requireAutomaticRotation } from "../keys/rotation.ts";
import { required, structure } from "../protocol/shape.ts";

export const disableKeyRotation: Operation = operation({
  name: "DisableKeyRotation",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId) }),
  run(call, { KeyId }) {
    const key = call.access.useKeyById(KeyId, { operation: "DisableKeyRotation" });
    requireAutomaticRotation(key);
    call.apply({ kind: "put-key", key: { ...key, automaticRotation: null } });
    return null;
  },
});
