// TagResource: KMS API Reference, API_TagResource.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { newTags } from "../keys/key-record.ts";
import { required, structure } from "../protocol/shape.ts";

export const tagResource: Operation = operation({
  name: "TagResource",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId), Tags: required(members.tags) }),
  run(call, { KeyId, Tags }) {
    const key = call.access.useKeyById(KeyId, { operation: "TagResource" });
    call.apply({ kind: "put-key", key: { ...key, tags: newTags(key.tags, Tags) } });
    return null;
  },
});
