// DisableKey: KMS API Reference, API_DisableKey.

import { required, structure } from "../protocol/shape.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const disableKey: Operation = operation({
  name: "DisableKey",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId) }),
  run(call, { KeyId }) {
    const key = call.useKeyById(KeyId, { operation: "DisableKey" });
    call.apply({ kind: "put-key", key: { ...key, enabled: false } });
    return null;
  },
});
