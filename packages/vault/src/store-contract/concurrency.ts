/**
 * Part of a store's contract: many writers and readers of one record, in several stores over one storage.
 */
import assert from "node:assert/strict";
import { parseVersion } from "../records/address.ts";
import type { Store } from "../stores/store.ts";
import { applyOne, assertWhole, at, headsOf, live, make, numbersOf, remove, write, turn } from "./changes.ts";
import type { Contract } from "./contract.ts";

const WRITERS = 16;

export function concurrencyContract(contract: Contract): void {
  contract("of many writers on one head exactly one is made", async ({ store, another, rounds }) => {
    const stores = [store, await another()];
    for (let round = 1; round <= 10 * rounds; round++) {
      const base = round === 1 ? null : live(round - 1);
      const results = await Promise.all(
        Array.from({ length: WRITERS }, (_, index) => applyOne(stores[index % 2]!, write(at("a"), base, round))),
      );
      assert.equal(results.filter((kind) => kind === "made").length, 1, `round ${round}: ${results.join()}`);
    }
    assert.equal((await numbersOf(store, "a")).length, 10 * rounds);
  });

  contract("16 writers that read and write one record get every number once, and no gap", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another()];
    const each = 6 * rounds;
    const made = new Map<number, string>();
    const writer = async (name: string, own: Store): Promise<void> => {
      for (let written = 0; written < each;) {
        const [head] = await headsOf(own, "a");
        const next = (head?.version ?? 0) + 1;
        const kind = await applyOne(
          own,
          write(at("a"), head ?? null, next, { message: Buffer.from(`${name} ${next}`) }),
        );
        if (kind !== "made") continue;
        assert.ok(!made.has(next), `version ${next} was made twice`);
        made.set(next, `${name} ${next}`);
        written += 1;
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, (_, index) => writer(`writer ${index}`, stores[index % 2]!)));
    const all = Array.from({ length: WRITERS * each }, (_, index) => WRITERS * each - index);
    assert.deepEqual(await numbersOf(store, "a"), all);
    for (const number of all) {
      const { stored } = await store.records.read(at("a"), parseVersion(number));
      assert.equal(Buffer.from(stored?.message ?? []).toString(), made.get(number), "it holds what its writer wrote");
    }
  });

  contract("writers and removers of one record never use a number twice", async ({ store, another, rounds }) => {
    const stores = [store, await another()];
    const used: number[] = [];
    const worker = async (own: Store, isRemover: boolean): Promise<void> => {
      for (let round = 0; round < 12 * rounds; round++) {
        const [head = null] = await headsOf(own, "a");
        if (isRemover) {
          if (head?.state === "live") await applyOne(own, remove(at("a"), head, head.version));
        } else {
          const next = (head?.version ?? 0) + 1;
          if ((await applyOne(own, write(at("a"), head, next))) === "made") used.push(next);
        }
      }
    };
    await Promise.all(Array.from({ length: 9 }, (_, index) => worker(stores[index % 2]!, index % 3 === 0)));
    assert.equal(new Set(used).size, used.length);
    const [head] = await headsOf(store, "a");
    assert.equal(head?.version, Math.max(...used));
  });

  contract(
    "a reader sees a record of one moment, whatever is written meanwhile",
    async ({ store, another, rounds }) => {
      const other = await another();
      await make(store, write(at("a"), null, 1, { message: messageFor(1) }));
      let isOver = false;
      const writer = async (): Promise<void> => {
        let head = live(1);
        for (let round = 0; round < 30 * rounds; round++) {
          if (round % 5 === 4) {
            await make(store, remove(at("a"), head, head.version));
            head = { ...head, state: "removed" };
          }
          const next = head.version + 1;
          await make(store, write(at("a"), head, next, { message: messageFor(next) }));
          head = live(next);
          await turn();
        }
      };
      const reader = async (own: Store): Promise<void> => {
        for (let last = 0; !isOver;) {
          await turn();
          const read = await own.records.read(at("a"), null);
          assertWhole(read);
          const version = read.head?.version ?? 0;
          assert.ok(version >= last, "a reader does not go back");
          last = version;
          if (read.stored !== null) assert.ok(messageFor(version).equals(read.stored.message), "torn");
          const { head, newestRow, versions } = await own.records.versions(at("a"), { before: null, limit: 100 });
          assert.equal(newestRow, head?.state === "live" ? head.version : null);
          assert.equal(versions[0]?.version, newestRow ?? undefined);
          const [rows] = await own.records.heads([at("a")]);
          assert.equal(rows?.newestRow, rows?.head?.state === "live" ? rows.head.version : null);
        }
      };
      await Promise.all([writer().finally(() => (isOver = true)), reader(store), reader(other), reader(other)]);
    },
  );
}

/** 64 KiB that tell their version. */
const messageFor = (version: number): Buffer => Buffer.alloc(65_536, `version ${version}; `);
