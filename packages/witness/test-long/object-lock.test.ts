// The witness in an object store, by AWS's own client and an S3 server that is not ours, and what somebody does who has
// the store's credentials.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { S3 } from "@aws-sdk/client-s3";
import { ObjectWitness } from "../src/object-witness.ts";
import { failures, GrownLog } from "../test/grown-log.ts";
import { s3Program, s3Server } from "./s3-server.ts";

const program = s3Program();
const options = { skip: typeof program === "string" && program, timeout: 240_000 };

const witnessOf = (client: S3, bucket = "checkpoints"): ObjectWitness =>
  new ObjectWitness({ client, bucket, prefix: "vaults/", days: 30 }, failures);

test("checkpoints in a bucket with object lock outlive whoever has its credentials", options, async (t) => {
  if (typeof program === "string") return;
  const client = await s3Server(t, program);
  await client.createBucket({ Bucket: "checkpoints", ObjectLockEnabledForBucket: true });
  const log = new GrownLog().grow(4);
  assert.deepEqual(await witnessOf(client).examine(log.head()), { kind: "nothing" });
  const early = log.copy();
  await witnessOf(client).record(early.head());
  await witnessOf(client).record(log.grow(300).head());
  await witnessOf(client).record(log.head());
  const setBack = async (what: string): Promise<void> => {
    assert.deepEqual(await witnessOf(client).examine(log.head()), { kind: "seen", size: 304 }, what);
    await assert.rejects(witnessOf(client).examine(early.head()), { code: "set-back" }, what);
  };
  await setBack("untouched");
  const { Versions: versions = [] } = await client.listObjectVersions({ Bucket: "checkpoints" });
  assert.equal(versions.length, 2);
  for (const { Key, VersionId } of versions)
    await assert.rejects(client.deleteObject({ Bucket: "checkpoints", Key: Key!, VersionId: VersionId! }), {
      name: "AccessDenied",
    });
  await setBack("a version cannot be deleted");
  for (const { Key } of versions) {
    await client.putObject({ Bucket: "checkpoints", Key: Key!, Body: early.head().note });
    await client.deleteObject({ Bucket: "checkpoints", Key: Key! });
  }
  assert.equal((await client.listObjectsV2({ Bucket: "checkpoints" })).KeyCount, 0, "an ordinary list is empty");
  await setBack("written over and marked as deleted");
  const after = early.accept(log.origin.replace("/one", "/two")).grow(1);
  await witnessOf(client).record(after.head());
  assert.deepEqual(await witnessOf(client).examine(after.head()), { kind: "seen", size: 5 });
  await assert.rejects(witnessOf(client).examine(log.head()), { code: "set-back" });
});

test("a bucket without object lock is no witness, and one that is not there is away", options, async (t) => {
  if (typeof program === "string") return;
  const client = await s3Server(t, program);
  await client.createBucket({ Bucket: "checkpoints" });
  const log = new GrownLog().grow(1);
  await assert.rejects(witnessOf(client).record(log.head()), /the store says/);
  const gone = await witnessOf(client, "not-there").examine(log.head());
  assert.deepEqual(gone, { kind: "away", reason: "the store says NoSuchBucket" });
});
