// TagResource: KMS API Reference, API_TagResource.

import { required, structure } from "../protocol/shape.ts";
import { newTags } from "./key-tags.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const tagResource: Operation = operation({
  name: "TagResource",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId), Tags: required(members.tags) }),
  run(call, { KeyId, Tags }) {
    const key = call.useKeyById(KeyId, { operation: "TagResource" });
    call.apply({ kind: "put-key", key: { ...key, tags: newTags(key.tags, Tags) } });
    return null;
  },
});
