// EnableKey: KMS API Reference, API_EnableKey.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { required, structure } from "../protocol/shape.ts";

export const enableKey: Operation = operation({
  name: "EnableKey",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId) }),
  run(call, { KeyId }) {
    const key = call.access.useKeyById(KeyId, { operation: "EnableKey" });
    call.apply({ kind: "put-key", key: { ...key, enabled: true } });
    return null;
  },
});
