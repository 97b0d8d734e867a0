// UpdateCustomKeyStore: KMS API Reference, API_UpdateCustomKeyStore.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { noSuchStore } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";

export const updateCustomKeyStore: Operation = operation({
  name: "UpdateCustomKeyStore",
  effect: "writes",
  input: structure({
    CustomKeyStoreId: required(members.storeId),
    NewCustomKeyStoreName: members.storeName,
    KeyStorePassword: members.storePassword,
    CloudHsmClusterId: members.clusterId,
    ...members.externalStore,
  }),
  run(call, { CustomKeyStoreId }) {
    call.access.permitOnAccount("kms:UpdateCustomKeyStore");
    throw noSuchStore(CustomKeyStoreId);
  },
});
