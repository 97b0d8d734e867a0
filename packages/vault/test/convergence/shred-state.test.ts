/** What is said of wrapping keys of generations that were left: nothing is over before the last of them is gone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { isVaultError, keySetDigest, openVault } from "@strongroom/vault";
import type { AskedWrappingKey, KeyStore, ShredState, Vault } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { QUICK_RUN, testKeySet, untilRun } from "../support/converging.ts";
import { memoryStorage } from "../support/storage.ts";

type Told = Pick<AskedWrappingKey, "state" | "deletionAt">;

const GONE: Told = { state: "gone-proven", deletionAt: null };

async function withGenerations(
  t: TestContext,
  repair: "repairs" | "looks",
): Promise<{ readonly vault: Vault; readonly keyStore: KeyStore; readonly flip: () => Promise<void> }> {
  const storage = memoryStorage();
  const [records, one, two] = [testKeySet("records"), testKeySet("one"), testKeySet("two")];
  const vault = await openVault({
    ...{ store: await storage.open(), keyring: records.keyring, keySet: records.keySet },
    ...(repair === "repairs" ? { repair: QUICK_RUN } : {}),
    keys: {
      ...{ store: await storage.openKeys(), keyring: one.keyring, keySet: one.keySet },
      next: { keyring: two.keyring, keySet: two.keySet, generation: 2 },
    },
  });
  defer(t, () => vault.close());
  const keyStore = await storage.openKeys();
  defer(t, () => keyStore.close());
  await vault.put({ collection: "people", id: "ada" }, { n: 1 });
  const flip = async (): Promise<void> => {
    const { epoch } = await keyStore.gate.current();
    await keyStore.gate.flip({ from: epoch, digest: keySetDigest(two.keySet, 2) });
  };
  return { vault, keyStore, flip };
}

const namesOf = ({ keys }: ShredState): readonly string[] => keys.map(({ key }) => key);

test("what lies under a generation that was left is found, until a run has moved it", async (t) => {
  const { vault, flip } = await withGenerations(t, "looks");
  assert.deepEqual((await vault.convergence.shredProof()).keys, [], "no generation was left");
  await flip();
  const left = await vault.convergence.shredProof();
  assert.deepEqual([left.generation, left.keys, left.items, left.unknown], [2, ["one"], true, false]);
  const moved = await withGenerations(t, "repairs");
  await moved.vault.convergence.apply({ keepOld: true });
  await untilRun(moved.vault, "hold");
  const proof = await moved.vault.convergence.shredProof();
  assert.deepEqual([proof.generation, proof.keys, proof.items, proof.unknown], [2, ["one"], false, false]);
});

test("it is over when each key is gone, whatever the others say, and attested when one is only that", async (t) => {
  const { vault } = await withGenerations(t, "repairs");
  const state = (generation: number, told: Told): Promise<ShredState> =>
    vault.convergence.shredState(generation, () => Promise.resolve(told));
  // The generation in force is not left: its keys may be gone or not.
  const present = await state(1, GONE);
  assert.deepEqual([present.isOver, present.holdsFrom, present.proof], [false, null, null]);
  await vault.convergence.apply({ keepOld: true });
  await untilRun(vault, "hold");
  const over = await state(1, GONE);
  assert.deepEqual([namesOf(over), over.isOver, over.proof], [["one"], true, "proven"]);
  const day = "2027-01-01T00:00:00.000Z";
  const cases: readonly (readonly [Told, boolean, string | null, ShredState["proof"]])[] = [
    [{ state: "gone-attested", deletionAt: day }, true, day, "attested"],
    [{ state: "pending-deletion", deletionAt: day }, false, day, null],
    [{ state: "pending-deletion", deletionAt: null }, false, null, null],
    [{ state: "disabled", deletionAt: null }, false, null, null],
    [{ state: "disabled", deletionAt: day }, false, null, null],
    [{ state: "in-use", deletionAt: null }, false, null, null],
    [{ state: "unknown", deletionAt: day }, false, null, null],
  ];
  for (const [told, isOver, holdsFrom, proof] of cases) {
    const found = await state(1, told);
    assert.deepEqual([found.isOver, found.holdsFrom, found.proof], [isOver, holdsFrom, proof], told.state);
  }
  // What wraps records too is never gone for anybody's sake; and what is in force is not left.
  assert.equal((await state(0, GONE)).isOver, false);
  assert.equal((await state(2, GONE)).isOver, false);
  assert.equal((await state(3, GONE)).isOver, false);
  for (const generation of [-1, 0.5, Number.NaN])
    await assert.rejects(state(generation, GONE), (error: unknown) => isVaultError(error));
});

test("who fails to say what became of a key makes nothing of it", async (t) => {
  const { vault, flip } = await withGenerations(t, "looks");
  await flip();
  await assert.rejects(
    vault.convergence.shredState(1, () => Promise.reject(new Error("away"))),
    /away/,
  );
});
