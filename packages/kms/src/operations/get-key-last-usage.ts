// GetKeyLastUsage: KMS API Reference, API_GetKeyLastUsage. This server has tracked a key since it made it.

import { seconds } from "../protocol/seconds.ts";
import { required, structure } from "../protocol/shape.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";

export const getKeyLastUsage: Operation = operation({
  name: "GetKeyLastUsage",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId) }),
  run(call, { KeyId }) {
    const key = call.useKey(KeyId, { operation: "GetKeyLastUsage" });
    const use = call.region.lastUses.get(key.keyId);
    return {
      KeyId: key.arn,
      ...(use !== undefined && {
        KeyLastUsage: {
          Operation: use.operation,
          Timestamp: seconds(use.at),
          CloudTrailEventId: use.eventId,
          KmsRequestId: use.requestId,
        },
      }),
      TrackingStartDate: seconds(key.createdAt),
      KeyCreationDate: seconds(key.createdAt),
    };
  },
});
