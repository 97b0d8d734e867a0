/**
 * A region that answers with another key than a person's, over a real KMS: the next one is asked, the liar is accused,
 * and its wrap is taken out of the row and owed.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KmsClient, MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { wrapSetForm } from "@strongroom/vault";
import type { KeyRow, SubjectId } from "@strongroom/vault";
import { memoryKeyStore } from "@strongroom/vault/memory";
import { envelopeFailure } from "../../src/envelope-failure.ts";
import { rejectsWith } from "../support/errors.ts";
import { QUICK_KEYRING, regionalKeys, REGIONS } from "../support/regional-vault.ts";
import type { Region, RegionalKeys } from "../support/regional-vault.ts";
import { byName, opened, sealed, testKeys, VAULT } from "../support/subject-keys.ts";

/** The client of a region that opens everything to another key, where `lies` says so. */
function lyingClient(client: KmsClient, lies: () => boolean): KmsClient {
  return {
    generateDataKey: (input, options) => client.generateDataKey(input, options),
    encrypt: (input, options) => client.encrypt(input, options),
    decrypt: async (input, options) => {
      const answer = await client.decrypt(input, options);
      return lies() ? { ...answer, Plaintext: randomBytes(32) } : answer;
    },
    describeKey: (input, options) => client.describeKey(input, options),
  };
}

function keyringOver({ keys }: RegionalKeys, lies: (region: Region) => boolean): MultiRegionKeyring {
  const regions = keys.map((key) => ({ ...key, client: lyingClient(key.client, () => lies(key.region)) }));
  return multiRegionKeyring({ regions, minimum: 2, proveWraps: "off", ...QUICK_KEYRING });
}

interface Setup {
  readonly regional: RegionalKeys;
  readonly store: ReturnType<typeof memoryKeyStore>;
  readonly message: Uint8Array;
  readonly ada: SubjectId;
  readonly row: () => Promise<KeyRow>;
}

async function setup(t: TestContext): Promise<Setup> {
  const [regional, store] = [await regionalKeys(t), memoryKeyStore()];
  const { sealer } = testKeys(t, { store, keyring: keyringOver(regional, () => false) });
  const made = await sealer(byName("subject", "ada"));
  const ada = made.subject as string as SubjectId;
  const row = async (): Promise<KeyRow> => (await store.keys.active([{ kind: "subject", owner: ada }]))[0]!.key!;
  return { regional, store, message: await sealed(made), ada, row };
}

test("each wrap of a person's key is under the context of a branch key, with its own ARN", async (t) => {
  const { regional, row, ada } = await setup(t);
  const { wraps, version, createdAt, wrapSet } = await row();
  assert.deepEqual([wraps.length, wrapSet?.target, wrapSet?.missing], [3, 3, []]);
  for (const { keyArn, client } of regional.keys) {
    const { ciphertext } = wraps.find(({ info }) => Buffer.from(info).toString() === keyArn)!;
    const EncryptionContext = {
      "branch-key-id": ada,
      type: `branch:version:${version}`,
      "create-time": createdAt,
      tablename: `strongroom/${VAULT}`,
      "hierarchy-version": "1",
      "kms-arn": keyArn,
    };
    const { Plaintext } = await client.decrypt({ KeyId: keyArn, CiphertextBlob: ciphertext, EncryptionContext });
    assert.equal(Plaintext?.length, 32);
  }
});

test("the next region is asked, the liar rests, and its wrap is owed", async (t) => {
  const { regional, store, message, row, ada } = await setup(t);
  const liar = REGIONS[0];
  const keyring = keyringOver(regional, (region) => region === liar);
  const { keys, sealer } = testKeys(t, { store, keyring });
  assert.equal(await opened(keys, message), "a document");
  const { wraps, wrapSet } = await row();
  const keyArn = regional.keys.find(({ region }) => region === liar)!.keyArn;
  assert.deepEqual(wrapSet?.missing, [{ region: liar, keyArn, reason: "wrong-data-key" }]);
  assert.deepEqual([wraps.length, wrapSet.wraps.length, wrapSet.target], [2, 2, 3]);
  assert.ok(wraps.every(({ info }) => Buffer.from(info).toString() !== keyArn));
  assert.equal(keyring.health().find(({ region }) => region === liar)?.breaker.quarantined, true);
  const [known] = await keys.wrapSets([ada]);
  const { wrapSet: told } = await sealer(byName("subject", "ada"));
  assert.deepEqual([wrapSetForm(known!), wrapSetForm(told!)], [wrapSetForm(wrapSet), wrapSetForm(wrapSet)]);
  // Under what is left it opens, for everybody.
  const again = testKeys(t, { store, keyring: keyringOver(regional, () => false) });
  assert.equal(await opened(again.keys, message), "a document");
});

test("where all lie nothing is used, and the row stays; where none answers, that is told", async (t) => {
  const { regional, store, message, row } = await setup(t);
  const before = await row();
  const lying = testKeys(t, { store, keyring: keyringOver(regional, () => true) });
  await rejectsWith("subject-key-tampered", () => lying.keys.sealers([byName("subject", "ada")], undefined));
  const read = await opened(lying.keys, message).catch((error: unknown) => envelopeFailure(error).code);
  assert.equal(read, "subject-key-tampered");
  assert.deepEqual(await row(), before);
  for (const region of REGIONS) await regional.kms.stopRegion(region);
  const { keys } = testKeys(t, { store, keyring: keyringOver(regional, () => false) });
  const lost = await opened(keys, message).catch((error: unknown) => envelopeFailure(error).code);
  assert.equal(lost, "regions-unavailable");
  await rejectsWith("regions-unavailable", () => keys.sealers([byName("subject", "ada")], undefined));
});
