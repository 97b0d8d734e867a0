// GetKeyLastUsage: KMS API Reference, API_GetKeyLastUsage. This server has tracked a key since it made it.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { seconds } from "../protocol/exchange.ts";
import { required, structure } from "../protocol/shape.ts";

export const getKeyLastUsage: Operation = operation({
  name: "GetKeyLastUsage",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId) }),
  run(call, { KeyId }) {
    const key = call.access.useKey(KeyId, { operation: "GetKeyLastUsage" });
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
