import assert from "node:assert/strict";
import { test } from "node:test";
import { bench } from "./behaviour.ts";

void test("only an enabled replica becomes the primary key; a refusal changes nothing", async (t) => {
  const b = await bench(t);
  for (const [operation, members, type] of [
    ["DisableKey", {}, "DisabledException"],
    ["ScheduleKeyDeletion", { PendingWindowInDays: 7 }, "KMSInvalidStateException"],
  ] as const) {
    const { KeyId } = await b.key({ MultiRegion: true });
    const region = "eu-west-2";
    await b.ok("ReplicateKey", { KeyId, ReplicaRegion: region });
    await b.ok(operation, { KeyId, ...members }, region);
    const before = (await b.ok("DescribeKey", { KeyId }))["KeyMetadata"];
    assert.equal((await b.refused("UpdatePrimaryRegion", { KeyId, PrimaryRegion: region }))[0], type, operation);
    assert.deepEqual((await b.ok("DescribeKey", { KeyId }))["KeyMetadata"], before);
    if (operation === "ScheduleKeyDeletion") await b.ok("CancelKeyDeletion", { KeyId }, region);
    await b.ok("EnableKey", { KeyId }, region);
    await b.ok("UpdatePrimaryRegion", { KeyId, PrimaryRegion: region });
  }
});
