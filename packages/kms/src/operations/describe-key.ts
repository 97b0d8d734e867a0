// DescribeKey: KMS API Reference, API_DescribeKey.

import { keyMetadata } from "../calls/answers.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { required, structure } from "../protocol/shape.ts";

export const describeKey: Operation = operation({
  name: "DescribeKey",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId), GrantTokens: members.grantTokens }),
  run(call, { KeyId, GrantTokens }) {
    const key = call.access.useKey(KeyId, {
      operation: "DescribeKey",
      ...(GrantTokens && { grantTokens: GrantTokens }),
    });
    return { KeyMetadata: keyMetadata(key, call.account, call.access.relatedKeys(key)) };
  },
});
