/**
 * Indexes brought to what is declared, beside writers and finders: built, built anew under another key, dropped, and
 * gone on with where they were ended.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import type { TestContext } from "node:test";
import type { CollectionOptions, Store, Vault } from "@strongroom/vault";
import { memoryStore } from "@strongroom/vault/memory";
import { email, exact, foldedName } from "@strongroom/vault/normalisers";
import * as zod from "zod";
import { auditedVault } from "../support/audited-vault.ts";
import type { AuditedVault } from "../support/audited-vault.ts";
import { rejectsWith } from "../support/errors.ts";
import { overlaid, storeWith } from "../support/store-with.ts";

const PLAIN: Readonly<Record<string, CollectionOptions>> = { people: { subject: "none" } };
const FOUND: Readonly<Record<string, CollectionOptions>> = {
  people: {
    subject: "none",
    fields: { email: { find: email(), unique: true }, name: { find: foldedName(), values: 5_000 } },
  },
};

const documentOf = (n: number): { email: string; name: string } => ({
  email: `p${n}@example.com`,
  name: `Person ${n % 7}`,
});
const idOf = (n: number): string => `r${String(n).padStart(4, "0")}`;

/** A vault with so many records and no index, and another one over the same stores that declares them. */
async function having(
  t: TestContext,
  count: number,
  alter?: (store: Store) => Store,
): Promise<AuditedVault & { readonly declaring: Vault }> {
  const opened = await auditedVault(t, { collections: PLAIN });
  const items = Array.from({ length: count }, (_, n) => ({ id: idOf(n), document: documentOf(n) }));
  for (let start = 0; start < count; start += 500)
    await opened.vault.putMany("people", items.slice(start, start + 500), { onExisting: "replace" });
  const store = memoryStore({ storage: opened.memory });
  const declaring = await opened.another({ collections: FOUND, ...(alter && { store: alter(store) }) });
  return { ...opened, declaring };
}

/** A store whose fillings take a while, so that others come in between. */
const slow = (store: Store): Store =>
  storeWith(store, {
    indexes: overlaid(store.indexes, {
      fill: async (fillings, lease) => {
        await delay(40);
        return store.indexes.fill(fillings, lease);
      },
    }),
  });

/** After a turn of the event loop, in which timers come to theirs. */
async function isUnderWay(work: Promise<unknown>): Promise<boolean> {
  const ended = await Promise.race([work.then(() => true), turn().then(() => false)]);
  return !ended;
}

const steps = async (vault: Vault): Promise<readonly string[]> =>
  (await vault.indexes.plan()).indexes.map(({ index, step }) => `${index} ${step}`);

test("of records that were there before an index is built, and until then nothing is found by it", async (t) => {
  const { declaring, vault, entries } = await having(t, 150);
  assert.deepEqual(await steps(declaring), ["email build", "name build"]);
  await rejectsWith("index-not-ready", () => declaring.find("people", { email: "p1@example.com" }));
  // Whoever declares it writes as before until then, and so does who does not.
  await declaring.put({ collection: "people", id: "new" }, { email: "new@example.com" });
  await vault.put({ collection: "people", id: "old" }, { email: "old@example.com" });
  const seen: number[] = [];
  const applied = await declaring.indexes.apply({ onProgress: ({ records }) => seen.push(records) });
  assert.deepEqual(
    [applied.built, applied.records, applied.duplicates, applied.unopened, seen],
    [["people/email", "people/name"], 152, [], [], [64, 128, 152]],
  );
  assert.deepEqual(await steps(declaring), ["email ready", "name ready"]);
  for (const address of ["p1@example.com", "new@example.com", "old@example.com"])
    assert.equal((await declaring.find("people", { email: address })).items.length, 1);
  assert.equal((await declaring.countFound("people", { name: "person 3" })).atMost, 21);
  await rejectsWith("index-unknown", () => vault.put({ collection: "people", id: "late" }, {}));
  assert.deepEqual((await declaring.indexes.apply()).records, 0);
  const told = (await entries("index")).map(({ result, details }) => `${String(details?.["what"])} ${result}`);
  assert.deepEqual(told.slice(0, 2), ["apply begun", "apply done"]);
});

test("what is written while an index is built is found by it, and what is removed is not", async (t) => {
  const { declaring } = await having(t, 300, slow);
  const building = declaring.indexes.apply();
  const written: string[] = [];
  for (let n = 0; await isUnderWay(building); n++) {
    const id = idOf((n * 37) % 300);
    await declaring.put({ collection: "people", id }, { email: `w${n}@example.com`, name: "Writer" });
    written.push(`${id} w${n}@example.com`);
    if (n % 5 === 0) await declaring.remove({ collection: "people", id: idOf((n * 53 + 7) % 300) }).catch(() => null);
  }
  assert.deepEqual((await building).built, ["people/email", "people/name"]);
  assert.ok(written.length > 3, `${written.length} written`);
  let cursor: string | null | undefined;
  const all: string[] = [];
  while (cursor !== null) {
    const page = await declaring.list("people", { limit: 500, ...(cursor && { cursor }) });
    all.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  }
  for (const id of all) {
    const { document } = await declaring.get({ collection: "people", id });
    const { items } = await declaring.find("people", { email: document["email"] as string });
    assert.deepEqual(
      items.map((item) => item.id),
      [id],
    );
  }
});

test("two records of one value are told by their ids, and the index is ready once they have different ones", async (t) => {
  const { vault, another } = await auditedVault(t, { collections: PLAIN });
  for (const [id, address] of [
    ["a", "one@example.com"],
    ["b", "ONE@example.com"],
    ["c", "two@example.com"],
    ["d", "one@Example.com"],
  ] as const)
    await vault.put({ collection: "people", id }, { email: address, name: "N" });
  const declaring = await another({ collections: FOUND });
  const applied = await declaring.indexes.apply();
  assert.deepEqual(applied.built, ["people/name"]);
  assert.deepEqual(applied.duplicates, [
    { collection: "people", index: "email", ids: ["a", "b"] },
    { collection: "people", index: "email", ids: ["a", "d"] },
  ]);
  assert.deepEqual(await steps(declaring), ["email building", "name ready"]);
  await rejectsWith("index-not-ready", () => declaring.find("people", { email: "two@example.com" }));
  // It is unique already for whoever writes.
  await rejectsWith("value-taken", () =>
    declaring.put({ collection: "people", id: "e" }, { email: "two@example.com" }),
  );
  await declaring.put({ collection: "people", id: "b" }, { email: "three@example.com" });
  assert.deepEqual((await declaring.indexes.apply()).duplicates, [
    { collection: "people", index: "email", ids: ["a", "d"] },
  ]);
  await declaring.remove({ collection: "people", id: "d" });
  assert.deepEqual((await declaring.indexes.apply()).built, ["people/email"]);
  assert.deepEqual(
    (await declaring.find("people", { email: "one@example.com" })).items.map(({ id }) => id),
    ["a"],
  );
});

test("an index that nobody here declares is dropped with all of its tags, and comes back when it is declared again", async (t) => {
  const { declaring, another, memory } = await having(t, 80);
  await declaring.indexes.apply();
  const { people } = FOUND;
  const fewer = await another({ collections: { people: { ...people, fields: { name: people!.fields!["name"]! } } } });
  assert.deepEqual(await steps(fewer), ["email drop", "name ready"]);
  const applied = await fewer.indexes.apply();
  assert.deepEqual([applied.dropped, applied.purged], [["people/email"], 80]);
  assert.deepEqual(await steps(fewer), ["name ready"]);
  await fewer.put({ collection: "people", id: idOf(1) }, { email: "changed@example.com", name: "Changed" });
  const again = await another({ collections: FOUND });
  assert.deepEqual((await again.indexes.apply()).built, ["people/email"]);
  assert.deepEqual((await again.find("people", { email: "p1@example.com" })).items, []);
  assert.equal((await again.find("people", { email: "changed@example.com" })).items.length, 1);
  const { indexes } = memoryStore({ storage: memory });
  assert.equal((await indexes.list()).indexes.length, 2);
});

test("under another key every find before, during and after is right, and what is unique stays so", async (t) => {
  const { declaring, another } = await having(t, 200, slow);
  await declaring.indexes.apply();
  const other = await another({ collections: FOUND });
  const rotating = declaring.indexes.rotateKey();
  let [finds, writes] = [0, 0];
  for (let n = 0; await isUnderWay(rotating); n++) {
    const asked = n % 2 === 0 ? other : declaring;
    const { items } = await asked.find("people", { email: `P${n % 150}@example.com` });
    assert.deepEqual(
      items.map(({ id }) => id),
      [idOf(n % 150)],
      `find ${n}`,
    );
    finds++;
    if (n % 3 !== 0) continue;
    await asked.put({ collection: "people", id: idOf(150 + (n % 50)) }, { ...documentOf(150 + (n % 50)), n });
    await rejectsWith("value-taken", () =>
      asked.put({ collection: "people", id: "thief" }, { email: `p${n % 200}@example.com` }),
    );
    writes++;
  }
  const applied = await rotating;
  assert.deepEqual(applied.built, ["people/email", "people/name"]);
  assert.deepEqual(applied.dropped, ["people/email", "people/name"]);
  assert.equal(applied.purged, 400);
  // A busy machine makes few of them while the key is changed.
  assert.ok(finds > 2 && writes > 0, `${finds} finds, ${writes} writes`);
  for (let n = 0; n < 200; n++)
    assert.deepEqual(
      (await other.find("people", { email: `p${n}@example.com` })).items.map(({ id }) => id),
      [idOf(n)],
    );
  assert.deepEqual(await steps(other), ["email ready", "name ready"]);
});

test("a cursor of before goes on after the key was changed", async (t) => {
  const { declaring } = await having(t, 60);
  await declaring.indexes.apply();
  const first = await declaring.find("people", { name: "person 3" }, { limit: 3 });
  await declaring.indexes.rotateKey();
  const second = await declaring.find("people", { name: "person 3" }, { limit: 50, cursor: first.next! });
  assert.deepEqual(
    [...first.items, ...second.items].map(({ id }) => id),
    Array.from({ length: 60 }, (_, n) => n)
      .filter((n) => n % 7 === 3)
      .map(idOf),
  );
});

test("a cursor of a key that a process has not met yet goes on there", async (t) => {
  const { declaring, another } = await having(t, 20);
  await declaring.indexes.apply();
  const other = await another({ collections: FOUND });
  await other.find("people", { name: "person 3" });
  await declaring.indexes.rotateKey();
  const first = await declaring.find("people", { name: "person 3" }, { limit: 1 });
  const second = await other.find("people", { name: "person 3" }, { cursor: first.next! });
  assert.deepEqual(
    [...first.items, ...second.items].map(({ id }) => id),
    [idOf(3), idOf(10), idOf(17)],
  );
});

test("a document with more values than a record is found by stops no build, and is told", async (t) => {
  const { another } = await auditedVault(t);
  const plain = await another({ collections: PLAIN });
  const many = Array.from({ length: 513 }, (_, n) => `Person ${n}`);
  for (const [id, name] of [
    ["all", many],
    ["half", "half of a pair \uD83D"],
    ["other", "Other"],
  ] as const)
    await plain.put({ collection: "people", id }, { email: `${id}@example.com`, name });
  const declaring = await another({ collections: FOUND });
  const { built, unopened } = await declaring.indexes.apply();
  assert.deepEqual(built, ["people/email", "people/name"]);
  assert.deepEqual(unopened, [{ collection: "people", id: "all", code: "document-unfit" }]);
  for (const id of ["all", "half", "other"])
    assert.equal((await declaring.find("people", { email: `${id}@example.com` })).items.length, 1);
  assert.equal((await declaring.find("people", { name: "other" })).items.length, 1);
});

test("what was added by whoever ended before others had is built only when they have", async (t) => {
  const asked: string[] = [];
  const noted = (store: Store): Store =>
    storeWith(store, {
      gate: {
        drained: async () => {
          asked.push("drained");
          await store.gate.drained();
        },
      },
      indexes: overlaid(store.indexes, {
        fill: async (fillings, lease) => {
          asked.push("fill");
          return store.indexes.fill(fillings, lease);
        },
      }),
    });
  const { declaring, another, memory } = await having(t, 3);
  const stop = AbortSignal.abort();
  await rejectsWith("aborted", () => declaring.indexes.apply({ signal: stop }));
  const later = await another({ collections: FOUND, store: noted(memoryStore({ storage: memory })) });
  asked.length = 0;
  await later.indexes.apply();
  assert.deepEqual(asked, ["drained", "fill"]);
});

test("a build whose indexes could not be put in use is gone on with at once", async (t) => {
  let changes = 0;
  const failing = (store: Store): Store =>
    storeWith(store, {
      indexes: overlaid(store.indexes, {
        change: async (change) => {
          // The first one adds them.
          if (++changes === 2) throw new Error("the test's own failure");
          return store.indexes.change(change);
        },
      }),
    });
  const { declaring, another } = await having(t, 3, failing);
  await assert.rejects(declaring.indexes.apply());
  const other = await another({ collections: FOUND });
  const { built } = await other.indexes.apply({ signal: AbortSignal.timeout(5_000) });
  assert.deepEqual(built, ["people/email", "people/name"]);
});

test("documents that no longer fit are counted, by ids and fields", async (t) => {
  const { another } = await having(t, 10);
  const schema = zod.looseObject({ email: zod.string().max(15), name: zod.string() });
  const vault = await another({ collections: { people: { subject: "none", schema } } });
  await vault.put({ collection: "people", id: "fits" }, { email: "a@example.com", name: "A" });
  const { documents } = await vault.indexes.plan({ documents: true });
  assert.deepEqual(documents, { records: 11, unfitCount: 0, unfit: [], unopened: [] });
  const stricter = zod.looseObject({ email: zod.string().max(13), name: zod.string().min(2) });
  const later = await another({ collections: { people: { subject: "none", schema: stricter } } });
  const looked = (await later.indexes.plan({ documents: true })).documents;
  assert.equal(looked?.unfitCount, 11);
  assert.deepEqual(looked.unfit[0], { collection: "people", id: "fits", fields: ["name"] });
  assert.doesNotMatch(JSON.stringify(looked), /example/);
});

test("what an index tells by how often its tags come", async (t) => {
  const { vault } = await auditedVault(t, {
    collections: {
      people: {
        fields: {
          number: { find: exact(), unique: true },
          party: { find: exact(), values: 3, leaks: "accepted" },
          town: { find: exact(), values: 5_000 },
        },
      },
    },
  });
  const parties = [...Array<string>(6).fill("a"), ...Array<string>(3).fill("b"), "c", "d"];
  const items = parties.map((party, n) => ({ id: String(n), document: { number: n, party, town: "x" } }));
  await vault.putMany("people", items, { onExisting: "replace" });
  const told = await vault.indexes.leakage("people");
  assert.deepEqual(
    told.map(({ index, tags, values, named, isAccepted, isTooMuch }) => [
      index,
      tags,
      values,
      named,
      isAccepted,
      isTooMuch,
    ]),
    [
      ["number", 11, 11, 1 / 11, false, false],
      // a and b by their ranks, and one of c and d.
      ["party", 11, 4, 10 / 11, true, false],
      ["town", 11, 1, 1, false, false],
    ],
  );
});

test("a build that was ended goes on where it was saved, in another process", async (t) => {
  let fills = 0;
  const stop = new AbortController();
  const counted = (store: Store): Store =>
    storeWith(store, {
      indexes: overlaid(store.indexes, {
        fill: async (fillings, lease) => {
          fills += 1;
          if (fills === 3) stop.abort();
          return store.indexes.fill(fillings, lease);
        },
      }),
    });
  const { declaring, another, memory } = await having(t, 500, counted);
  await rejectsWith("aborted", () => declaring.indexes.apply({ signal: stop.signal }));
  assert.deepEqual(await steps(declaring), ["email building", "name building"]);
  const other = await another({ collections: FOUND });
  const applied = await other.indexes.apply();
  // Three pages of 64 were saved.
  assert.deepEqual([applied.records, applied.built], [500 - 192, ["people/email", "people/name"]]);
  for (const n of [0, 127, 128, 499])
    assert.deepEqual(
      (await other.find("people", documentOf(n))).items.map(({ id }) => id),
      [idOf(n)],
    );
  const { jobs } = memoryStore({ storage: memory });
  const left = (await jobs.list()).filter(({ job }) => job.startsWith("index/"));
  assert.deepEqual(
    left.map(({ state }) => state),
    ["finished"],
  );
});
