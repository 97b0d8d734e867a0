import assert from "node:assert/strict";
import { test } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import type { MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { keySetsOf } from "@strongroom/vault";
import { memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
import { pino } from "pino";
import { FollowedKeySets } from "../../src/installation/followed-key-sets.ts";
import type { InstalledKeySet } from "../../src/installation/key-sets.ts";

/** Its keyring is never asked for anything here. */
function installed(...keys: string[]): InstalledKeySet {
  const keyring = rawAesKeyring({ keyNamespace: "here", keyName: keys.join(), wrappingKey: Buffer.alloc(32, 1) });
  return { keyring: keyring as unknown as MultiRegionKeyring, keys, minimum: 1, regions: [], generation: 1 };
}

const [present, coming] = [installed("a-1", "a-2"), installed("b-1", "b-2")];

test("a start in the middle of a rotation leaves the set in force that the rotation has put there", async (t) => {
  const [records, keys] = [memoryStore(), memoryKeyStore()];
  t.after(() => Promise.all([records.close(), keys.close()]));
  await keySetsOf(keys.gate, { keySet: present.keys }).flip();
  await keySetsOf(keys.gate, { keySet: present.keys, next: coming.keys }).flip();
  const sets = { current: present, next: coming };
  const followed = new FollowedKeySets({ records, keys }, { records: sets, keys: sets }, pino({ enabled: false }));

  const gates = followed.presentGates(null);
  assert.equal((await gates.keys.status()).state, "next");
  assert.equal((await gates.records.status()).state, "unset");
  // Where neither is in force it is the present one that is put there.
  assert.deepEqual((await gates.records.flip()).current.keys, present.keys);
  assert.equal((await gates.records.status()).state, "current");
});
