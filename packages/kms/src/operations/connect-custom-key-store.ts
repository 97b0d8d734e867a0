// ConnectCustomKeyStore: KMS API Reference, API_ConnectCustomKeyStore.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { noSuchStore } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";

export const connectCustomKeyStore: Operation = operation({
  name: "ConnectCustomKeyStore",
  effect: "writes",
  input: structure({ CustomKeyStoreId: required(members.storeId) }),
  run(call, { CustomKeyStoreId }) {
    call.access.permitOnAccount("kms:ConnectCustomKeyStore");
    throw noSuchStore(CustomKeyStoreId);
  },
});
