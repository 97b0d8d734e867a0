// UpdatePrimaryRegion: KMS API Reference, API_UpdatePrimaryRegion. All regions of the key learn of it at once.

import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { keyArn } from "../keys/key-arn.ts";
import { notFound, unsupported } from "../protocol/aws-error.ts";
import { required, structure } from "../protocol/shape.ts";

export const updatePrimaryRegion: Operation = operation({
  name: "UpdatePrimaryRegion",
  effect: "writes",
  input: structure({
    KeyId: required(members.keyId),
    PrimaryRegion: required(members.region),
  }),
  run(call, { KeyId, PrimaryRegion }) {
    const key = call.access.useKeyById(KeyId, { operation: "UpdatePrimaryRegion" });
    if (key.primaryRegion !== key.region) throw unsupported(`${key.arn} is not a multi-region primary key.`);
    const region = call.store.regions.get(PrimaryRegion);
    const replica = region?.keys.get(key.keyId);
    if (region === undefined || replica === undefined)
      throw notFound(`Key '${keyArn(PrimaryRegion, call.account, key.keyId)}' does not exist`);
    call.access.inRegion(region).admit(replica, { operation: "UpdatePrimaryRegion" });
    // The rotation belongs to the primary key and moves with it.
    call.applyAll(
      call.access.relatedKeys(key).map((record) => ({
        kind: "put-key" as const,
        key: {
          ...record,
          primaryRegion: PrimaryRegion,
          automaticRotation: record.region === PrimaryRegion ? key.automaticRotation : null,
        },
      })),
    );
    return null;
  },
});
