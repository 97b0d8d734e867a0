// CreateCustomKeyStore: KMS API Reference, API_CreateCustomKeyStore. There is no CloudHSM cluster to be had here.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { AwsError, unsupported, validationError } from "../protocol/aws-error.ts";
import { oneOf, required, structure, text } from "../protocol/shape.ts";

export const createCustomKeyStore: Operation = operation({
  name: "CreateCustomKeyStore",
  effect: "writes",
  input: structure({
    CustomKeyStoreName: required(members.storeName),
    CloudHsmClusterId: members.clusterId,
    TrustAnchorCertificate: text({ min: 1, max: 5000 }),
    KeyStorePassword: members.storePassword,
    CustomKeyStoreType: oneOf(["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]),
    ...members.externalStore,
  }),
  run(call, input) {
    call.access.permitOnAccount("kms:CreateCustomKeyStore");
    if (input.CustomKeyStoreType === "EXTERNAL_KEY_STORE")
      throw unsupported("External key stores are not supported here.");
    if (input.CloudHsmClusterId === undefined)
      throw validationError("CloudHsmClusterId is required for a custom key store of type AWS_CLOUDHSM.");
    throw new AwsError("CloudHsmClusterNotFoundException", `Cluster ${input.CloudHsmClusterId} is not found.`);
  },
});
