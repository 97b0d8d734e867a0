// UpdateCustomKeyStore: KMS API Reference, API_UpdateCustomKeyStore.

import { required, structure, text } from "../protocol/shape.ts";
import { noSuchStore, storeId, storeName } from "./custom-key-store.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const updateCustomKeyStore: Operation = operation({
  name: "UpdateCustomKeyStore",
  effect: "writes",
  input: structure({
    CustomKeyStoreId: required(storeId),
    NewCustomKeyStoreName: storeName,
    KeyStorePassword: text({ min: 7, max: 32, secret: "secret" }),
  }),
  run(call, { CustomKeyStoreId }) {
    call.admitAccount("kms:UpdateCustomKeyStore");
    throw noSuchStore(CustomKeyStoreId);
  },
});
