/**
 * Part of a key store's contract: keys and names read back as they were made, byte for byte, to everyone and for good.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { MAX_CREATIONS, MAX_KEY_WRAPS, MAX_WRAP_BYTES } from "../stores/key-limits.ts";
import { KEY_KINDS } from "../stores/key-store.ts";
import type { KeyStore, KeyVersion } from "../stores/key-store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { MAX_SEALED_BYTES } from "../stores/unit-people.ts";
import { day, leaseOf, rejects, wrapSet } from "./changes.ts";
import type { Contract } from "./contract.ts";
import {
  columns,
  keyOf,
  keyOnly,
  keyRewrapOf,
  makeKeys,
  nameColumns,
  nameOf,
  newcomer,
  newKey,
} from "./key-changes.ts";
import { newKeyVersion, newName, newWrap, vaultKey, whole } from "./key-changes.ts";
import { newPeople, newPerson } from "./people.ts";

/** Apart by every byte, and some that look like something else. */
const OWNERS = [
  "a",
  "A",
  "a ",
  " a",
  "ａ",
  "á",
  "%",
  "_",
  "'; drop table keys; --",
  "\u{1f511}",
  "\u{10ffff}",
  "x".repeat(256),
];

export function keysContract(contract: Contract<KeyStore>): void {
  contract("an empty key store has nothing", async ({ store }) => {
    const { keys, inventory, jobs } = store;
    const id = newPerson();
    assert.deepEqual(await keys.resolve([randomBytes(32), randomBytes(32)]), [null, null]);
    assert.deepEqual(await keys.names([id]), [null]);
    assert.deepEqual(await keys.active([vaultKey("lookup"), { kind: "subject", owner: id }]), [
      { key: null },
      { key: null },
    ]);
    assert.deepEqual(await keys.version("vault", newKeyVersion()), { key: null });
    assert.deepEqual(await keys.versions(vaultKey("names")), []);
    assert.deepEqual(await keys.erased([id]), [false]);
    assert.deepEqual(await keys.people({ after: null, limit: 9 }), []);
    assert.deepEqual(await keys.counts(), Object.fromEntries(KEY_KINDS.map((kind) => [kind, 0])));
    assert.deepEqual([await inventory.sets(), await jobs.list()], [[], []]);
    await store.requireRoom();
    await store.ping();
  });

  contract("of no items there is no answer, and no failure", async ({ store: { keys, inventory } }) => {
    assert.deepEqual(await keys.resolve([]), []);
    assert.deepEqual(await keys.names([]), []);
    assert.deepEqual(await keys.active([]), []);
    assert.deepEqual(await keys.create([]), []);
    assert.deepEqual(await keys.erased([]), []);
    await keys.erase([], day(1));
    assert.deepEqual(await inventory.counts([], 10), []);
    assert.deepEqual(await inventory.list({ sets: [], after: null, limit: 10 }), []);
  });

  contract("a person and a key read back as they were made, byte for byte, in every store", async (given) => {
    const { store, another } = given;
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    const odd = newWrap({
      provider: "strongroom-tenant 🔐'",
      info: Buffer.from([0, 255, 128, 0]),
      ciphertext: Buffer.from([0]),
    });
    const widest = newWrap({ info: Buffer.alloc(0), ciphertext: randomBytes(MAX_WRAP_BYTES) });
    const made = [
      { ...newcomer(ada, { wraps: [odd, newWrap()], wrapSet: wrapSet(["k"], ["l", "m"]) }) },
      {
        ...newcomer(ben, {
          generation: 0,
          createdAt: day(9),
          wraps: Array.from({ length: MAX_KEY_WRAPS }, () => widest),
        }),
        name: newName(ben, { sealed: randomBytes(MAX_SEALED_BYTES), tag: Buffer.alloc(32) }),
      },
    ];
    await makeKeys(store, ...made);
    for (const { keys } of [store, await another()]) {
      assert.deepEqual(await keys.resolve([made[1]!.name.tag, randomBytes(32), made[0]!.name.tag]), [ben, null, ada]);
      assert.deepEqual(
        (await keys.names([ben, newPerson(), ada])).map(nameColumns),
        [made[1]!.name, null, made[0]!.name].map(nameColumns),
      );
      for (const { key } of made) {
        assert.deepEqual(columns(whole(await keys.version(key.owner, key.version))), columns(key));
        assert.deepEqual((await keys.versions(nameOf(key))).map(whole).map(columns), [columns(key)]);
      }
    }
  });

  contract("what callers do with their bytes afterwards changes nothing that is stored", async ({ store }) => {
    const creation = newcomer();
    const { name, key } = creation;
    const expected = [nameColumns(name), columns(key)];
    const tag = Buffer.from(name.tag);
    const making = store.keys.create([creation]);
    for (const bytes of [
      name.tag,
      name.sealed,
      key.check,
      ...key.wraps.flatMap((wrap) => [wrap.info, wrap.ciphertext]),
    ])
      bytes.fill(0);
    assert.deepEqual(await making, [{ kind: "made" }]);
    const read = async (): Promise<readonly unknown[]> => {
      const [found] = await store.keys.names([name.id]);
      const row = await keyOf(store, key);
      const told = [nameColumns(found!), columns(row)];
      for (const bytes of [found!.tag, found!.sealed, row.check, row.wraps[0]!.info, row.wraps[0]!.ciphertext])
        bytes.fill(0);
      return told;
    };
    assert.deepEqual([await read(), await read()], [expected, expected]);
    assert.deepEqual(await store.keys.resolve([tag]), [name.id]);
  });

  contract("the active version is that of the highest ordinal, in whatever order they came", async ({ store }) => {
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    const keys = [2, 10, 1, 9].map((ordinal) => newKey(ada, { ordinal, createdAt: day(20 - ordinal) }));
    await makeKeys(store, newcomer(ben), ...keys.map((key) => keyOnly(key)));
    const name = { kind: "subject", owner: ada } as const;
    const names = [name, { kind: "tenant-subject", owner: ada }, { kind: "subject", owner: ben }, name] as const;
    const active = (await store.keys.active(names)).map(({ key }) => key?.ordinal);
    assert.deepEqual(active, [10, undefined, 1, 10]);
    assert.deepEqual(
      (await store.keys.versions(name)).map(({ key }) => key?.ordinal),
      [10, 9, 2, 1],
    );
    for (const key of keys) {
      assert.deepEqual(columns(await keyOf(store, key)), columns(key));
      assert.deepEqual(await store.keys.version(ben, key.version), { key: null }, "it is its owner's only");
    }
  });

  contract("kinds and owners are apart, by every byte of them", async ({ store }) => {
    const keys = [
      ...OWNERS.map((owner) => newKey(owner, { kind: "tenant" })),
      ...KEY_KINDS.map((kind) => newKey("vault", { kind })),
    ];
    await makeKeys(store, ...keys.map((key) => keyOnly(key)));
    const found = (await store.keys.active(keys.map(nameOf))).map(({ key }) => key?.version);
    assert.deepEqual(
      found,
      keys.map(({ version }) => version),
    );
    for (const key of keys) assert.equal((await keyOf(store, key)).kind, key.kind);
    const none = [
      { kind: "audit", owner: "a" },
      { kind: "tenant", owner: "x".repeat(255) },
    ] as const;
    assert.deepEqual(await store.keys.active(none), [{ key: null }, { key: null }]);
    assert.deepEqual(await store.keys.version("a", "x" as KeyVersion).catch(() => ({ key: null })), {
      key: null,
    });
  });

  contract("no more than 1,000 versions of a key are told, the newest", async ({ store }) => {
    const keys = Array.from({ length: 1003 }, (_, index) =>
      keyOnly(newKey("vault", { kind: "index", ordinal: index + 1 })),
    );
    for (let from = 0; from < keys.length; from += MAX_CREATIONS)
      await store.keys.create(keys.slice(from, from + MAX_CREATIONS));
    const ordinals = (await store.keys.versions(vaultKey("index"))).map(({ key }) => key?.ordinal);
    assert.deepEqual([ordinals.length, ordinals[0], ordinals.at(-1)], [1000, 1003, 4]);
  });

  contract("people are listed in their order, page by page, with a name or a key", async ({ store }) => {
    const people = newPeople(7);
    const [named, keyed] = [people[2]!, people[5]!];
    for (const id of people.toReversed()) {
      const { epoch, name, key } = newcomer(id);
      await makeKeys(store, { epoch, name: id === keyed ? null : name, key: id === named ? null : key });
      await makeKeys(store, keyOnly(newKey(id, { kind: "tenant-subject" })));
    }
    await makeKeys(
      store,
      keyOnly(newKey("vault", { kind: "lookup" })),
      keyOnly(newKey("0-tenant", { kind: "tenant" })),
    );
    for (const limit of [1, 3, 7, 8]) {
      const found: SubjectId[] = [];
      for (let page: readonly SubjectId[] = people; page.length > 0;) {
        page = await store.keys.people({ after: found.at(-1) ?? null, limit });
        assert.ok(page.length <= limit && found.length <= 7);
        found.push(...page);
      }
      assert.deepEqual(found, people, `pages of ${limit}`);
    }
    const counts = await store.keys.counts();
    assert.deepEqual(
      [counts.subject, counts["tenant-subject"], counts.lookup, counts.tenant, counts.index],
      [6, 7, 1, 1, 0],
    );
  });

  contract("a closed key store says so, however often it is closed", async ({ store }) => {
    const creation = newcomer();
    await makeKeys(store, creation);
    const [rewrap, lease] = [await keyRewrapOf(store, creation.key), await leaseOf(store)];
    await store.close();
    await store.close();
    const { keys, gate, inventory, jobs } = store;
    const calls: readonly (() => Promise<unknown>)[] = [
      () => store.ping(),
      () => store.requireRoom(),
      () => keys.resolve([creation.name.tag]),
      () => keys.names([creation.name.id]),
      () => keys.active([nameOf(creation.key)]),
      () => keys.version(creation.key.owner, creation.key.version),
      () => keys.versions(nameOf(creation.key)),
      () => keys.create([newcomer()]),
      () => keys.erase([creation.name.id], day(1)),
      () => keys.erased([creation.name.id]),
      () => keys.people({ after: null, limit: 9 }),
      () => keys.counts(),
      () => gate.current(),
      () => gate.bind(randomUUID()),
      () => inventory.sets(),
      () => inventory.rewrap(rewrap),
      () => inventory.fail(lease, rewrap.place, { code: "regions-unavailable", at: day(1), waitMs: 1 }),
      () => jobs.list(),
    ];
    for (const call of calls) await rejects("store-closed", call);
  });

  contract("closing lets what is under way end, wherever it has come to", async ({ another, rounds, store }) => {
    await store.requireRoom();
    for (let ticks = 0; ticks < 40 * rounds; ticks += 4) {
      const closing = await another();
      const creation = newcomer();
      const [made, read] = [closing.keys.create([creation]), closing.keys.names([creation.name.id])];
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      await Promise.all([closing.close(), closing.close()]);
      assert.deepEqual(await made, [{ kind: "made" }]);
      await read;
      assert.deepEqual(await store.keys.resolve([creation.name.tag]), [creation.name.id], "what is made is there");
    }
  });
}
