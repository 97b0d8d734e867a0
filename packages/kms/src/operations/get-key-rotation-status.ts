// GetKeyRotationStatus: KMS API Reference, API_GetKeyRotationStatus. Keys that cannot rotate answer false.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { seconds } from "../protocol/exchange.ts";
import { required, structure } from "../protocol/shape.ts";

export const getKeyRotationStatus: Operation = operation({
  name: "GetKeyRotationStatus",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId) }),
  run(call, { KeyId }) {
    const key = call.access.useKeyById(KeyId, { operation: "GetKeyRotationStatus" });
    // A replica shows its primary's rotation, which it shares.
    const rotation = (call.access.relatedKeys(key).find(({ region }) => region === key.primaryRegion) ?? key)
      .automaticRotation;
    const enabled = rotation !== null && key.deletion === null;
    return {
      KeyId: key.arn,
      KeyRotationEnabled: enabled,
      ...(enabled && { RotationPeriodInDays: rotation.periodDays, NextRotationDate: seconds(rotation.nextAt) }),
    };
  },
});
