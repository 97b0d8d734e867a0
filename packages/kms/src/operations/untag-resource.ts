// UntagResource: KMS API Reference, API_UntagResource.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { list, required, structure, text } from "../protocol/shape.ts";

export const untagResource: Operation = operation({
  name: "UntagResource",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId), TagKeys: required(list(text({ min: 1, max: 128 }))) }),
  run(call, { KeyId, TagKeys }) {
    const key = call.access.useKeyById(KeyId, { operation: "UntagResource" });
    call.apply({ kind: "put-key", key: { ...key, tags: key.tags.filter((tag) => !TagKeys.includes(tag.key)) } });
    return null;
  },
});
