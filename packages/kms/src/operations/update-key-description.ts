// UpdateKeyDescription: KMS API Reference, API_UpdateKeyDescription.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { required, structure } from "../protocol/shape.ts";

export const updateKeyDescription: Operation = operation({
  name: "UpdateKeyDescription",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId), Description: required(members.description) }),
  run(call, { KeyId, Description }) {
    const key = call.access.useKeyById(KeyId, { operation: "UpdateKeyDescription" });
    call.apply({ kind: "put-key", key: { ...key, description: Description } });
    return null;
  },
});
