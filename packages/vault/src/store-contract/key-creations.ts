/**
 * Part of a key store's contract: a creation is insert-if-absent, made whole or not at all; of those that make the
 * same, one wins and the others are told.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { MAX_CREATIONS, MAX_KEY_WRAPS, MAX_WRAP_BYTES } from "../stores/key-limits.ts";
import type { Creation, KeyKind, KeyStore, KeyVersion, NewKey } from "../stores/key-store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { MAX_SEALED_BYTES } from "../stores/unit-people.ts";
import { EPOCH, epoch, rejects, turn } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { createOne, keyOnly, keysOf, makeKeys, nameOf, newcomer, newKey, newName, newWrap } from "./key-changes.ts";
import { newPeople, newPerson } from "./people.ts";

export function creationsContract(contract: Contract<KeyStore>): void {
  contract("whose name somebody has already is told who, and nothing of it is made", async ({ store, another }) => {
    const other = await another();
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    const first = newcomer(ada);
    await makeKeys(store, first);
    const second = { ...newcomer(ben), name: newName(ben, { tag: first.name.tag }) };
    for (const creation of [second, { ...second, key: null }, first, { ...first, name: newName(ada) }])
      assert.deepEqual(await createOne(other, creation), { kind: "exists", id: ada });
    assert.deepEqual(await store.keys.names([ben]), [null]);
    assert.deepEqual(await store.keys.active([nameOf(second.key)]), [{ key: null }]);
    assert.deepEqual(await store.keys.people({ after: null, limit: 9 }), [ada]);
    assert.equal((await keysOf(store)).length, 1);
    await makeKeys(store, { ...second, name: newName(ben) });
  });

  contract("whose key is there already is told so, and nothing of it is made", async ({ store, another }) => {
    const other = await another();
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    const key = newKey(ada, { ordinal: 3 });
    await makeKeys(store, keyOnly(key), keyOnly(newKey(ben, { ordinal: 3, version: key.version })));
    const taken = [
      newKey(ada, { ordinal: 3 }),
      newKey(ada, { ordinal: 4, version: key.version }),
      newKey(ada, { ordinal: 3, kind: "tenant-subject", version: key.version }),
      key,
    ];
    for (const again of taken)
      for (const name of [null, newName(ada)])
        assert.deepEqual(await createOne(other, { epoch: EPOCH.first, name, key: again }), {
          kind: "exists",
          id: null,
        });
    assert.deepEqual(await store.keys.names([ada]), [null], "nor the name that it came with");
    await makeKeys(
      store,
      keyOnly(newKey(ada, { ordinal: 4 })),
      keyOnly(newKey(ada, { ordinal: 3, kind: "tenant-subject" })),
    );
    await makeKeys(store, { epoch: EPOCH.none, name: newName(ada), key: null });
  });

  contract("each creation is made for itself, answered in its place, and finds those before it", async ({ store }) => {
    const [ada, ben, cy, di] = newPeople(4) as [SubjectId, SubjectId, SubjectId, SubjectId];
    const gone = newPerson();
    await store.keys.erase([gone], "2026-01-01T00:00:00.000Z");
    const first = newcomer(ada);
    const results = await store.keys.create([
      first,
      { ...newcomer(ben), name: newName(ben, { tag: first.name.tag }) },
      newcomer(gone),
      keyOnly(newKey(ada)),
      keyOnly(newKey(cy), epoch(7)),
      keyOnly(newKey(ada, { ordinal: 2 })),
      { epoch: epoch(7), name: newName(di), key: null },
      keyOnly(newKey("vault", { kind: "lookup" })),
      keyOnly(newKey("vault", { kind: "lookup" })),
    ]);
    assert.deepEqual(results, [
      { kind: "made" },
      { kind: "exists", id: ada },
      { kind: "erased" },
      { kind: "exists", id: null },
      { kind: "gate-moved", epoch: 1 },
      { kind: "made" },
      { kind: "made" },
      { kind: "made" },
      { kind: "exists", id: null },
    ]);
    assert.deepEqual(await store.keys.people({ after: null, limit: 9 }), [ada, di].sort());
    assert.equal((await keysOf(store)).length, 3);
  });

  contract("1,000 creations are made at once, and more are refused", async ({ store, another }) => {
    const creations = Array.from({ length: MAX_CREATIONS }, () => newcomer());
    await rejects("store-failed", () => store.keys.create([...creations, newcomer()]));
    assert.deepEqual(await store.keys.people({ after: null, limit: 9 }), []);
    const results = await store.keys.create(creations);
    assert.ok(results.length === MAX_CREATIONS && results.every(({ kind }) => kind === "made"));
    const { keys } = await another();
    assert.deepEqual(
      await keys.resolve(creations.map(({ name }) => name.tag)),
      creations.map(({ name }) => name.id),
    );
    const active = await keys.active(creations.map(({ key }) => nameOf(key)));
    assert.deepEqual(
      active.map(({ key }) => key?.version),
      creations.map(({ key }) => key.version),
    );
    const names = await keys.names(creations.map(({ name }) => name.id));
    assert.ok(names.every((name, index) => name?.id === creations[index]!.name.id));
    const again = await store.keys.create(creations);
    assert.deepEqual(
      again,
      creations.map(({ name }) => ({ kind: "exists", id: name.id })),
    );
  });

  contract("of those that make one person at once one wins, and all are told whom", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another()];
    for (let round = 0; round < 5 * rounds; round++) {
      const tag = randomBytes(32);
      const creations = Array.from({ length: 16 }, () => {
        const creation = newcomer();
        return { ...creation, name: { ...creation.name, tag } };
      });
      const results = await Promise.all(creations.map((creation, index) => createOne(stores[index % 2]!, creation)));
      const made = results.flatMap(({ kind }, index) => (kind === "made" ? [creations[index]!] : []));
      assert.equal(made.length, 1);
      const { id } = made[0]!.name;
      for (const result of results) if (result.kind !== "made") assert.deepEqual(result, { kind: "exists", id });
      assert.deepEqual(await store.keys.resolve([tag]), [id]);
      assert.equal((await store.keys.people({ after: null, limit: 99 })).length, round + 1, "nothing of the losers");
    }
  });

  contract("of those that make one version of a key at once one wins, and its key is the active one", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another()];
    for (let ordinal = 1; ordinal <= 5 * rounds; ordinal++) {
      const keys = Array.from({ length: 16 }, () => newKey("vault", { kind: "names", ordinal }));
      const results = await Promise.all(keys.map((key, index) => createOne(stores[index % 2]!, keyOnly(key))));
      const made = results.flatMap(({ kind }, index) => (kind === "made" ? [keys[index]!.version] : []));
      assert.equal(made.length, 1);
      const [active] = await store.keys.active([{ kind: "names", owner: "vault" }]);
      assert.equal(active?.key?.version, made[0]);
      assert.equal((await store.keys.versions({ kind: "names", owner: "vault" })).length, ordinal);
    }
  });

  contract("many that make the same people in whatever order never stop one another", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another()];
    for (let round = 0; round < 5 * rounds; round++) {
      const tags = Array.from({ length: 20 }, () => randomBytes(32));
      const owners = newPeople(20);
      const results = await Promise.all(
        Array.from({ length: 6 }, async (_, writer) => {
          const people = tags.map((tag) => ({ ...newcomer(), name: newName(newPerson(), { tag }) }));
          const creations: Creation[] = people.map((one) => ({ ...one, key: newKey(one.name.id) }));
          creations.push(...owners.map((owner) => keyOnly(newKey(owner))));
          const inTurn = await stores[writer % 2]!.keys.create(writer % 3 === 0 ? creations : creations.toReversed());
          return writer % 3 === 0 ? inTurn : inTurn.toReversed();
        }),
      );
      const ids = await store.keys.resolve(tags);
      for (let index = 0; index < 40; index++) {
        const told = results.map((result) => result[index]!);
        assert.equal(told.filter(({ kind }) => kind === "made").length, 1);
        for (const result of told)
          if (result.kind !== "made") assert.deepEqual(result, { kind: "exists", id: ids[index] ?? null });
      }
    }
  });
}

export function keyGateContract(contract: Contract<KeyStore>): void {
  contract("where more than one thing is in the way, the first of one order is told", async ({ store }) => {
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    const [first, second] = [newcomer(ada), newcomer(ben)];
    await makeKeys(store, first, second);
    await store.keys.erase([ada], "2026-01-01T00:00:00.000Z");
    const both = { ...first, name: newName(ada, { tag: second.name.tag }) };
    assert.deepEqual(await createOne(store, { ...both, epoch: EPOCH.none }), { kind: "gate-moved", epoch: 1 });
    assert.deepEqual(await createOne(store, both), { kind: "erased" });
    assert.deepEqual(await createOne(store, { ...both, key: null, epoch: EPOCH.none }), { kind: "erased" });
    const named = { ...second, key: newKey(ben) };
    assert.deepEqual(await createOne(store, named), { kind: "exists", id: ben }, "the name before the key");
  });

  contract("no key is made under a key set that was left, a name is", async ({ store, another }) => {
    const other = await another();
    assert.equal(await other.gate.flip({ from: EPOCH.first, digest: "second" }), "flipped");
    for (const number of [0, 1, 3])
      assert.deepEqual(await createOne(store, { ...newcomer(), epoch: epoch(number) }), {
        kind: "gate-moved",
        epoch: 2,
      });
    assert.deepEqual(await store.keys.people({ after: null, limit: 9 }), []);
    await makeKeys(
      store,
      { ...newcomer(), epoch: epoch(2) },
      { epoch: EPOCH.none, name: newName(newPerson()), key: null },
    );
  });

  contract("once a flip is answered, no key of before is made any more, whoever is writing", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another(), await another()];
    let [isOver, made] = [false, 0];
    const writer = async (own: KeyStore): Promise<void> => {
      while (!isOver) {
        await turn();
        const { epoch: seen } = await own.gate.current();
        const result = await createOne(own, { ...newcomer(newPerson(), { generation: seen }), epoch: seen });
        assert.ok(result.kind === "made" || result.kind === "gate-moved", result.kind);
        if (result.kind === "made") made += 1;
      }
    };
    const generations = async (): Promise<readonly number[]> => {
      const places = (await keysOf(store)).map(({ place }) => place!);
      const reads = await store.keys.active(places);
      return reads.map(({ key }) => key?.generation ?? 0);
    };
    const flipper = async (): Promise<void> => {
      for (let from = 1; from <= 8 * rounds; from++) {
        const before = made;
        while (made < before + 3) await turn();
        assert.equal(await store.gate.flip({ from: epoch(from), digest: `set ${from + 1}` }), "flipped");
        const there = (await generations()).filter((generation) => generation <= from).length;
        for (let turns = 0; turns < 5; turns++) await turn();
        assert.equal((await generations()).filter((generation) => generation <= from).length, there, "a late key");
      }
    };
    await Promise.all([flipper().finally(() => (isOver = true)), ...stores.map(writer), writer(store)]);
  });
}

/** What no key is: a name for it -> how a key differs. */
const NO_KEYS: Readonly<Record<string, Partial<NewKey>>> = {
  "no owner": { owner: "" },
  "too long an owner": { owner: "é".repeat(129) },
  "half a character": { owner: "\ud800" },
  "an owner with a NUL": { owner: "a\u0000b" },
  "a kind that there is not": { kind: "master" as KeyKind },
  "a version that is none": { version: "1" as KeyVersion },
  "a version in capitals": { version: newKey("vault").version.toUpperCase() as KeyVersion },
  "ordinal 0": { ordinal: 0 },
  "half an ordinal": { ordinal: 1.5 },
  "a generation below 0": { generation: -1 },
  "no date": { createdAt: "yesterday" },
  "a short check": { check: randomBytes(31) },
  "a long check": { check: randomBytes(33) },
  "no wraps": { wraps: [] },
  "too many wraps": { wraps: Array.from({ length: MAX_KEY_WRAPS + 1 }, () => newWrap()) },
  "too long a wrap": { wraps: [newWrap({ ciphertext: randomBytes(MAX_WRAP_BYTES + 1) })] },
  "an empty wrap": { wraps: [newWrap({ ciphertext: randomBytes(0) })] },
  "a wrap of nobody": { wraps: [newWrap({ provider: "" })] },
};

export function keyLimitsContract(contract: Contract<KeyStore>): void {
  contract("what no vault writes is refused, and nothing of the call is made", async ({ store }) => {
    const ada = newPerson();
    const good = newcomer();
    const noNames = [
      newName("ada" as SubjectId),
      newName(ada.toUpperCase() as SubjectId),
      newName(ada, { tag: randomBytes(31) }),
      newName(ada, { tag: randomBytes(33) }),
      newName(ada, { sealed: randomBytes(MAX_SEALED_BYTES + 1) }),
      newName(ada, { sealed: randomBytes(0) }),
    ];
    const refused: readonly (readonly [string, Creation])[] = [
      ...Object.entries(NO_KEYS).map(
        ([what, more]) => [what, keyOnly(newKey("vault", { kind: "names", ...more }))] as const,
      ),
      ...noNames.map((name, index) => [`name ${index}`, { epoch: EPOCH.first, name, key: null }] as const),
      ["nothing", { epoch: EPOCH.first, name: null, key: null }],
      ["the key of another", { epoch: EPOCH.first, name: newName(ada), key: newKey(newPerson()) }],
    ];
    for (const [what, creation] of refused)
      await rejects("store-failed", () => store.keys.create([good, creation])).catch((error: unknown) => {
        throw new assert.AssertionError({ message: `${what}: ${String(error)}` });
      });
    assert.deepEqual([await store.keys.people({ after: null, limit: 9 }), await keysOf(store)], [[], []]);
    await makeKeys(store, good, keyOnly(newKey("é".repeat(128), { kind: "tenant", ordinal: Number.MAX_SAFE_INTEGER })));
  });

  contract("what is asked for that cannot be is absent or refused, and nobody else is touched", async ({ store }) => {
    const creation = newcomer();
    await makeKeys(store, creation);
    const { id } = creation.name;
    const odd = [
      "",
      "x",
      "'; drop table keys; --",
      "\u0000",
      `${id}x`,
      "\ud800",
      "x".repeat(5000),
    ] as readonly string[];
    for (const name of odd) {
      const calls = [
        async () => (await store.keys.names([name as SubjectId]))[0] ?? null,
        async () => (await store.keys.active([{ kind: "subject", owner: name }]))[0]?.key,
        async () => (await store.keys.version(name, creation.key.version)).key,
        async () => (await store.keys.version(id, name as KeyVersion)).key,
        async () => (await store.keys.resolve([Buffer.from(name)]))[0],
      ];
      for (const call of calls) assert.equal((await call().catch(() => null)) ?? null, null, JSON.stringify(name));
    }
    assert.deepEqual(await store.keys.resolve([creation.name.tag]), [id]);
  });
}
