// DisableKeyRotation: KMS API Reference, API_DisableKeyRotation.

import { required, structure } from "../protocol/shape.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { requireAutomaticRotation } from "./rotation-rules.ts";

export const disableKeyRotation: Operation = operation({
  name: "DisableKeyRotation",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId) }),
  run(call, { KeyId }) {
    const key = call.useKeyById(KeyId, { operation: "DisableKeyRotation" });
    requireAutomaticRotation(key);
    call.apply({ kind: "put-key", key: { ...key, automaticRotation: null } });
    return null;
  },
});
