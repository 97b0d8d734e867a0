// EnableKey: KMS API Reference, API_EnableKey.

import { required, structure } from "../protocol/shape.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const enableKey: Operation = operation({
  name: "EnableKey",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId) }),
  run(call, { KeyId }) {
    const key = call.useKeyById(KeyId, { operation: "EnableKey" });
    call.apply({ kind: "put-key", key: { ...key, enabled: true } });
    return null;
  },
});
