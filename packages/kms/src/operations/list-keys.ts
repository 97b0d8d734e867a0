// ListKeys: KMS API Reference, API_ListKeys.

import { pageOf } from "../calls/answers.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { structure } from "../protocol/shape.ts";

export const listKeys: Operation = operation({
  name: "ListKeys",
  effect: "reads",
  input: structure({ Limit: members.limit(1000), Marker: members.marker }),
  run(call, { Limit = 100, Marker }) {
    call.access.permitOnAccount("kms:ListKeys");
    const { items, ...page } = pageOf(call.region.keys.values(), (key) => key.keyId, Limit, Marker);
    return { Keys: items.map((key) => ({ KeyId: key.keyId, KeyArn: key.arn })), ...page };
  },
});
