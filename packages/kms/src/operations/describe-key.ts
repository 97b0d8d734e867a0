// DescribeKey: KMS API Reference, API_DescribeKey. Asked for the alias of an AWS managed key, it makes the key.

import { randomUUID } from "node:crypto";
import { keyMetadata } from "../calls/answers.ts";
import type { Call } from "../calls/call.ts";
import { withMaterial } from "../calls/first-material.ts";
import * as members from "../calls/members.ts";
import { keyRequest, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { DAY } from "../clock.ts";
import { keyArn, parseKeyReference } from "../keys/key-arn.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { managedKey } from "../keys/managed-keys.ts";
import { required, structure } from "../protocol/shape.ts";

/** AWS managed keys rotate every year. */
const ROTATION_DAYS = 365;

export const describeKey: Operation = operation({
  name: "DescribeKey",
  effect: "reads",
  input: structure({ KeyId: required(members.keyId), GrantTokens: members.grantTokens }),
  async run(call, input) {
    await ensureManagedKey(call, input.KeyId);
    const key = call.access.useKey(input.KeyId, keyRequest("DescribeKey", input));
    return { KeyMetadata: keyMetadata(key, call.account, call.access.relatedKeys(key)) };
  },
});

/** Makes the key of an AWS alias that has none yet, if who asks may see it. */
async function ensureManagedKey(call: Call, reference: string): Promise<void> {
  const { name: region, aliases } = call.region;
  const named = parseKeyReference(reference, region);
  if (named.kind !== "alias" || (named.account ?? call.account) !== call.account || aliases.has(named.name)) return;
  const managed = managedKey(named.name, region, call.account);
  if (managed === null) return;
  const keyId = randomUUID();
  const bare: KeyRecord = {
    region,
    keyId,
    arn: keyArn(region, call.account, keyId),
    createdAt: call.now,
    ...managed,
    spec: "SYMMETRIC_DEFAULT",
    usage: "ENCRYPT_DECRYPT",
    origin: "AWS_KMS",
    manager: "AWS",
    enabled: true,
    deletion: null,
    tags: [],
    primaryRegion: null,
    automaticRotation: { periodDays: ROTATION_DAYS, nextAt: call.now + ROTATION_DAYS * DAY },
    backingKeys: [],
  };
  call.access.admit(bare, { operation: "DescribeKey" });
  const key = await withMaterial(call, bare);
  // Another call may have made it meanwhile.
  if (call.region.aliases.has(named.name)) return;
  call.apply(
    { kind: "put-key", key },
    { kind: "put-alias", alias: { region, name: named.name, keyId, createdAt: call.now, updatedAt: call.now } },
  );
}
