// ScheduleKeyDeletion: KMS API Reference, API_ScheduleKeyDeletion. The material is destroyed when the window ends
// (keys/lifecycle.ts).

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { DAY } from "../clock.ts";
import { stateOf } from "../keys/key-rules.ts";
import { validationError } from "../protocol/aws-error.ts";
import { seconds } from "../protocol/exchange.ts";
import { integer, required, structure } from "../protocol/shape.ts";

const DEFAULT_WINDOW = 30;

export const scheduleKeyDeletion: Operation = operation({
  name: "ScheduleKeyDeletion",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId), PendingWindowInDays: integer({ min: 1, max: 365 }) }),
  run(call, { KeyId, PendingWindowInDays: windowDays = DEFAULT_WINDOW }) {
    const key = call.access.useKeyById(KeyId, { operation: "ScheduleKeyDeletion" });
    if (windowDays < 7 || windowDays > 30) throw validationError("PendingWindowInDays must be between 7 and 30.");
    // A primary key goes only after its last replica: until then the window does not run.
    const waitsForReplicas = key.primaryRegion === key.region && call.access.relatedKeys(key).length > 1;
    const deletion = { at: call.now + windowDays * DAY, windowDays, waitsForReplicas };
    const pending = { ...key, deletion };
    call.apply({ kind: "put-key", key: pending });
    return {
      KeyId: key.arn,
      ...(!waitsForReplicas && { DeletionDate: seconds(deletion.at) }),
      KeyState: stateOf(pending),
      PendingWindowInDays: windowDays,
    };
  },
});
