// CancelKeyDeletion: KMS API Reference, API_CancelKeyDeletion. The key comes back disabled.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { invalidState } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";

export const cancelKeyDeletion: Operation = operation({
  name: "CancelKeyDeletion",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId) }),
  run(call, { KeyId }) {
    const key = call.access.useKeyById(KeyId, { operation: "CancelKeyDeletion" });
    if (key.deletion === null) throw invalidState(`${key.arn} is not pending deletion.`);
    call.apply({ kind: "put-key", key: { ...key, deletion: null, enabled: false } });
    return { KeyId: key.arn };
  },
});
