/**
 * Short forms for the contract of a store: addresses, heads, and the changes and repairs that its tests commit.
 */
import assert from "node:assert/strict";
import { parseAddress, parseSubject, parseVersion } from "@strongroom/vault";
import type {
  Address,
  Change,
  ClaimRequest,
  Head,
  ListedRecord,
  OwedVersion,
  RecordStore,
  RemoveChange,
  RepairChange,
  VersionPlace,
  WriteChange,
} from "@strongroom/vault";

export const at = (id: string, collection = "people"): Address => parseAddress({ collection, id });
export const live = (version: number): Head => ({ version: parseVersion(version), state: "live" });
export const removed = (version: number): Head => ({ version: parseVersion(version), state: "removed" });

export function write(
  address: Address,
  base: Head | null,
  version: number,
  more: Partial<WriteChange["next"]> & Pick<Partial<WriteChange>, "missing"> = {},
): WriteChange {
  const { missing = [], ...next } = more;
  return {
    kind: "write",
    address,
    base,
    next: {
      version: parseVersion(version),
      subject: parseSubject("subject"),
      createdAt: `2026-01-01T00:00:00.00${version % 10}Z`,
      wraps: { stored: 3, target: 3 },
      message: Buffer.from(`message ${version}`),
      ...next,
    },
    missing,
  };
}

export function remove(address: Address, base: Head | null, tombstone: number): RemoveChange {
  return { kind: "remove", address, base, tombstone: parseVersion(tombstone), removedAt: "2026-02-02T00:00:00.000Z" };
}

export const owed = (...regions: readonly string[]): WriteChange["missing"] =>
  regions.map((region) => ({ region, keyArn: `arn:${region}`, reason: "refused" }));
export const place = (id: string, version: number, collection = "people"): VersionPlace => ({
  ...at(id, collection),
  version: parseVersion(version),
});

/** A claim of everything that region r1 is owed at moment 1000, until moment 2000. */
export async function claim(store: RecordStore, request: Partial<ClaimRequest> = {}): Promise<readonly string[]> {
  const claimed = await store.claimDebts({ holder: "h", region: "r1", limit: 100, now: 1000, until: 2000, ...request });
  return claimed.map(({ id, version }) => `${id}${version}`);
}

/** The repair of a version whose message is that of `write`: everything is paid unless it says otherwise. */
export function repairOf(id: string, version: number, more: Partial<RepairChange> = {}): RepairChange {
  return {
    place: place(id, version),
    base: Buffer.from(`message ${version}`),
    message: Buffer.from(`repaired ${version}`),
    wraps: { stored: 3, target: 3 },
    missing: [],
    dueAt: 3000,
    at: "2026-03-03T00:00:00.000Z",
    ...more,
  };
}

/** Everything that is owed, as it is listed. */
export const debtsOf = async (store: RecordStore): Promise<readonly (OwedVersion | null)[]> =>
  (await store.debts({ after: null, limit: 1000 })).map(({ owed: found }) => found);

/** A list as its callers see it: what there is of a record, and not where the list goes on. */
export const listed = (found: readonly ListedRecord[] | null): unknown =>
  found?.map(({ id, head, newestRow, updatedAt }) => ({ id, head, newestRow, updatedAt }));

export async function commit(store: RecordStore, ...changes: readonly Change[]): Promise<void> {
  assert.deepEqual(await store.commit(changes), { kind: "committed" });
}
