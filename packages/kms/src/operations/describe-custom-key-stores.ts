// DescribeCustomKeyStores: KMS API Reference, API_DescribeCustomKeyStores.

import { pageOf } from "../calls/answers.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { AwsError, noSuchStore } from "../protocol/aws-error.ts";
import { structure } from "../protocol/shape.ts";

export const describeCustomKeyStores: Operation = operation({
  name: "DescribeCustomKeyStores",
  effect: "reads",
  input: structure({
    CustomKeyStoreId: members.storeId,
    CustomKeyStoreName: members.storeName,
    Limit: members.limit,
    Marker: members.marker,
  }),
  run(call, { CustomKeyStoreId, CustomKeyStoreName, Limit = 100, Marker }) {
    call.access.permitOnAccount("kms:DescribeCustomKeyStores");
    if (CustomKeyStoreId !== undefined) throw noSuchStore(CustomKeyStoreId);
    if (CustomKeyStoreName !== undefined)
      throw new AwsError(
        "CustomKeyStoreNotFoundException",
        `Custom key store with name ${CustomKeyStoreName} does not exist.`,
      );
    const { items, ...page } = pageOf<never>([], () => "", Limit, Marker);
    return { CustomKeyStores: items, ...page };
  },
});
