// ListResourceTags: KMS API Reference, API_ListResourceTags.

import { required, structure } from "../protocol/shape.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { pageOf } from "./pagination.ts";

export const listResourceTags: Operation = operation({
  name: "ListResourceTags",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId), Limit: members.limit(50), Marker: members.marker }),
  run(call, { KeyId, Limit = 50, Marker }) {
    const key = call.useKeyById(KeyId, { operation: "ListResourceTags" });
    const { items, ...page } = pageOf(key.tags, (tag) => tag.key, Limit, Marker);
    return { Tags: items.map((tag) => ({ TagKey: tag.key, TagValue: tag.value })), ...page };
  },
});
