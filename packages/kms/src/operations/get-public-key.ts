// GetPublicKey: KMS API Reference, API_GetPublicKey.

import { algorithmLists } from "../keys/key-metadata.ts";
import { unsupported } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";
import { keyRequest } from "./key-request.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const getPublicKey: Operation = operation({
  name: "GetPublicKey",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId), GrantTokens: members.grantTokens }),
  run(call, input) {
    const key = call.useKey(input.KeyId, keyRequest("GetPublicKey", input));
    if (call.currentMaterial(key).publicKey === null)
      throw unsupported(`${key.arn} key spec is ${key.spec} which is not valid for GetPublicKey.`);
    return {
      KeyId: key.arn,
      PublicKey: call.publicKey(key),
      CustomerMasterKeySpec: key.spec,
      KeySpec: key.spec,
      KeyUsage: key.usage,
      ...algorithmLists(key),
    };
  },
});
