/**
 * What a new shredding generation asks of keys besides other wraps. People's keys under a tenant's are wrapped under a
 * new key of the tenant, which asks no KMS; and the keys of before that find people, or wrap theirs, go once nothing
 * hangs on them. Moved under the new wrapping keys they would shred nothing: an old backup has what they open.
 */
import { soundRow } from "../keys/key-binding.ts";
import { tenantOfSet } from "../keys/tenant-wrap.ts";
import type { Tenant } from "../keys/subject-keys.ts";
import type { KeyName, KeyPlace, KeyRow, KeyStore } from "../stores/key-store.ts";
import type { KnownWrapSet } from "../stores/inventory.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";
import { changeKey } from "./add-wraps.ts";
import type { KeyWorkDependencies } from "./add-wraps.ts";
import type { KindDependencies } from "./change-kinds.ts";
import { SHRED_TENANTS_JOB } from "./partitions.ts";
import { isRetagged } from "./retag-names.ts";
import type { StoredRun } from "./run.ts";
import type { Work } from "./work.ts";

/** Most keys that are asked for in one call. */
const KEYS_AT_ONCE = 1_000;

/** Wraps people's keys anew that are under a tenant's key of another generation than the one in force. */
export function moveTenantPeople(dependencies: KindDependencies): Work<KeyPlace> {
  const { store, subjectKeys, signal } = dependencies;
  const { inventory, jobs } = store;
  return {
    job: SHRED_TENANTS_JOB,
    inventory,
    jobs,
    damaged: "subject-key-tampered",
    wanted: async () => new Map((await staleTenantSets(dependencies)).map((id) => [id, []])),
    converge: (place, lease) =>
      changeKey(dependencies, place, lease, async (row) => {
        if (row.kind !== "tenant-subject") return null;
        return { outcome: { kind: "settled" }, change: await subjectKeys.underTenant(row, signal) };
      }),
  };
}

/** Sets of keys that are not under the key that their tenant has in the generation in force. */
export async function staleTenantSets({
  store: { keys, inventory },
  keySets,
}: Pick<KeyWorkDependencies, "store" | "keySets">): Promise<readonly WrapSetId[]> {
  const { generation } = await keySets.forWriting();
  const sets = (await inventory.sets()).flatMap(({ id, set }) => {
    const under = tenantOfSet(set);
    return under === null ? [] : [{ id, ...under }];
  });
  const present = await presentVersions(keys, [...new Set(sets.map(({ tenant }) => tenant))], generation);
  return sets.filter(({ tenant, version }) => version === null || present.get(tenant) !== version).map(({ id }) => id);
}

/** Tenant -> the version of its key of this generation; without those that have none yet. */
async function presentVersions(
  keys: KeyStore["keys"],
  tenants: readonly Tenant[],
  generation: number,
): Promise<ReadonlyMap<Tenant, string>> {
  const found = new Map<Tenant, string>();
  for (let start = 0; start < tenants.length; start += KEYS_AT_ONCE) {
    const names = tenants.slice(start, start + KEYS_AT_ONCE).map((owner): KeyName => ({ kind: "tenant", owner }));
    const rows = await keys.active(names);
    for (const [index, { owner, kind }] of names.entries()) {
      const row = soundRow(rows[index] ?? { key: null }, { owner, kinds: [kind] });
      if (row?.generation === generation) found.set(owner, row.version);
    }
  }
  return found;
}

/** Whether nothing hangs on a key of a generation that is left. */
export async function mayGo(
  { store }: Pick<KeyWorkDependencies, "store">,
  run: StoredRun,
  row: Pick<KeyRow, "kind" | "owner" | "version">,
): Promise<boolean> {
  const { inventory, jobs } = store;
  if (row.kind !== "tenant") return isRetagged(jobs, run);
  const hanging = (await inventory.sets()).filter((set) => mayHang(set, row)).map(({ id }) => id);
  return hanging.length === 0 || !(await inventory.any(hanging));
}

/** Of a set that nobody can tell, perhaps. */
function mayHang({ set }: KnownWrapSet, { owner, version }: Pick<KeyRow, "owner" | "version">): boolean {
  if (set === null) return true;
  const under = tenantOfSet(set);
  return under?.tenant === owner && (under.version === null || under.version === version);
}
