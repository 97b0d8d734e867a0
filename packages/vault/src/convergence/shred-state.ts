/**
 * What a shred has come to: whether anything lies under wrapping keys of generations that were left, and what has
 * become of each of those keys. Which keys there ever were, the interned wrap sets of the key store tell: also those of
 * rotations within a generation, and of rows that are gone.
 */
import { VaultError } from "../errors.ts";
import { isInner, regionOfKey } from "./target.ts";
import { staleTenantSets } from "./shred-keys.ts";
import type { KeySet } from "../keys/key-set.ts";
import type { KeyWorkDependencies } from "./add-wraps.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";
import type { ShredProof, ShredState, AskedWrappingKey } from "./view.ts";

/** What is looked at of a key store. */
export type ShredDependencies = Pick<KeyWorkDependencies, "store" | "keySets">;

/** What no destroyed key makes unreadable. */
const NOT: ShredState["not"] = [
  "names-key",
  "mask-key",
  "audit-parts",
  "record-scope",
  "tags",
  "clear-metadata",
  "kms-logs",
  "exports",
  "unwrapped-copies",
];

/** The shredding generation in force. @throws VaultError `key-set-unknown`; the store's */
export async function presentGeneration({ keySets }: Pick<ShredDependencies, "keySets">): Promise<number> {
  return (await keySets.forWriting()).generation;
}

/**
 * What has become of every wrapping key of all generations up to one.
 *
 * @param generation of the certificate: from 0
 * @param describe asks a key's provider
 * @throws VaultError `vault-option-invalid`, `key-set-unknown`; the store's; what `describe` throws
 */
export async function shredState(
  dependencies: ShredDependencies,
  generation: number,
  describe: (key: string) => Promise<Pick<AskedWrappingKey, "state" | "deletionAt">>,
  clock: () => Date,
): Promise<ShredState> {
  if (!Number.isSafeInteger(generation) || generation < 0)
    throw new VaultError("vault-option-invalid", "A shredding generation is a whole number from 0");
  const present = await presentGeneration(dependencies);
  const names = [...(await keysUpTo(dependencies, generation)).keys()].sort();
  const keys: AskedWrappingKey[] = [];
  for (const key of names) {
    const told = await describe(key);
    keys.push({ key, region: regionOfKey(key) || null, ...told, askedAt: clock().toISOString() });
  }
  // Generation 0 wraps records too: its keys are never destroyed for the sake of a person.
  const isPossible = generation > 0 && present > generation && keys.length > 0;
  const dates = keys.flatMap((key) => endOf(key) ?? []);
  const isWhole = isPossible && dates.length === keys.length;
  const isOver = isWhole && keys.every(({ state }) => GONE.has(state));
  const isProven = keys.every(({ state }) => state === "gone-proven");
  return {
    ...{ generation, present, keys, isOver, not: NOT },
    holdsFrom: isWhole ? dates.reduce((a, b) => (a > b ? a : b), "") : null,
    proof: isOver ? (isProven ? "proven" : "attested") : null,
  };
}

const GONE: ReadonlySet<AskedWrappingKey["state"]> = new Set<AskedWrappingKey["state"]>([
  "gone-proven",
  "gone-attested",
]);

/** From when on a key opens nothing; null: nobody has scheduled that. */
function endOf({ state, deletionAt, askedAt }: AskedWrappingKey): string | null {
  if (GONE.has(state)) return deletionAt ?? askedAt;
  return state === "pending-deletion" ? deletionAt : null;
}

/** Wrapping key -> the sets that name it, of all that ever wrapped a key in these generations. */
async function keysUpTo(
  { store, keySets }: ShredDependencies,
  generation: number,
): Promise<ReadonlyMap<string, readonly WrapSetId[]>> {
  const known = keySets.digests.flatMap((digest) => keySets.known(digest) ?? []);
  const namesOf = (is: (set: KeySet) => boolean): readonly string[] =>
    known.filter(is).flatMap(({ names }) => names ?? []);
  // Of keys that no set names which is known here, it is not known of when they are: then they count.
  const later = new Set(namesOf((set) => set.generation > generation));
  for (const name of namesOf((set) => set.generation <= generation)) later.delete(name);
  const found = new Map<string, WrapSetId[]>();
  for (const { id, set } of await store.inventory.sets()) {
    if (set === null || isInner(set)) continue;
    for (const { key } of set.wraps) if (!later.has(key)) found.set(key, [...(found.get(key) ?? []), id]);
  }
  return found;
}

/** Looks until the sets stay as they are. */
const PROOF_LOOKS = 8;

/**
 * That nothing lies under any key of a generation that was left, as one look: every write of before has ended, and no
 * set has come, nor has the gate moved, while it was looked.
 *
 * @throws VaultError `key-set-unknown`; `run-refused` when others change the sets again and again; the store's
 */
export async function shredProof(dependencies: ShredDependencies, clock: () => Date): Promise<ShredProof> {
  const { store, keySets } = dependencies;
  const { inventory, gate } = store;
  for (let look = 1; look <= PROOF_LOOKS; look++) {
    // The generation of now, not one that this process knew a while ago.
    keySets.moved();
    await gate.drained();
    const { epoch } = await gate.current();
    const generation = await presentGeneration(dependencies);
    const sets = await inventory.sets();
    const left = await keysUpTo(dependencies, generation - 1);
    const damaged = sets.filter(({ set }) => set === null).map(({ id }) => id);
    const stale = await staleTenantSets(dependencies);
    const naming = [...new Set([...[...left.values()].flat(), ...stale])];
    const [items, unknown] = [await anyOf(inventory, naming), await anyOf(inventory, damaged)];
    const after = await inventory.sets();
    const isSettled = after.length === sets.length && (await gate.current()).epoch === epoch;
    if (isSettled)
      return { generation, keys: [...left.keys()].sort(), items, unknown, epoch, at: clock().toISOString() };
  }
  throw new VaultError("run-refused", "Others change the key store's wrap sets faster than they can be looked at");
}

async function anyOf(
  inventory: Pick<ShredDependencies["store"]["inventory"], "any">,
  sets: readonly WrapSetId[],
): Promise<boolean> {
  return sets.length > 0 && inventory.any(sets);
}
