// GenerateDataKeyPairWithoutPlaintext: KMS API Reference, API_GenerateDataKeyPairWithoutPlaintext.

import { dataKeyPairInput, makeDataKeyPair } from "../calls/data-keys.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";

export const generateDataKeyPairWithoutPlaintext: Operation = operation({
  name: "GenerateDataKeyPairWithoutPlaintext",
  effect: "reads",
  input: dataKeyPairInput,
  async run(call, input) {
    const { key, privateKey, publicKey, ciphertext, materialId } = await makeDataKeyPair(
      call,
      input,
      "GenerateDataKeyPairWithoutPlaintext",
    );
    privateKey.fill(0);
    return {
      PrivateKeyCiphertextBlob: ciphertext,
      PublicKey: publicKey,
      KeyId: key.arn,
      KeyPairSpec: input.KeyPairSpec,
      KeyMaterialId: materialId,
    };
  },
});
