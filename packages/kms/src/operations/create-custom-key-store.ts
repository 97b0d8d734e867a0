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
    CloudHsmClusterId: text({ min: 19, max: 24, pattern: /^cluster-[2-7a-zA-Z]{11,16}$/ }),
    TrustAnchorCertificate: text({ min: 1, max: 5000 }),
    KeyStorePassword: text({ min: 7, max: 32, secret: true }),
    CustomKeyStoreType: oneOf(["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]),
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
