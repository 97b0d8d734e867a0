// UpdateKeyDescription: KMS API Reference, API_UpdateKeyDescription.

import { required, structure } from "../protocol/shape.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const updateKeyDescription: Operation = operation({
  name: "UpdateKeyDescription",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId), Description: required(members.description) }),
  run(call, { KeyId, Description }) {
    const key = call.useKeyById(KeyId, { operation: "UpdateKeyDescription" });
    call.apply({ kind: "put-key", key: { ...key, description: Description } });
    return null;
  },
});
