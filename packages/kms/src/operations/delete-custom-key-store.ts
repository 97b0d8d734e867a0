// DeleteCustomKeyStore: KMS API Reference, API_DeleteCustomKeyStore.

import { required, structure } from "../protocol/shape.ts";
import { noSuchStore, storeId } from "./custom-key-store.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const deleteCustomKeyStore: Operation = operation({
  name: "DeleteCustomKeyStore",
  effect: "writes",
  input: structure({ CustomKeyStoreId: required(storeId) }),
  run(call, { CustomKeyStoreId }) {
    call.admitAccount("kms:DeleteCustomKeyStore");
    throw noSuchStore(CustomKeyStoreId);
  },
});
