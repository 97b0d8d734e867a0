// ListResourceTags: KMS API Reference, API_ListResourceTags.

import { pageOf } from "../calls/answers.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { required, structure } from "../protocol/shape.ts";

export const listResourceTags: Operation = operation({
  name: "ListResourceTags",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId), Limit: members.limit, Marker: members.marker }),
  run(call, { KeyId, Limit = 50, Marker }) {
    const key = call.access.useKeyById(KeyId, { operation: "ListResourceTags" });
    const { items, ...page } = pageOf(key.tags, (tag) => tag.key, Math.min(Limit, 50), Marker);
    return { Tags: items.map((tag) => ({ TagKey: tag.key, TagValue: tag.value })), ...page };
  },
});
