/**
 * What whoever writes to the key store can make of names and of the vault's own keys; and answers of it that are lost or
 * come at different moments.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openVault, VaultError } from "@strongroom/vault";
import type { KeyName, KeyRead, KeyRows, SubjectId } from "@strongroom/vault";
import { memoryKeyStore, MemoryKeyStorage, memoryStore, MemoryStorage } from "@strongroom/vault/memory";
import { bindStores } from "../../src/keys/pair.ts";
import { rejectsWith } from "../support/errors.ts";
import { keyedVault } from "../support/keyed-vault.ts";
import { overlaid } from "../support/store-with.ts";
import { aboutNobody, byName, opened, sealed, testKeys } from "../support/subject-keys.ts";
import { aesKeyring } from "../support/vault.ts";

const AT = "2026-11-27T20:00:00.000Z";

describe("a name's hash that was changed in its row", () => {
  test("is noticed with the next look at the name", async (t) => {
    const storage = new MemoryKeyStorage();
    const id = (await testKeys(t, { storage }).sealer(byName("subject", "ada"))).subject as string as SubjectId;
    const rows = (inner: KeyRows): Partial<KeyRows> => ({
      resolve: async (tags) => tags.map(() => null),
      names: async (ids) =>
        (await inner.names(ids)).map((row) => (row === null ? null : { ...row, tag: randomBytes(32) })),
    });
    const { keys } = testKeys(t, { storage, rows });
    await rejectsWith("subject-key-tampered", () => keys.nameOf(id, undefined));
  });

  test("does not restrict somebody else in silence while the records stay open", async (t) => {
    const records = await keyedVault(t);
    const at = { collection: "people", id: "1" };
    await records.vault.put(at, { n: 1 }, { subject: "ada" });
    const real = await records.storage.openKeys();
    // As if the hash in the row were another one: nobody is found by the name, and the row is there.
    let isNew: readonly (SubjectId | null)[] = [];
    const store = overlaid(real, {
      keys: overlaid(real.keys, {
        resolve: async (tags) => (isNew.length > 0 ? isNew : tags.map(() => null)),
        names: async (ids) =>
          (await real.keys.names(ids)).map((row) => (row === null ? null : { ...row, tag: randomBytes(32) })),
        create: async (creations) => {
          const made = creations.map(({ name, ...others }) => ({
            ...others,
            name: name === null ? null : { ...name, tag: randomBytes(32) },
          }));
          isNew = made.map(({ name }) => name?.id ?? null);
          return real.keys.create(made);
        },
      }),
    });
    const other = await records.another({ keys: { store } });
    await other.subjects.restrict("ada");
    await rejectsWith("subject-key-tampered", () => other.get(at));
  });
});

test("regions that a row of the key store says are owed are cut and escaped in answers", async (t) => {
  const records = await keyedVault(t);
  const at = { collection: "people", id: "1" };
  await records.vault.put(at, { n: 1 }, { subject: "ada" });
  const real = await records.storage.openKeys();
  const hostile = { keyArn: "arn", region: `\u001b]52;c;AAAA\u0007\u202e${"x".repeat(10_000)}`, reason: "none" };
  const changed = ({ key, ...others }: KeyRead): KeyRead => ({
    ...others,
    key: key === null ? null : { ...key, wrapSet: { wraps: [], target: 1, missing: [hostile] } },
  });
  const rows: Partial<KeyRows> = {
    active: async (names) => (await real.keys.active(names)).map(changed),
    version: async (owner, version) => changed(await real.keys.version(owner, version)),
  };
  const store = overlaid(real, { keys: overlaid(real.keys, rows) });
  const other = await records.another({ keys: { store } });
  const { wraps } = await other.put(at, { n: 2 }, { subject: "ada" });
  assert.equal(wraps.missing.length, 1);
  assert.match(wraps.missing.join(), /^[\x20-\x7e]{1,1000}$/);
});

describe("of a vault that is about nobody", () => {
  test("a lost key is not made anew: ids would hash to others, and records be written twice", async (t) => {
    const storage = new MemoryKeyStorage();
    const { sealer, keys } = testKeys(t, { storage });
    await sealer(aboutNobody("subject", "prices"));
    await keys.rowIds("prices" as never, ["a" as never], undefined);
    const rows = (inner: KeyRows): Partial<KeyRows> => ({
      active: async (names) =>
        (await inner.active(names)).map((read, index) => (names[index]?.kind === "names" ? { key: null } : read)),
    });
    const without = testKeys(t, { storage, rows });
    await rejectsWith("key-store-behind", () => without.keys.rowIds("prices" as never, ["a" as never], undefined));
  });
});

describe("a creation whose end nobody knows", () => {
  for (const isMade of [true, false])
    test(`of the vault's or a tenant's own keys is looked for (${isMade ? "it was made" : "it was not"})`, async (t) => {
      const lost = (inner: KeyRows): Partial<KeyRows> => {
        const failed = new Set<string>();
        return {
          create: async (creations) => {
            const kinds = creations.map(({ key }) => key?.kind).join();
            if (failed.has(kinds)) return inner.create(creations);
            failed.add(kinds);
            if (isMade) await inner.create(creations);
            throw new VaultError("outcome-unknown", "the connection broke");
          },
        };
      };
      const { keys, sealer, store } = testKeys(t, { rows: lost });
      const ada = await sealer(byName("tenant", "ada"));
      assert.equal(await opened(keys, await sealed(ada)), "a document");
      const { lookup, names, tenant, ...others } = await store.keys.counts();
      assert.deepEqual([lookup, names, tenant, others["tenant-subject"]], [1, 1, 1, 1]);
    });

  test("of a renewed key is looked for, and it is renewed once", async (t) => {
    for (const isMade of [true, false]) {
      let failures = 0;
      const rows = (inner: KeyRows): Partial<KeyRows> => ({
        create: async (creations) => {
          if (failures-- <= 0) return inner.create(creations);
          if (isMade) await inner.create(creations);
          throw new VaultError("outcome-unknown", "the connection broke");
        },
      });
      const { keys, sealer, store } = testKeys(t, { rows });
      const id = (await sealer(byName("subject", "ada"))).subject as string as SubjectId;
      failures = 1;
      await keys.renew(id, "subject", undefined);
      const versions = await store.keys.versions({ kind: "subject", owner: id });
      assert.deepEqual(
        versions.map(({ key }) => key?.ordinal),
        [2, 1],
      );
      assert.equal((await sealer(byName("subject", "ada"))).subjects[0]?.ordinal, 2);
    }
  });
});

for (const first of ["names", "active", "erased"] as const)
  test(`who is erased behind the question for ${first} and before the others makes no key store behind`, async () => {
    const [records, keys] = [new MemoryStorage(), new MemoryKeyStorage()];
    const vault = await openVault({
      store: memoryStore({ storage: records }),
      keyring: aesKeyring(),
      keys: { store: memoryKeyStore({ storage: keys }) },
    });
    await vault.put({ collection: "people", id: "1" }, {}, { subject: "ada" });
    await vault.close();
    const [store, real] = [memoryStore({ storage: records }), memoryKeyStore({ storage: keys })];
    const people = (await store.subjects.newest(16)).map(({ id }) => id);
    const erased = Promise.withResolvers<undefined>();
    const slow =
      <Given, Answer>(name: string, ask: (given: Given) => Promise<Answer>) =>
      async (given: Given): Promise<Answer> => {
        if (name !== first) await Promise.race([erased.promise, delay(100)]);
        const answer = await ask(given);
        if (name === first) {
          await real.keys.erase(people, AT);
          erased.resolve(undefined);
        }
        return answer;
      };
    const rows = {
      names: slow("names", (ids: readonly SubjectId[]) => real.keys.names(ids)),
      active: slow("active", (names: readonly KeyName[]) => real.keys.active(names)),
      erased: slow("erased", (ids: readonly SubjectId[]) => real.keys.erased(ids)),
    };
    await bindStores(store, overlaid(real, { keys: overlaid(real.keys, rows) }));
    assert.deepEqual(await real.keys.names(people), [null]);
  });
