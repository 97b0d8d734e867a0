// GetKeyRotationStatus: KMS API Reference, API_GetKeyRotationStatus. Keys that cannot rotate answer false.

import { seconds } from "../protocol/seconds.ts";
import { required, structure } from "../protocol/shape.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const getKeyRotationStatus: Operation = operation({
  name: "GetKeyRotationStatus",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId) }),
  run(call, { KeyId }) {
    const key = call.useKeyById(KeyId, { operation: "GetKeyRotationStatus" });
    // A replica shows its primary's rotation, which it shares.
    const rotation = (call.relatedKeys(key).find((one) => one.region === key.primaryRegion) ?? key).automaticRotation;
    const enabled = rotation !== null && key.deletion === null;
    return {
      KeyId: key.arn,
      KeyRotationEnabled: enabled,
      ...(enabled && { RotationPeriodInDays: rotation.periodDays, NextRotationDate: seconds(rotation.nextAt) }),
    };
  },
});
