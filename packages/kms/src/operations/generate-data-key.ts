// GenerateDataKey: KMS API Reference, API_GenerateDataKey.

import { dataKeyInput, makeDataKey } from "../calls/data-keys.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";

export const generateDataKey: Operation = operation({
  name: "GenerateDataKey",
  effect: "reads",
  input: dataKeyInput,
  run(call, input) {
    const { key, plaintext, ciphertext, materialId } = makeDataKey(call, input, "GenerateDataKey");
    return { CiphertextBlob: ciphertext, Plaintext: plaintext, KeyId: key.arn, KeyMaterialId: materialId };
  },
});
