// A region that answers another person's key, over a real KMS: nothing is opened or sealed with it, while another region
// tells the truth all goes on, and the wrap is owed.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KmsClient } from "@strongroom/envelope/aws-kms";
import { isVaultError, openVault } from "@strongroom/vault";
import type { Scope, Vault } from "@strongroom/vault";
import { sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { QUICK_KEYRING, regionalKeys, REGIONS } from "../../packages/vault/test/support/regional-vault.ts";
import type { Region } from "../../packages/vault/test/support/regional-vault.ts";
import { defer } from "../support/defer.ts";
import { temporaryFolder } from "../support/faults/folder.ts";

const PEOPLE = ["ada", "grace", "edith"];

/** Regions that lie; none at first. Every key that any region has opened or made is one to lie with. */
class Lies {
  readonly regions = new Set<Region>();
  readonly #seen = new Map<string, Uint8Array>();
  told = 0;

  client(region: Region, client: KmsClient): KmsClient {
    return {
      generateDataKey: async (input, options) => {
        const answer = await client.generateDataKey(input, options);
        this.#remember(input.EncryptionContext, answer.Plaintext);
        return answer;
      },
      encrypt: (input, options) => client.encrypt(input, options),
      describeKey: (input, options) => client.describeKey(input, options),
      decrypt: async (input, options) => {
        const answer = await client.decrypt(input, options);
        const own = this.#remember(input.EncryptionContext, answer.Plaintext);
        if (!this.regions.has(region)) return answer;
        const other = [...this.#seen].find(([name]) => name !== own)?.[1];
        this.told += 1;
        return { ...answer, Plaintext: Uint8Array.from(other!) };
      },
    };
  }

  #remember(context: Readonly<Record<string, string>> = {}, key: Uint8Array | undefined): string {
    const name = JSON.stringify(context["branch-key-id"] ?? context);
    if (key !== undefined && !this.#seen.has(name)) this.#seen.set(name, Uint8Array.from(key));
    return name;
  }
}

async function vaultsWithLies(
  t: TestContext,
  scope: Scope,
): Promise<{
  readonly lies: Lies;
  readonly open: () => Promise<Vault>;
  readonly owed: () => Promise<readonly string[]>;
}> {
  const folder = await temporaryFolder(t);
  const lies = new Lies();
  const { keys } = await regionalKeys(t);
  const regions = keys.map((key) => ({ ...key, client: lies.client(key.region, key.client) }));
  const keyStore = (): ReturnType<typeof sqliteKeyStore> => sqliteKeyStore(join(folder, "keys.sqlite"));
  return {
    lies,
    open: async () => {
      const vault = await openVault({
        store: await sqliteStore(join(folder, "records.sqlite")),
        keyring: multiRegionKeyring({ regions: keys, minimum: 2, ...QUICK_KEYRING }),
        keys: {
          store: await keyStore(),
          scope,
          keyring: multiRegionKeyring({ regions, minimum: 2, ...QUICK_KEYRING }),
        },
      });
      defer(t, () => vault.close());
      return vault;
    },
    owed: async () => {
      const store = await keyStore();
      const known = new Map((await store.inventory.sets()).map(({ id, set }) => [id, set]));
      const counts = await store.inventory.counts([...known.keys()], 100);
      await store.close();
      return counts
        .filter(({ items }) => items > 0)
        .flatMap(({ id }) => (known.get(id)?.missing ?? []).map(({ region, reason }) => `${region} ${reason}`));
    },
  };
}

for (const scope of ["subject", "tenant"] as const) {
  test(`the nearest region answers another key, in ${scope} scope: another is asked, and the wrap is owed`, async (t) => {
    const { lies, open, owed } = await vaultsWithLies(t, scope);
    const writer = await open();
    for (const id of PEOPLE) await writer.put({ collection: "people", id }, { of: id, step: 1 });
    await writer.close();
    assert.deepEqual(await owed(), []);

    lies.regions.add(REGIONS[0]);
    const vault = await open();
    for (const id of PEOPLE) {
      assert.deepEqual((await vault.get({ collection: "people", id })).document, { of: id, step: 1 });
      await vault.put({ collection: "people", id }, { of: id, step: 2 });
      await vault.put({ collection: "orders", id }, { of: id, step: 1 }, { subject: `people/${id}` });
    }
    await vault.close();
    assert.ok(lies.told > 0);
    assert.ok((await owed()).includes(`${REGIONS[0]} wrong-data-key`), `owed: ${(await owed()).join(", ")}`);

    lies.regions.clear();
    const honest = await open();
    for (const id of PEOPLE) {
      assert.deepEqual((await honest.get({ collection: "people", id })).document, { of: id, step: 2 });
      assert.deepEqual((await honest.get({ collection: "orders", id })).document, { of: id, step: 1 });
    }
  });

  test(`every region answers another key, in ${scope} scope: nothing is opened, sealed or stored`, async (t) => {
    const { lies, open } = await vaultsWithLies(t, scope);
    const writer = await open();
    for (const id of PEOPLE) await writer.put({ collection: "people", id }, { of: id, step: 1 });
    await writer.close();

    for (const region of REGIONS) lies.regions.add(region);
    const vault = await open();
    for (const id of PEOPLE) {
      const address = { collection: "people", id };
      for (const work of [() => vault.get(address), () => vault.put(address, { of: id, step: 2 })])
        await assert.rejects(work(), (error: unknown) => isVaultError(error) && REFUSALS.has(error.code));
    }
    await vault.close();

    lies.regions.clear();
    const honest = await open();
    for (const id of PEOPLE) {
      const { document, version } = await honest.get({ collection: "people", id });
      assert.deepEqual([document, version], [{ of: id, step: 1 }, 1]);
    }
  });
}

const REFUSALS: ReadonlySet<string> = new Set(["subject-key-tampered", "regions-unavailable"]);
