// ConnectCustomKeyStore: KMS API Reference, API_ConnectCustomKeyStore.

import { required, structure } from "../protocol/shape.ts";
import { noSuchStore, storeId } from "./custom-key-store.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const connectCustomKeyStore: Operation = operation({
  name: "ConnectCustomKeyStore",
  effect: "writes",
  input: structure({ CustomKeyStoreId: required(storeId) }),
  run(call, { CustomKeyStoreId }) {
    call.admitAccount("kms:ConnectCustomKeyStore");
    throw noSuchStore(CustomKeyStoreId);
  },
});
