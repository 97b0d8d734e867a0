// GetPublicKey: KMS API Reference, API_GetPublicKey.

import { algorithmLists } from "../calls/answers.ts";
import * as members from "../calls/members.ts";
import { keyRequest, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { unsupported } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";

export const getPublicKey: Operation = operation({
  name: "GetPublicKey",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId), GrantTokens: members.grantTokens }),
  run(call, input) {
    const key = call.access.useKey(input.KeyId, keyRequest("GetPublicKey", input));
    if (call.material.current(key).publicKey === null)
      throw unsupported(`${key.arn} key spec is ${key.spec} which is not valid for GetPublicKey.`);
    return {
      KeyId: key.arn,
      PublicKey: call.material.publicKey(key),
      CustomerMasterKeySpec: key.spec,
      KeySpec: key.spec,
      KeyUsage: key.usage,
      ...algorithmLists(key),
    };
  },
});
