// EnableKeyRotation: KMS API Reference, API_EnableKeyRotation. The rotation itself: keys/lifecycle.ts.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { DAY } from "../clock.ts";
import { requireAutomaticRotation } from "../keys/rotation.ts";
import { integer, required, structure } from "../protocol/shape.ts";

const DEFAULT_PERIOD = 365;

export const enableKeyRotation: Operation = operation({
  name: "EnableKeyRotation",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId), RotationPeriodInDays: integer({ min: 90, max: 2560 }) }),
  run(call, { KeyId, RotationPeriodInDays }) {
    const key = call.access.useKeyById(KeyId, { operation: "EnableKeyRotation" });
    requireAutomaticRotation(key);
    const periodDays = RotationPeriodInDays ?? key.automaticRotation?.periodDays ?? DEFAULT_PERIOD;
    // Enabling again what is enabled already does not put the next rotation off.
    if (key.automaticRotation?.periodDays === periodDays) return null;
    call.apply({
      kind: "put-key",
      key: { ...key, automaticRotation: { periodDays, nextAt: call.now + periodDays * DAY } },
    });
    return null;
  },
});
