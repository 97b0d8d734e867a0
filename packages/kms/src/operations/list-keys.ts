// ListKeys: KMS API Reference, API_ListKeys.

import { structure } from "../protocol/shape.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { pageOf } from "./pagination.ts";

export const listKeys: Operation = operation({
  name: "ListKeys",
  effect: "reads",
  input: structure({ Limit: members.limit(1000), Marker: members.marker }),
  run(call, { Limit = 100, Marker }) {
    call.admitAccount("kms:ListKeys");
    const { items, ...page } = pageOf(call.region.keys.values(), (key) => key.keyId, Limit, Marker);
    return { Keys: items.map((key) => ({ KeyId: key.keyId, KeyArn: key.arn })), ...page };
  },
});
