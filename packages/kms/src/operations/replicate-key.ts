// ReplicateKey: KMS API Reference, API_ReplicateKey. The replica has the same id and material in another region of
// this server, and everything else of its own.

import { defaultKeyPolicy } from "../access/policy.ts";
import { keyMetadata } from "../calls/answers.ts";
import type { Call } from "../calls/call.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { keyArn } from "../keys/key-arn.ts";
import { newTags } from "../keys/key-record.ts";
import type { BackingKey, KeyRecord } from "../keys/key-record.ts";
import { AwsError, unsupported, validationError } from "../protocol/aws-error.ts";
import { flag, required, structure } from "../protocol/shape.ts";

export const replicateKey: Operation = operation({
  name: "ReplicateKey",
  effect: "writes",
  input: structure({
    KeyId: required(members.keyId),
    ReplicaRegion: required(members.region),
    Policy: members.policyDocument,
    BypassPolicyLockoutSafetyCheck: flag(),
    Description: members.description,
    Tags: members.tags,
  }),
  run(call, input) {
    const primary = call.access.useKeyById(input.KeyId, { operation: "ReplicateKey" });
    if (primary.primaryRegion !== primary.region)
      throw unsupported(`${primary.arn} is not a multi-region primary key.`);
    const region = call.store.findRegion(input.ReplicaRegion);
    if (region === null) throw validationError(`This server has no region ${input.ReplicaRegion}.`);
    const arn = keyArn(region.name, call.account, primary.keyId);
    if (region.keys.has(primary.keyId)) throw new AwsError("AlreadyExistsException", `Key ${arn} already exists.`);
    const bare: KeyRecord = {
      ...primary,
      region: region.name,
      arn,
      createdAt: call.now,
      description: input.Description ?? "",
      enabled: true,
      policy: input.Policy ?? defaultKeyPolicy(call.account),
      tags: newTags([], input.Tags ?? []),
      automaticRotation: null,
      backingKeys: [],
    };
    const there = call.access.inRegion(region);
    there.permitNewKey(bare);
    there.requireSafePolicy(bare, { bypass: input.BypassPolicyLockoutSafetyCheck === true });
    const replica = {
      ...bare,
      backingKeys: primary.backingKeys.map((backing) => copyTo(call, primary, bare, backing)),
    };
    call.touched.add(arn);
    call.apply({ kind: "put-key", key: replica });
    // The answer comes while AWS is still at work; the next DescribeKey finds the key enabled.
    const metadata = keyMetadata(bare, call.account, [primary, bare]);
    return {
      ReplicaKeyMetadata: { ...metadata, Enabled: false, KeyState: "Creating" },
      ReplicaPolicy: replica.policy,
      // Recorded of AWS: without tags there is no such member.
      ...(replica.tags.length > 0 && {
        ReplicaTags: replica.tags.map((tag) => ({ TagKey: tag.key, TagValue: tag.value })),
      }),
    };
  },
});

/** Material made here goes along, sealed anew for its new place; imported material must be imported there too. */
function copyTo(call: Call, from: KeyRecord, to: KeyRecord, backing: BackingKey): BackingKey {
  if (from.origin === "EXTERNAL" || backing.sealed === null) return { ...backing, sealed: null };
  const sealed = call.material.withSecret(from, (secret) => call.material.sealSecret(to, backing.id, secret), backing);
  return { ...backing, sealed };
}
