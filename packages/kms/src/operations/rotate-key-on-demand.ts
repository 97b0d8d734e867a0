// RotateKeyOnDemand: KMS API Reference, API_RotateKeyOnDemand.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { requireRotatable, rotateImported, rotateWithNewMaterial } from "../keys/rotation.ts";
import { AwsError, invalidState } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";

/** So many on-demand rotations a key has in its life. */
const MAX_ON_DEMAND = 25;

export const rotateKeyOnDemand: Operation = operation({
  name: "RotateKeyOnDemand",
  effect: "writes",
  input: structure({ KeyId: required(members.keyId) }),
  run(call, { KeyId }) {
    const key = call.access.useKeyById(KeyId, { operation: "RotateKeyOnDemand" });
    requireRotatable(key);
    if (key.backingKeys.filter((backing) => backing.rotation?.kind === "ON_DEMAND").length >= MAX_ON_DEMAND) {
      throw new AwsError(
        "LimitExceededException",
        "The on-demand rotations limit has been reached for the given keyId. " +
          `No more on-demand rotations can be performed for this key: ${key.arn}`,
      );
    }
    const related = call.access.relatedKeys(key);
    const rotation = { kind: "ON_DEMAND", at: call.now } as const;
    if (key.origin === "AWS_KMS") {
      call.applyAll(rotateWithNewMaterial(related, rotation, call.material));
      return { KeyId: key.arn };
    }
    const rotated = rotateImported(related, rotation);
    if (rotated === null) throw invalidState(`No available key material pending rotation for the key: ${key.arn}.`);
    call.applyAll(rotated);
    return { KeyId: key.arn };
  },
});
