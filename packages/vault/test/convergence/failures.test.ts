/**
 * What failed, by pages: keys before versions, one cursor for both.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { convergenceFailures, countFailed } from "../../src/convergence/failures.ts";
import type { FailureSources } from "../../src/convergence/failures.ts";
import type { InventoryItem } from "../../src/stores/inventory.ts";
import type { WrapSetId } from "@strongroom/vault";

interface Failed<Place> {
  readonly failed: (page: { after: string | null; limit: number }) => Promise<readonly InventoryItem<Place>[]>;
}

/** @param damaged the numbers of items without a place */
function having<Place>(kind: string, count: number, damaged: readonly number[] = []): Failed<Place> {
  const items = Array.from({ length: count }, (_, index): InventoryItem<Place> => ({
    place: damaged.includes(index) ? null : ({ id: `${kind}-${index}` } as Place),
    collection: "c",
    id: `${kind}-${index}`,
    wrapSet: 1 as WrapSetId,
    since: null,
    failure: { attempts: index + 1, code: `wraps-still-missing\u001b[2J`, at: "2027-01-01T00:00:00.000Z" },
    position: String(index),
  }));
  return {
    failed: ({ after, limit }) => Promise.resolve(items.slice(after === null ? 0 : Number(after) + 1).slice(0, limit)),
  };
}

async function all(sources: FailureSources, limit: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await convergenceFailures(sources, {
      limit,
      listItems: 1_000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    assert.ok(page.failures.length <= limit);
    found.push(...page.failures.map(({ place }) => (place as { readonly id: string }).id));
    if (page.next === null) return found;
    cursor = page.next;
  }
}

for (const limit of [1, 2, 3, 5, 6, 100])
  test(`pages of ${limit} are all of them, keys first, each once`, async () => {
    const sources = { keys: having("key", 3), records: having("record", 3) } as FailureSources;
    assert.deepEqual(await all(sources, limit), ["key-0", "key-1", "key-2", "record-0", "record-1", "record-2"]);
    assert.deepEqual(await all({ ...sources, keys: null }, limit), ["record-0", "record-1", "record-2"]);
    assert.deepEqual(await all({ keys: having("key", 0), records: having("record", 0) }, limit), []);
  });

test("what has no place to name is left out, and ends no page early", async () => {
  const sources = { keys: having("key", 4, [1, 2]), records: having("record", 2, [0]) } as FailureSources;
  assert.deepEqual(await all(sources, 1), ["key-0", "key-3", "record-1"]);
});

test("codes out of a database steer no terminal", async () => {
  const sources = { keys: null, records: having("record", 1) } as FailureSources;
  const { failures } = await convergenceFailures(sources, { listItems: 1_000 });
  assert.equal(failures[0]?.code, "wraps-still-missing\\u{1b}[2J");
});

for (const cursor of [
  "x",
  "",
  Buffer.from('["debt-4","keys","1"]').toString("base64url"),
  Buffer.from('["failure-1","audit","1"]').toString("base64url"),
])
  test(`a cursor that this list did not give out is refused: ${cursor}`, async () => {
    const sources = { keys: having("key", 1), records: having("record", 1) } as FailureSources;
    await assert.rejects(convergenceFailures(sources, { cursor, listItems: 1_000 }), { code: "cursor-invalid" });
  });

test("they are counted up to a thousand of each", async () => {
  assert.equal(await countFailed([having("key", 7), having("record", 2_000)]), 1_007);
});
