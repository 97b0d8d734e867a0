// DisableKey: KMS API Reference, API_DisableKey.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { required, structure } from "../protocol/shape.ts";

export const disableKey: Operation = operation({
  name: "DisableKey",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId) }),
  run(call, { KeyId }) {
    const key = call.access.useKeyById(KeyId, { operation: "DisableKey" });
    call.apply({ kind: "put-key", key: { ...key, enabled: false } });
    return null;
  },
});
