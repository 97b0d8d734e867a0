// GenerateDataKeyPair: KMS API Reference, API_GenerateDataKeyPair.

import { dataKeyPairInput, makeDataKeyPair } from "./data-key-pair.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const generateDataKeyPair: Operation = operation({
  name: "GenerateDataKeyPair",
  effect: "reads",
  input: dataKeyPairInput,
  async run(call, input) {
    const { key, privateKey, publicKey, ciphertext, materialId } = await makeDataKeyPair(
      call,
      input,
      "GenerateDataKeyPair",
    );
    return {
      PrivateKeyCiphertextBlob: ciphertext,
      PrivateKeyPlaintext: privateKey,
      PublicKey: publicKey,
      KeyId: key.arn,
      KeyPairSpec: input.KeyPairSpec,
      KeyMaterialId: materialId,
    };
  },
});
