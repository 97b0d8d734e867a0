/**
 * A region whose wraps do not open, over a real KMS: what it owes is recorded by the write that it lied to, not taken
 * from it by a repair while it lies, and paid when it tells the truth.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KmsClient, MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { QUICK_KEYRING, QUICK_REPAIR, regionalKeys, until } from "../support/regional-vault.ts";
import type { Region } from "../support/regional-vault.ts";
import { testVault } from "../support/vault.ts";
import type { TestVault } from "../support/vault.ts";

const LIAR: Region = "eu-west-2";
const address = { collection: "people", id: "ada" };

/** The client of a region that wraps other bytes than it was given while `lying` says so. */
function lyingClient(client: KmsClient, lying: () => boolean): KmsClient {
  return {
    generateDataKey: (input, options) => client.generateDataKey(input, options),
    encrypt: (input, options) =>
      client.encrypt(lying() ? { ...input, Plaintext: Buffer.alloc(input.Plaintext.length, 7) } : input, options),
    decrypt: (input, options) => client.decrypt(input, options),
    describeKey: (input, options) => client.describeKey(input, options),
  };
}

async function vaultWithLiar(
  t: TestContext,
): Promise<TestVault & { readonly keyring: MultiRegionKeyring; tellTheTruth: () => void }> {
  let lies = true;
  const { keys } = await regionalKeys(t);
  const regions = keys.map((key) =>
    key.region === LIAR ? { ...key, client: lyingClient(key.client, () => lies) } : key,
  );
  const keyring = multiRegionKeyring({ regions, minimum: 2, proveWraps: "all", ...QUICK_KEYRING });
  const repair = { ...QUICK_REPAIR, health: () => keyring.health() };
  return {
    ...(await testVault(t, { keyring, repair })),
    keyring,
    tellTheTruth: () => {
      lies = false;
    },
  };
}

test("its wraps are owed and not made good by another lie; then they are paid", async (t) => {
  const { vault, keyring, tellTheTruth } = await vaultWithLiar(t);
  const written = await vault.put(address, { name: "Ada" });
  assert.deepEqual(written.wraps.missing, [LIAR]);
  await until(() => vault.repairStatus().failed >= 2);
  const liar = keyring.health().find(({ region }) => region === LIAR);
  assert.deepEqual([liar?.breaker.quarantined, liar?.alarm?.kind], [true, "wrap-does-not-open"]);
  assert.equal((await vault.wrapDebt()).items, 1);
  assert.deepEqual(
    (await vault.history(address)).map(({ wraps }) => wraps.stored),
    [2],
  );
  assert.deepEqual((await vault.get(address)).document, { name: "Ada" });
  tellTheTruth();
  await until(async () => (await vault.wrapDebt()).items === 0);
  assert.deepEqual(
    (await vault.history(address)).map(({ wraps }) => wraps.stored),
    [3],
  );
  // A call that began while it lied may end after the debt is paid, and accuse it once more: the next ones clear it.
  await until(async () => {
    await vault.put(address, { name: "Ada" });
    return keyring.health().find(({ region }) => region === LIAR)?.breaker.quarantined === false;
  });
});
