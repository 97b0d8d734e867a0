/** Collections whose ids are personal: nothing that is stored has them, and callers see nothing else. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "@strongroom/envelope";
import type { Scope } from "@strongroom/vault";
import { parseAddress, parseCollection } from "@strongroom/vault";
import { rejectsWith } from "../support/errors.ts";
import { keyedVault } from "../support/keyed-vault.ts";

const ADDRESSES = ["ada@example.com", "bob@example.com", "cyd@example.com"];
const at = (id: string) => ({ collection: "people", id });
const collections = { people: { ids: "sealed", subject: "id" } } as const;

for (const scope of ["record", "subject", "tenant"] satisfies Scope[])
  describe(`in ${scope} scope`, () => {
    test("rows, contexts and heads have a keyed hash; answers have the caller's id", async (t) => {
      const { vault, store, another } = await keyedVault(t, { collections, keys: { scope } });
      for (const id of ADDRESSES.slice(0, 2)) {
        const put = await vault.put(at(id), { id });
        assert.deepEqual([put.id, put.subject, put.version], [id, id, 1]);
      }
      await vault.putMany("people", [{ id: ADDRESSES[2]!, document: {} }], { onExisting: "compare" });
      const rows = (await store.records.list(parseCollection("people"), { after: null, limit: 10 })) ?? [];
      assert.equal(rows.length, 3);
      for (const { id, sealedId } of rows) {
        assert.match(id, /^[A-Za-z0-9_-]{43}$/);
        assert.ok(sealedId !== null);
        const { stored } = await store.records.read(parseAddress(at(id)), null);
        assert.equal(inspect(stored!.message).encryptionContext["strongroom:id"], id);
        const bytes = Buffer.concat([stored!.message, sealedId, Buffer.from(JSON.stringify(stored))]);
        // Whole addresses: three letters stand in a random id by chance.
        for (const word of [...ADDRESSES, "@example", "example.org"])
          assert.ok(!bytes.toString("latin1").includes(word) && !bytes.includes(Buffer.from(word).toString("base64")));
      }
      const other = await another({ collections });
      for (const id of ADDRESSES) {
        const { id: told, subject } = await other.get(at(id));
        assert.deepEqual([told, subject], [id, id]);
        assert.equal((await other.history(at(id)))[0]?.subject, id);
      }
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await other.list("people", { limit: 2, ...(cursor === undefined ? {} : { cursor }) });
        assert.equal(page.damaged, undefined);
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      assert.deepEqual(seen.sort(), ADDRESSES);
      const removed = await other.remove(at(ADDRESSES[0]!));
      assert.deepEqual([removed.id, removed.lastVersion], [ADDRESSES[0], 1]);
      await rejectsWith("record-absent", () => vault.get(at(ADDRESSES[0]!)));
      assert.equal((await vault.put(at(ADDRESSES[0]!), {})).version, 2);
      await rejectsWith("record-absent", () => vault.get(at(rows[0]!.id)));
    });

    test("sealed ids that were swapped, moved or changed are listed as damaged, and tell nobody's id", async (t) => {
      const { vault, store, change } = await keyedVault(t, { collections, keys: { scope } });
      for (const id of ADDRESSES) await vault.put(at(id), {});
      const rows = (await store.records.list(parseCollection("people"), { after: null, limit: 10 })) ?? [];
      const [one, two, three] = rows as [(typeof rows)[number], (typeof rows)[number], (typeof rows)[number]];
      change(at(one.id), () => ({ sealedId: two.sealedId }));
      change(at(three.id), ({ sealedId }) => ({ sealedId: Buffer.from(sealedId!.with(-1, sealedId!.at(-1)! ^ 1)) }));
      const { items, damaged } = await vault.list("people");
      assert.equal(items.length, 1);
      assert.deepEqual(
        damaged?.map(({ id, code }) => [id, code]).sort(),
        [one.id, three.id].map((id) => [id, "record-tampered"]).sort(),
      );
      change(at(three.id), () => ({ sealedId: null }));
      const more = (await vault.list("people")).damaged ?? [];
      assert.equal(more.find(({ id }) => id === three.id)?.code, "collection-differs");
      assert.deepEqual((await vault.get(at(ADDRESSES[0]!))).document, {}, "what lies at the head is not read by a get");
    });
  });

test("a collection that is declared otherwise than it is stored is neither read nor written", async (t) => {
  const { vault, another } = await keyedVault(t, { collections });
  await vault.put(at("ada@example.com"), {});
  await vault.put({ collection: "open", id: "1" }, {});
  const other = await another({ collections: { open: { ids: "sealed" } } });
  for (const [collection, id] of [
    ["people", "ada@example.com"],
    ["people", "new@example.com"],
    ["open", "1"],
    ["open", "new"],
  ] as const) {
    const address = { collection, id };
    await rejectsWith("collection-differs", () => other.get(address));
    await rejectsWith("collection-differs", () => other.history(address));
    await rejectsWith("collection-differs", () => other.put(address, {}));
    await rejectsWith("collection-differs", () => other.prepare(address, {}));
    await rejectsWith("collection-differs", () => other.remove(address));
    await rejectsWith("collection-differs", () => other.list(collection));
    await rejectsWith("collection-differs", () =>
      other.putMany(collection, [{ id, document: {} }], { onExisting: "keep" }),
    );
  }
  assert.equal((await vault.list("people")).items.length, 1);
  assert.equal((await vault.list("open")).items.length, 1);
});

test("a person's records in such a collection are told by their own ids", async (t) => {
  const { vault } = await keyedVault(t, { collections });
  await vault.put(at("ada@example.com"), {});
  await vault.put({ collection: "orders", id: "7" }, {}, { subject: "ada@example.com" });
  const { items } = await vault.subjects.records("ada@example.com");
  assert.deepEqual(
    items.toSorted((a, b) => (a.collection < b.collection ? -1 : 1)),
    [{ collection: "orders", id: "7" }, at("ada@example.com")],
  );
  const first = await vault.subjects.records("ada@example.com", { limit: 1 });
  assert.ok(first.next !== null);
  const second = await vault.subjects.records("ada@example.com", { limit: 1, cursor: first.next });
  assert.deepEqual([...first.items, ...second.items], items);
  assert.equal(second.next, null);
  await vault.put({ collection: "orders", id: "8" }, {}, { subject: "bob@example.com" });
  const { next: cursor } = first;
  await rejectsWith("cursor-invalid", () => vault.subjects.records("bob@example.com", { cursor }));
  await rejectsWith("limit-invalid", () => vault.subjects.records("bob@example.com", { limit: 0 }));
});
