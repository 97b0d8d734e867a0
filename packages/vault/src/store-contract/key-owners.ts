/**
 * Part of a key store's contract: whose a version of a key is, where nothing but the version is known.
 */
import assert from "node:assert/strict";
import type { KeyStore, KeyVersion } from "../stores/key-store.ts";
import { MAX_VERSIONS } from "../stores/key-limits.ts";
import { rejects } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { keyOnly, makeKeys, nameOf, newcomer, newKey } from "./key-changes.ts";
import { newPerson } from "./people.ts";

export function ownersContract(contract: Contract<KeyStore>): void {
  contract("whose versions are is told in their order, whatever their kind", async ({ store, another }) => {
    const ada = newPerson();
    const keys = [
      newKey(ada),
      newKey(ada, { kind: "audit", owner: `person:${ada}` }),
      newKey("vault", { kind: "audit" }),
      newKey("\u00e9".repeat(128), { kind: "tenant", ordinal: 7 }),
      newKey(ada, { ordinal: 2 }),
    ];
    await makeKeys(store, ...keys.map((key) => keyOnly(key)));
    const { keys: rows } = await another();
    const asked = [...keys.toReversed().map(({ version }) => version), newKey("x").version, keys[0]!.version];
    assert.deepEqual(await rows.owners(asked), [...keys.toReversed().map(nameOf), null, nameOf(keys[0]!)]);
    assert.deepEqual(await rows.owners([]), []);
    await store.keys.erase([ada], "2026-01-01T00:00:00.000Z");
    const left = await rows.owners(keys.map(({ version }) => version));
    assert.deepEqual(
      left.map((name) => name?.owner ?? null),
      [null, `person:${ada}`, "vault", keys[3]!.owner, null],
      "whose keys were destroyed has none; those of the audit are another owner's",
    );
  });

  contract("owners of a thousand versions are told at once, and of more refused", async ({ store }) => {
    const creations = Array.from({ length: MAX_VERSIONS }, () => newcomer());
    await store.keys.create(creations);
    const versions = creations.map(({ key }) => key.version);
    assert.deepEqual(
      await store.keys.owners(versions),
      creations.map(({ key }) => nameOf(key)),
    );
    await rejects("store-failed", () => store.keys.owners([...versions, newKey("x").version]));
    await rejects("store-failed", () => store.keys.owners([versions[0]!, "x" as KeyVersion]));
  });
}
