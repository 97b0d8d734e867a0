/** Owed wraps of a vault with a key store: those of versions in record scope, and those of the keys of people. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "@strongroom/envelope";
import { parseAddress, parseVersion } from "@strongroom/vault";
import { memoryKeyStore } from "@strongroom/vault/memory";
import { parseKeySet } from "../../src/keys/key-set.ts";
import { KeySets } from "../../src/keys/key-sets.ts";
import { repairVersion } from "../../src/convergence/repair-version.ts";
import { keyedVault } from "../support/keyed-vault.ts";
import { owesNothing, QUICK_KEYRING, QUICK_REPAIR, regionalVault, until } from "../support/regional-vault.ts";

test("a version about several people and a person's key get the wraps that they owe, and stay what they were", async (t) => {
  const { vault, store, kms, keyring } = await regionalVault(t, {
    keyring: QUICK_KEYRING,
    repair: QUICK_REPAIR,
    keys: { store: memoryKeyStore() },
    collections: { whole: { scope: "record" } },
  });
  await kms.stopRegion("eu-west-2");
  const whole = { collection: "whole", id: "1" };
  const mine = { collection: "mine", id: "1" };
  const people = { subject: "ada", about: ["bob"] };
  const wraps = [(await vault.put(whole, { n: 1 }, people)).wraps, (await vault.put(mine, { n: 1 }, people)).wraps];
  assert.deepEqual(
    wraps.map(({ stored, target, missing }) => [stored, target, missing]),
    [
      [2, 3, ["eu-west-2"]],
      [2, 3, ["eu-west-2"]],
    ],
    "of the message, and of the person's key",
  );
  const messageOf = async (at: typeof whole) => (await store.records.read(parseAddress(at), null)).stored!.message;
  const [wholeBefore, mineBefore] = [Buffer.from(await messageOf(whole)), Buffer.from(await messageOf(mine))];
  const kinds = new Set((await vault.debts()).items.map(({ kind }) => kind));
  assert.deepEqual([...kinds].sort(), ["key", "version"]);
  await kms.startRegion("eu-west-2");
  await until(async () => (await keyring.probe()).every(({ state }) => state === "up"));
  await until(owesNothing(vault));
  const now = inspect(await messageOf(whole));
  assert.equal(now.encryptedDataKeys.length, 3);
  assert.deepEqual(now.encryptionContext, inspect(wholeBefore).encryptionContext);
  assert.ok(Object.hasOwn(now.encryptionContext, "strongroom:about"));
  assert.deepEqual(Buffer.from(await messageOf(mine)), mineBefore, "no message is touched for a key's wraps");
  for (const at of [whole, mine]) {
    const { document, subject, about } = await vault.get(at);
    assert.deepEqual([document, subject, about], [{ n: 1 }, "ada", ["bob"]]);
  }
  assert.deepEqual((await vault.jobs()).map(({ job }) => job).sort(), ["repair", "repair-keys"]);
});

test("a message that hangs on a person's key is never sealed under the key set, whatever its row says that it owes", async (t) => {
  const { vault, store, keyring, stored } = await keyedVault(t);
  const address = parseAddress({ collection: "people", id: "1" });
  await vault.put(address, { n: 1 });
  const { message } = await stored(address);
  const keys = new KeySets(store.gate, parseKeySet(keyring, undefined), null);
  const { vault: id } = await store.gate.current();
  const dependencies = { store, keys, subjectKeys: { vault: id } as never, clock: () => new Date(), signal: undefined };
  const outcome = await repairVersion(dependencies, { ...address, version: parseVersion(1) }, null);
  assert.deepEqual(outcome, { kind: "settled" });
  assert.deepEqual((await stored(address)).message, message);
});
