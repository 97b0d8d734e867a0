// DescribeCustomKeyStores: KMS API Reference, API_DescribeCustomKeyStores.

import { AwsError } from "../protocol/aws-error.ts";
import { structure } from "../protocol/shape.ts";
import { noSuchStore, storeId, storeName } from "./custom-key-store.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const describeCustomKeyStores: Operation = operation({
  name: "DescribeCustomKeyStores",
  effect: "reads",
  input: structure({
    CustomKeyStoreId: storeId,
    CustomKeyStoreName: storeName,
    Limit: members.limit(1000),
    Marker: members.marker,
  }),
  run(call, { CustomKeyStoreId, CustomKeyStoreName }) {
    call.admitAccount("kms:DescribeCustomKeyStores");
    if (CustomKeyStoreId !== undefined) throw noSuchStore(CustomKeyStoreId);
    if (CustomKeyStoreName !== undefined)
      throw new AwsError(
        "CustomKeyStoreNotFoundException",
        `Custom key store with name ${CustomKeyStoreName} does not exist.`,
      );
    return { CustomKeyStores: [], Truncated: false };
  },
});
