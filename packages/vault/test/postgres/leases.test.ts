/**
 * Leases that many take at the same moment. Each statement has its own look at the clock: one that looked a little
 * earlier than another one committed must not take that one's lease for a lease of the future.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileServer, newSchema } from "./support/storage.ts";

const { pool } = await fileServer({ connections: 30 });

test("in each of 100 rounds every partition is leased once", async (t) => {
  const { open } = await newSchema(t, pool);
  const stores = [await open(), await open(), await open()];
  const partitions = Array.from({ length: 12 }, (_, index) => `p-${String(index).padStart(2, "0")}`);
  for (let round = 0; round < 100; round++) {
    const job = `job-${round}`;
    await stores[0]!.jobs.add(job, partitions);
    const leases = await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        stores[index % 3]!.jobs.lease({ job, holder: `h-${index}`, ms: 60_000 }),
      ),
    );
    const taken = leases.flatMap((lease) => (lease === null ? [] : [lease.partition])).sort();
    assert.deepEqual(taken, partitions, `round ${round}`);
  }
});
