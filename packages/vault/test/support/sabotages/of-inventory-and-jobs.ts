/**
 * Stores that break a promise about the inventory, jobs, or a caller's transaction.
 */
import type { JobStore, Lease } from "../../../src/stores/jobs.ts";
import type { Store } from "../../../src/stores/store.ts";
import { breaks } from "./sabotage.ts";
import type { Sabotage } from "./sabotage.ts";

/** What a store remembers for its caller, by partition. */
const realFences = new Map<string, number>();
const realLease = <Given extends Lease | null>(lease: Given): Given =>
  lease === null ? lease : { ...lease, fence: realFences.get(`${lease.job}/${lease.partition}`) ?? lease.fence };

/** What is broken -> who finds it, and how it is broken. */
export const OF_INVENTORY_AND_JOBS: Readonly<Record<string, Sabotage>> = {
  "counts what was removed": (() => {
    const most = new Map<number, number>();
    return breaks("versions are counted by set up to a limit, with since when the first has it", (store) => ({
      inventory: {
        counts: async (sets, atMost) => {
          const counts = await store.inventory.counts(sets, atMost);
          return counts.map((count) => {
            most.set(count.id, Math.max(count.items, most.get(count.id) ?? 0));
            return { ...count, items: most.get(count.id)! };
          });
        },
      },
    }));
  })(),
  "proves by its list of sets": breaks(
    "versions are counted by set up to a limit, with since when the first has it",
    (store) => ({
      inventory: {
        any: async (sets) => (await store.inventory.sets()).some(({ id }) => sets.includes(id)),
      },
    }),
  ),
  "takes shares of buckets for others than they are": breaks(
    "pages of every size and share have each version once, in one order",
    (store) => ({
      inventory: {
        list: ({ buckets, ...page }) =>
          store.inventory.list({ ...page, ...(buckets && { buckets: { from: buckets.from, to: buckets.to + 1 } }) }),
      },
    }),
  ),
  "rewraps whatever is there by now": breaks(
    "a rewrap to the same set is told from what was read before it",
    (store) => ({
      inventory: {
        rewrap: async (change) => {
          const { stored } = await store.records.read(change.place, change.place.version);
          return store.inventory.rewrap({ ...change, seen: stored?.stamp ?? change.seen });
        },
      },
    }),
  ),
  "keeps since when a version had its old set": breaks(
    "a rewrap replaces the message and its set; everything else of the version stays",
    (store) => ({
      inventory: {
        rewrap: async (change) => {
          const sets = (await store.inventory.sets()).map(({ id }) => id);
          const items = await store.inventory.list({ sets, after: null, limit: 1000 });
          const found = items.find(({ place }) => place?.id === change.place.id);
          return store.inventory.rewrap({ ...change, at: found?.since ?? change.at });
        },
      },
    }),
  ),
  "has what is to wait on its list of what is due": breaks(
    "why a repair failed is kept with its version, and it is not due for a while",
    (store) => ({ inventory: { list: ({ sets, after, limit }) => store.inventory.list({ sets, after, limit }) } }),
  ),
  "counts one attempt however many there were": breaks(
    "why a repair failed is kept with its version, and it is not due for a while",
    (store) => ({
      inventory: {
        list: async (page) =>
          (await store.inventory.list(page)).map((item) => ({
            ...item,
            failure: item.failure === null ? null : { ...item.failure, attempts: 1 },
          })),
      },
    }),
  ),
  "rewraps for whoever held the lease once": breaks(
    "nobody whose lease is another's rewraps or notes a failure",
    (store) => ({
      inventory: { rewrap: (change) => store.inventory.rewrap({ ...change, lease: null }) },
    }),
  ),
  "goes to the first page for a position that it does not know": breaks(
    "a position of the inventory that is none is refused as a cursor",
    (store) => ({
      inventory: {
        list: async (page) => store.inventory.list(page).catch(() => store.inventory.list({ ...page, after: null })),
      },
    }),
  ),
  "forgets to raise the fence": breaks(
    "a lease that ran out is another's, at the cursor, and the old fence changes nothing",
    (store) => ({
      jobs: {
        lease: async (request) => {
          const lease = await store.jobs.lease(request);
          if (lease !== null) realFences.set(`${lease.job}/${lease.partition}`, lease.fence);
          return lease === null ? null : { ...lease, fence: 1 };
        },
        save: (lease, progress, ms) => store.jobs.save(realLease(lease), progress, ms),
        finish: (lease, progress, dueInMs) => store.jobs.finish(realLease(lease), progress, dueInMs),
      },
    }),
  ),
  "gives a partition to two": breaks(
    "a partition is leased to one at a time, each to somebody, also between stores",
    (store) => {
      let last: Awaited<ReturnType<JobStore["lease"]>> = null;
      return {
        jobs: {
          lease: async (request) => {
            last = (await store.jobs.lease(request)) ?? last;
            return last;
          },
        },
      };
    },
  ),
  "takes what is finished for due": breaks("what is given back waits as long as it is told, or for ever", (store) => ({
    jobs: { finish: (lease, progress, dueInMs) => store.jobs.finish(lease, progress, dueInMs ?? 0) },
  })),
  "starts at the beginning each time": breaks(
    "a lease that ran out is another's, at the cursor, and the old fence changes nothing",
    (store) => ({
      jobs: {
        lease: async (request) => {
          const lease = await store.jobs.lease(request);
          return lease === null ? null : { ...lease, cursor: null };
        },
      },
    }),
  ),
  "forgets why the last item failed": breaks(
    "saving holds it longer and adds to its counters; it stays at the cursor",
    (store) => {
      let told: Awaited<ReturnType<JobStore["list"]>>[number]["problem"] = null;
      return {
        jobs: {
          save: (lease, progress, ms) => {
            told = progress.problem;
            return store.jobs.save(lease, progress, ms);
          },
          list: async () => (await store.jobs.list()).map((row) => ({ ...row, problem: told })),
        },
      };
    },
  ),
  "wakes nothing": breaks("waking makes due what waits, and leaves what is held and what is finished", () => ({
    jobs: { wake: async () => undefined },
  })),
  "holds leases for as long as its clock was set back": {
    foundBy: "a clock that is set back does not hold a partition for longer",
    clock: () => {
      let latest = 0;
      return (now) => (latest = Math.max(latest, now));
    },
  },
  "goes on when it is closed": breaks("a closed store says so, however often it is closed", () => ({
    close: async () => undefined,
  })),
  "makes at once what a caller has not committed": breaks(
    "a caller who rolls back leaves nothing, and what was in it is void",
    (store) => ({
      transaction: async (client) => {
        const units = await store.transaction!(client);
        return {
          apply: async (given) => {
            const results = await units.apply(given);
            (client as { commit: () => void; rollback: () => void }).commit();
            Object.assign(client as object, { commit: () => undefined, rollback: () => undefined });
            return results;
          },
        };
      },
    }),
  ),
  "takes anything for a transaction": breaks("what is no transaction is refused", (store) => ({
    transaction: async () => ({ apply: (units) => store.records.apply(units, { atomic: true }) }),
  })),
  "keeps the failure of a record that is gone": (() => {
    let kept: Awaited<ReturnType<Store["inventory"]["list"]>>[number]["failure"] = null;
    return breaks("with its record a failure goes", (store) => ({
      inventory: {
        fail: async (lease, place, { code, at, waitMs }) => {
          kept = { attempts: 1, code, at };
          return store.inventory.fail(lease, place, { code, at, waitMs });
        },
        list: async (page) => (await store.inventory.list(page)).map((item) => ({ ...item, failure: kept })),
      },
    }));
  })(),
  "counts a failure that was noted without the lease": (() => {
    let noted = 0;
    return breaks("nobody whose lease is another's rewraps or notes a failure", (store) => ({
      inventory: {
        fail: async () => {
          noted += 1;
        },
        list: async (page) =>
          (await store.inventory.list(page)).map((item) => ({
            ...item,
            failure: { attempts: noted, code: "record-tampered", at: "2026-01-01T00:00:00.000Z" },
          })),
      },
    }));
  })(),
};
