// GenerateDataKeyWithoutPlaintext: KMS API Reference, API_GenerateDataKeyWithoutPlaintext.

import { dataKeyInput, makeDataKey } from "./data-key.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const generateDataKeyWithoutPlaintext: Operation = operation({
  name: "GenerateDataKeyWithoutPlaintext",
  effect: "reads",
  input: dataKeyInput,
  run(call, input) {
    const { key, plaintext, ciphertext, materialId } = makeDataKey(call, input, "GenerateDataKeyWithoutPlaintext");
    plaintext.fill(0);
    return { CiphertextBlob: ciphertext, KeyId: key.arn, KeyMaterialId: materialId };
  },
});
