/**
 * Part of a store's contract: what was written reads back, byte for byte, to everyone and for good.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { parseSubject, parseVersion } from "../records/address.ts";
import { applyOne, at, headsOf, large, live, make, messageOf, newVersion, numbersOf, PEOPLE } from "./changes.ts";
import { rejects, remove, removed, rewrapOf, wrapSet, write, writeAll } from "./changes.ts";
import type { Contract } from "./contract.ts";
import { newPeople } from "./people.ts";

export function recordsContract(contract: Contract): void {
  contract("an empty store has nothing", async ({ store: { records, inventory, jobs, ...store } }) => {
    const nothing = { head: null, newestRow: null };
    assert.deepEqual(await records.heads([at("a"), at("b")]), [nothing, nothing]);
    assert.deepEqual(await records.read(at("a"), null), { ...nothing, stored: null, subjects: [] });
    assert.deepEqual(await records.read(at("a"), parseVersion(1)), { ...nothing, stored: null, subjects: [] });
    assert.deepEqual(await records.versions(at("a"), { before: null, limit: 9 }), { ...nothing, versions: [] });
    assert.equal(await records.list(PEOPLE, { after: null, limit: 10 }), null);
    assert.deepEqual(await records.collections(), []);
    assert.deepEqual(await inventory.sets(), []);
    assert.deepEqual(await jobs.list(), []);
    assert.ok(store.capabilities.atomicUnits >= 1 && store.capabilities.unitItems >= 1);
  });

  contract("of no items there is no answer, and no failure", async ({ store: { records, inventory, jobs } }) => {
    assert.deepEqual(await records.heads([]), []);
    assert.deepEqual(await records.apply([], { atomic: true }), []);
    assert.deepEqual(await records.apply([], { atomic: false }), []);
    assert.deepEqual(await records.outcome([]), []);
    assert.deepEqual(await inventory.counts([], 10), []);
    assert.equal(await inventory.any([]), false);
    assert.deepEqual(await inventory.list({ sets: [], after: null, limit: 10 }), []);
    await jobs.add("repair", []);
    assert.deepEqual(await jobs.list(), []);
  });

  contract("a version reads back as it was written, byte for byte, also one of 1 MiB", async ({ store, another }) => {
    const other = await another();
    for (const [id, message] of [["søren 🔐", Buffer.from([0, 255, 128, 0])] as const, ["日本", large()] as const]) {
      const version = newVersion(1, { message, subject: parseSubject("日本 🔑"), wrapSet: wrapSet(["k"], ["l", "m"]) });
      await make(store, writeAll(at(id), null, [version]));
      for (const reader of [store, other]) {
        const { head, newestRow, stored } = await reader.records.read(at(id), null);
        assert.deepEqual([head, newestRow], [live(1), 1]);
        assert.ok(stored !== null && Buffer.from(stored.message).equals(message));
        const { subject, createdAt, wraps, version: number } = stored;
        assert.deepEqual(
          { subject, createdAt, wraps, number },
          { subject: version.subject, createdAt: version.createdAt, wraps: { stored: 1, target: 3 }, number: 1 },
        );
        const [row] = (await reader.records.versions(at(id), { before: null, limit: 1 })).versions;
        assert.deepEqual(row, {
          version: 1,
          scheme: 1,
          about: [],
          subject,
          createdAt,
          wraps,
          messageBytes: message.length,
        });
      }
    }
  });

  contract("what callers do with their bytes afterwards changes nothing that is stored", async ({ store }) => {
    const given = Buffer.from("as it was given");
    await make(store, write(at("a"), null, 1, { message: given }));
    given.fill(0);
    const read = (await store.records.read(at("a"), null)).stored?.message;
    assert.equal(Buffer.from(read ?? []).toString(), "as it was given");
    read?.fill(0);
    assert.equal((await messageOf(store, "a"))?.toString(), "as it was given");
    const again = Buffer.from("as it was given again");
    await store.inventory.rewrap(await rewrapOf(store, "a", 1, { message: again }));
    again.fill(0);
    assert.equal((await messageOf(store, "a"))?.toString(), "as it was given again");
  });

  contract("every version stays, each with its own row, the newest first, page by page", async ({ store }) => {
    for (let number = 1; number <= 5; number++)
      await make(store, write(at("a"), number === 1 ? null : live(number - 1), number));
    const page = async (before: number | null, limit: number): Promise<readonly number[]> => {
      const at1 = { before: before === null ? null : parseVersion(before), limit };
      const { versions, head, newestRow } = await store.records.versions(at("a"), at1);
      assert.deepEqual([head, newestRow], [live(5), 5]);
      return versions.map(({ version }) => version);
    };
    assert.deepEqual(await page(null, 100), [5, 4, 3, 2, 1]);
    assert.deepEqual(await page(null, 2), [5, 4]);
    assert.deepEqual(await page(4, 2), [3, 2]);
    assert.deepEqual(await page(2, 2), [1]);
    assert.deepEqual(await page(1, 2), []);
    for (let number = 1; number <= 5; number++)
      assert.equal((await messageOf(store, "a", number))?.toString(), `message ${number}`);
    assert.equal((await messageOf(store, "a"))?.toString(), "message 5", "null is the head's");
    const absent = await store.records.read(at("a"), parseVersion(6));
    assert.deepEqual(absent, { head: live(5), newestRow: 5, stored: null, subjects: [] });
  });

  contract("records are apart by collection and by id, by every byte of them", async ({ store }) => {
    const ids = ["a", "A", "a ", " a", "ａ", "á", "a\u200b", "a%", "a_", "%", "'", '"', "\u{1f511}", "\u{10ffff}"];
    const addresses = [...ids.map((id) => at(id)), at("a", "pets"), at("a", "people_"), at("a", "people-1")];
    for (const [index, address] of addresses.entries())
      await make(store, write(address, null, 1, { message: Buffer.from([index]) }));
    for (const [index, address] of addresses.entries())
      assert.deepEqual([...(await store.records.read(address, null)).stored!.message], [index]);
  });

  contract("heads answer in their order, also one that comes twice", async ({ store }) => {
    await make(store, write(at("a"), null, 1), write(at("b"), null, 7), remove(at("b"), live(7), 7));
    assert.deepEqual(await headsOf(store, "b", "none", "a", "b"), [removed(7), null, live(1), removed(7)]);
    const many = Array.from({ length: 1500 }, (_, index) => (index % 3 === 0 ? "a" : `none-${index}`));
    const heads = await headsOf(store, ...many);
    assert.deepEqual(
      heads.map((head) => head?.version ?? 0),
      many.map((id) => (id === "a" ? 1 : 0)),
    );
  });

  contract("a removal takes all versions and keeps the number", async ({ store }) => {
    await make(
      store,
      write(at("a"), null, 1),
      write(at("a"), live(1), 2, { message: large() }),
      write(at("b"), null, 1),
    );
    await make(store, remove(at("a"), live(2), 2));
    const { head, newestRow, versions } = await store.records.versions(at("a"), { before: null, limit: 9 });
    assert.deepEqual([head, newestRow, versions], [removed(2), null, []]);
    assert.equal(await messageOf(store, "a", 1), null);
    assert.equal(await messageOf(store, "a"), null);
    assert.deepEqual(await numbersOf(store, "b"), [1]);
    for (const number of [1, 2]) assert.notEqual(await applyOne(store, write(at("a"), removed(2), number)), "made");
    await make(store, write(at("a"), removed(2), 3));
    assert.deepEqual(await numbersOf(store, "a"), [3]);
  });

  contract("another store sees what was made, at once and after all were closed", async ({ store, another }) => {
    const other = await another();
    await make(store, write(at("a"), null, 1));
    assert.deepEqual(await headsOf(other, "a"), [live(1)]);
    await make(other, write(at("a"), live(1), 2));
    assert.equal(await applyOne(store, write(at("a"), live(1), 2)), "conflict");
    await other.close();
    await store.close();
    const again = await another();
    assert.deepEqual(await numbersOf(again, "a"), [2, 1]);
    assert.equal((await again.gate.current()).epoch, 1);
  });

  contract("a closed store says so, however often it is closed", async ({ store }) => {
    const { records, subjects, gate, inventory, jobs } = store;
    const [id] = newPeople(1);
    const unit = write(at("a"), null, 1);
    await make(store, unit);
    const rewrap = await rewrapOf(store, "a", 1);
    await store.close();
    await store.close();
    const calls: readonly (() => Promise<unknown>)[] = [
      () => store.ping(),
      () => store.requireRoom(),
      () => records.heads([at("a")]),
      () => records.read(at("a"), null),
      () => records.apply([write(at("a"), live(1), 2)], { atomic: true }),
      () => records.outcome([unit]),
      () => records.list(PEOPLE, { after: null, limit: 1 }),
      () => subjects.get([id!]),
      () => subjects.list({ after: null, limit: 1 }),
      () => subjects.newest(1),
      () => subjects.records(id!, { after: null, limit: 1 }),
      () => subjects.setState({ id: id!, from: ["active"], to: "restricted" }),
      () => gate.current(),
      () => gate.bind(randomUUID()),
      () => inventory.sets(),
      () => inventory.rewrap(rewrap),
      () => jobs.lease({ job: "repair", holder: "h", ms: 1000 }),
    ];
    for (const call of calls) await rejects("store-closed", call);
  });

  contract("closing lets what is under way end, wherever it has come to", async ({ another, rounds }) => {
    for (let ticks = 0; ticks < 40 * rounds; ticks += 4) {
      const closing = await another();
      const unit = write(at(`a${ticks}`), null, 1);
      const [written, read] = [applyOne(closing, unit), closing.records.heads([at("b")])];
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      await Promise.all([closing.close(), closing.close()]);
      assert.equal(await written, "made");
      await read;
    }
  });
}
