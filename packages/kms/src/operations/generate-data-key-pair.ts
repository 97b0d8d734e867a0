// GenerateDataKeyPair: KMS API Reference, API_GenerateDataKeyPair.

import { dataKeyPairInput, makeDataKeyPair } from "../calls/data-keys.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";

export const generateDataKeyPair: Operation = operation({
  name: "GenerateDataKeyPair",
  effect: "reads",
  input: dataKeyPairInput,
  async run(call, input) {
    const { privateKey, answer } = await makeDataKeyPair(call, input, "GenerateDataKeyPair");
    return { ...answer, PrivateKeyPlaintext: privateKey };
  },
});
