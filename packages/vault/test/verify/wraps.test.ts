/**
 * Wraps that do not open beside others that do: found where each is opened, made owed when that is asked for, and paid
 * by the repair.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { QUICK_REPAIR, owesNothing, until } from "../support/regional-vault.ts";
import { COLLECTIONS, filledVault, threeKeys } from "./support.ts";

test("a region's key is another one by now: its wraps are found, made owed and paid", async (t) => {
  const first = randomBytes(32);
  const { another } = await filledVault(t, { keyring: threeKeys(first) });
  const now = await another({ collections: COLLECTIONS, keyring: threeKeys(first) });
  assert.equal((await now.verify()).verdict, "whole", "each key opens by another wrap");
  const found = await now.verify({ regions: "each" });
  assert.deepEqual(Object.keys(found.problems), ["wrap-does-not-open"]);
  const wrong = found.problems["wrap-does-not-open"]!;
  assert.ok(found.findings.some(({ place }) => place.kind === "record" && place.collection === "cards"));
  assert.ok(found.findings.some(({ place }) => place.kind === "key"));
  assert.deepEqual([found.owed, (await now.wrapDebt()).items], [0, 0], "nothing was changed");
  const owed = await now.verify({ regions: "each", repairWraps: true });
  assert.deepEqual([owed.problems["wrap-does-not-open"], owed.owed], [wrong, wrong]);
  assert.equal((await now.wrapDebt()).items, wrong);
});

test("what was made owed is paid by the repair, and nothing is found any more", async (t) => {
  const [first, third] = [randomBytes(32), randomBytes(32)];
  const { another } = await filledVault(t, { keyring: threeKeys(first) });
  const collections = COLLECTIONS;
  const now = await another({ collections, keyring: threeKeys(first, third), repair: QUICK_REPAIR });
  await now.verify({ regions: "each", repairWraps: true });
  await until(owesNothing(now));
  const after = await another({ collections, keyring: threeKeys(first, third) });
  const report = await after.verify({ regions: "each" });
  assert.deepEqual([report.verdict, report.findings], ["whole", []]);
});
