/**
 * Rewrapping against the project's own KMS, by the official client: between two keys of a region, under rotated
 * material, and into a second KMS with a root key of its own, after which the first one may end.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { makeKey, rewrapKey, unwrapKey } from "@strongroom/envelope/keyrings";
import type { AnsweredCall, EncryptedDataKey, Rewrapped } from "@strongroom/envelope/keyrings";
import { createKey, runningKms } from "../support/running-kms.ts";
import type { RunningKms } from "../support/running-kms.ts";

const REGIONS = ["eu-west-1", "eu-north-1"] as const;
const first = await runningKms(...REGIONS);
const second = await runningKms(...REGIONS);

const encryptionContext = { "branch-key-id": "42", type: "branch:version:1" };
const keyArnEntry = "kms-arn";

interface KeySet {
  readonly arns: readonly string[];
  readonly keyring: MultiRegionKeyring;
}

async function keySet(kms: RunningKms): Promise<KeySet> {
  const regions = await Promise.all(
    REGIONS.map(async (region) => {
      const client = kms.client(region);
      return { region, client, keyArn: await createKey(client) };
    }),
  );
  const keyring = multiRegionKeyring({ regions, minimum: 2, proveWraps: "off" });
  return { arns: regions.map(({ keyArn }) => keyArn), keyring };
}

/** A key that is kept under a key set, and what became of it. */
async function kept(under: KeySet): Promise<{
  readonly wraps: readonly EncryptedDataKey[];
  readonly move: (to: KeySet, proof?: "opened" | "none") => Promise<{ result: Rewrapped; asked: readonly string[] }>;
  readonly opensUnder: (to: KeySet, wraps: readonly EncryptedDataKey[]) => Promise<void>;
}> {
  const { key, wraps } = await makeKey({ keyring: under.keyring, encryptionContext, keyArnEntry });
  const right = Buffer.from(key.bytes);
  key.wipe();
  const accepts = (candidate: Uint8Array): boolean => right.equals(candidate);
  return {
    wraps,
    move: async ({ keyring }, proof = "opened") => {
      const calls: AnsweredCall[] = [];
      const onCall = (call: AnsweredCall): void => void calls.push(call);
      const options = { keyring, sources: [under.keyring], encryptionContext, keyArnEntry, accepts, proof, onCall };
      const result = await rewrapKey(wraps, options);
      return { result, asked: calls.map(({ region, operation }) => `${region} ${operation}`).toSorted() };
    },
    opensUnder: async ({ keyring }, each) => {
      for (const wrap of each)
        (await unwrapKey([wrap], { keyring, encryptionContext, keyArnEntry, accepts })).key.wipe();
    },
  };
}

const wrapsOf = ({ made }: Rewrapped): readonly EncryptedDataKey[] => made.map(({ wrap }) => wrap);
const each = (...operations: readonly string[]): readonly string[] =>
  REGIONS.flatMap((region) => operations.map((operation) => `${region} ${operation}`)).toSorted();
const materialsOf = async ({ keyring }: KeySet): Promise<readonly (string | null)[]> =>
  ((await keyring.currentMaterials?.({ signal: undefined })) ?? []).map(({ material }) => material);

test("from key to key: inside the KMS, bound to the new key's name, proven where that is asked", async () => {
  const [old, next] = [await keySet(first), await keySet(first)];
  const { move, opensUnder } = await kept(old);
  const unproven = await move(next, "none");
  assert.deepEqual(unproven.asked, each("ReEncrypt"));
  const proven = await move(next);
  assert.deepEqual(proven.asked, each("ReEncrypt", "Decrypt"));
  for (const { result } of [unproven, proven]) {
    assert.deepEqual([result.missing, result.made.map(({ key }) => key)], [[], next.arns]);
    assert.deepEqual(
      result.made.map(({ material }) => material),
      await materialsOf(next),
    );
    await opensUnder(next, wrapsOf(result));
  }
  // Whoever ends the old keys takes nothing away.
  for (const [index, KeyId] of old.arns.entries()) {
    const client = first.client(REGIONS[index] ?? "");
    await client.scheduleKeyDeletion({ KeyId });
  }
  await opensUnder(next, wrapsOf(proven.result));
});

test("under rotated material: the same key has another one, and the wraps are of that", async () => {
  const set = await keySet(first);
  const { move, opensUnder, wraps } = await kept(set);
  const before = await materialsOf(set);
  for (const [index, KeyId] of set.arns.entries())
    await first.client(REGIONS[index] ?? "").rotateKeyOnDemand({ KeyId });
  const now = await materialsOf(set);
  assert.ok(now.every((material, index) => material !== null && material !== before[index]));
  const { result, asked } = await move(set, "none");
  assert.deepEqual(asked, each("ReEncrypt"));
  assert.deepEqual(
    result.made.map(({ material }) => material),
    now,
  );
  await opensUnder(set, [...wraps, ...wrapsOf(result)]);
});

test("into a KMS with a root key of its own: opened once there, wrapped here, and then the first may go", async () => {
  const [old, next] = [await keySet(first), await keySet(second)];
  const { move, opensUnder } = await kept(old);
  const { result, asked } = await move(next);
  assert.deepEqual(asked, [...each("Decrypt", "Encrypt"), "eu-west-1 Decrypt"].toSorted());
  assert.deepEqual(result.missing, []);
  assert.ok(result.made.every(({ isProven }) => isProven));
  assert.deepEqual(
    result.made.map(({ material }) => material),
    await materialsOf(next),
  );
  for (const region of REGIONS) await first.stopRegion(region);
  await opensUnder(next, wrapsOf(result));
});
