// ListKeys: KMS API Reference, API_ListKeys.

import { pageOf } from "../calls/answers.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { list, oneOf, structure } from "../protocol/shape.ts";

export const listKeys: Operation = operation({
  name: "ListKeys",
  effect: "reads",
  input: structure({
    Limit: members.limit,
    Marker: members.marker,
    ResourceOwners: list(oneOf(["SELF", "OTHER_ACCOUNTS_VIA_RAM"]), { min: 1, max: 2 }),
  }),
  run(call, { Limit = 100, Marker, ResourceOwners = ["SELF"] }) {
    call.access.permitOnAccount("kms:ListKeys");
    // No other account shares its keys here.
    const keys = ResourceOwners.includes("SELF") ? call.region.keys.values() : [];
    const { items, ...page } = pageOf(keys, (key) => key.keyId, Limit, Marker);
    return { Keys: items.map((key) => ({ KeyId: key.keyId, KeyArn: key.arn })), ...page };
  },
});
