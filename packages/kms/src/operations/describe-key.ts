// DescribeKey: KMS API Reference, API_DescribeKey.

import { keyMetadata } from "../keys/key-metadata.ts";
import { required, structure } from "../protocol/shape.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const describeKey: Operation = operation({
  name: "DescribeKey",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId), GrantTokens: members.grantTokens }),
  run(call, { KeyId, GrantTokens }) {
    const key = call.useKey(KeyId, { operation: "DescribeKey", ...(GrantTokens && { grantTokens: GrantTokens }) });
    return { KeyMetadata: keyMetadata(key, call.account, call.relatedKeys(key)) };
  },
});
