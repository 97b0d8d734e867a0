// GenerateDataKeyWithoutPlaintext: KMS API Reference, API_GenerateDataKeyWithoutPlaintext.

import { dataKeyInputWithoutPlaintext, makeDataKey } from "../calls/data-keys.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";

export const generateDataKeyWithoutPlaintext: Operation = operation({
  name: "GenerateDataKeyWithoutPlaintext",
  effect: "reads",
  input: dataKeyInputWithoutPlaintext,
  run(call, input) {
    const { key, plaintext, ciphertext, materialId } = makeDataKey(call, input, "GenerateDataKeyWithoutPlaintext");
    plaintext.fill(0);
    return { CiphertextBlob: ciphertext, KeyId: key.arn, KeyMaterialId: materialId };
  },
});
