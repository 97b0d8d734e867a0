// GenerateDataKeyPairWithoutPlaintext: KMS API Reference, API_GenerateDataKeyPairWithoutPlaintext.

import { dataKeyPairInputWithoutPlaintext, makeDataKeyPair } from "../calls/data-keys.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";

export const generateDataKeyPairWithoutPlaintext: Operation = operation({
  name: "GenerateDataKeyPairWithoutPlaintext",
  effect: "reads",
  input: dataKeyPairInputWithoutPlaintext,
  async run(call, input) {
    const { privateKey, answer } = await makeDataKeyPair(call, input, "GenerateDataKeyPairWithoutPlaintext");
    privateKey.fill(0);
    return { ...answer };
  },
});
