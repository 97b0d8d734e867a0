// DisconnectCustomKeyStore: KMS API Reference, API_DisconnectCustomKeyStore.

import { required, structure } from "../protocol/shape.ts";
import { noSuchStore, storeId } from "./custom-key-store.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const disconnectCustomKeyStore: Operation = operation({
  name: "DisconnectCustomKeyStore",
  effect: "writes",
  input: structure({ CustomKeyStoreId: required(storeId) }),
  run(call, { CustomKeyStoreId }) {
    call.admitAccount("kms:DisconnectCustomKeyStore");
    throw noSuchStore(CustomKeyStoreId);
  },
});
