/**
 * What lies under which wrapping key: counted for whoever asks what there is, and proven for whoever wants to let go of
 * a key. The proof never trusts what was read before: it waits for the writes of before, and then asks for one item.
 */
import { shown } from "@strongroom/base/shown";
import { VaultError } from "../errors.ts";
import { MAX_KEY_NAME_BYTES } from "../keys/key-set.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";
import { countKept, countSets } from "./converged-store.ts";
import type { ConvergedStore, SetCount } from "./converged-store.ts";
import { regionOrNull } from "./plan-lines.ts";
import type { InventoryLine, KeyProbe, WrappedStore } from "./view.ts";

/** `vault.convergence.inventory`: in the order of stores, providers, keys and material. */
export async function keyInventory(stores: readonly ConvergedStore[]): Promise<readonly InventoryLine[]> {
  const lines = await Promise.all(stores.map(storeInventory));
  return lines.flat();
}

/**
 * An item lies under each of its wraps, and is counted on the line of each. Items whose wraps nobody can tell are a
 * line without a provider and a key.
 */
async function storeInventory(from: ConvergedStore): Promise<readonly InventoryLine[]> {
  const { digest } = await from.gate.current();
  const inForce = new Set(from.keySets.known(digest)?.names);
  const lines = new Map<string, InventoryLine>();
  for (const { set, items, oldest } of [...(await countSets(from)), ...(await countKept(from))]) {
    for (const { provider, key, material } of distinct(set)) {
      const name = JSON.stringify([provider, key, material]);
      const known = lines.get(name);
      lines.set(name, {
        store: from.store,
        provider,
        key,
        region: regionOrNull(key),
        material,
        items: items + (known?.items ?? 0),
        oldest: earlier(known?.oldest ?? null, oldest),
        isInForce: inForce.has(key),
      });
    }
  }
  return [...lines.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => shownLine(line));
}

/** Each key and material once, whatever a row that was written by hand says. */
function distinct(set: SetCount["set"]): readonly Pick<InventoryLine, "provider" | "key" | "material">[] {
  if (set === null) return [{ provider: "", key: "", material: null }];
  const wraps = new Map(set.wraps.map((wrap) => [JSON.stringify([wrap.provider, wrap.key, wrap.material]), wrap]));
  return [...wraps.values()];
}

function shownLine(line: InventoryLine): InventoryLine {
  return {
    ...line,
    provider: shown(line.provider),
    key: shown(line.key),
    region: line.region === null ? null : shown(line.region),
    material: line.material === null ? null : shown(line.material),
  };
}

function earlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

/**
 * `vault.convergence.probe`.
 *
 * @param key as wraps name it: of a key in AWS KMS, its ARN
 * @throws VaultError `vault-option-invalid`; `store-newer`; the stores'
 */
export async function probeKey(stores: readonly ConvergedStore[], key: string, clock: () => Date): Promise<KeyProbe> {
  if (typeof key !== "string" || key === "" || Buffer.byteLength(key, "utf8") > MAX_KEY_NAME_BYTES)
    throw new VaultError("vault-option-invalid", `A key's name has 1 to ${MAX_KEY_NAME_BYTES} bytes of UTF-8`);
  const found = await Promise.all(stores.map(async (from) => [from.store, await probeStore(from, key)] as const));
  const those = (is: (probe: StoreProbe) => boolean): readonly WrappedStore[] =>
    found.filter(([, probe]) => is(probe)).map(([store]) => store);
  return {
    key,
    inForce: those(({ isInForce }) => isInForce),
    items: those(({ has }) => has),
    kept: found.some(([, probe]) => probe.keeps),
    unknown: those(({ isUnknown }) => isUnknown),
    epochs: Object.fromEntries(found.map(([store, { epoch }]) => [store, epoch])),
    at: clock().toISOString(),
  };
}

interface StoreProbe {
  readonly isInForce: boolean;
  readonly has: boolean;
  readonly keeps: boolean;
  readonly isUnknown: boolean;
  readonly epoch: number;
}

/** Looks until the sets stay as they are. Who makes new ones faster than this can be looked at proves nothing. */
const PROBE_LOOKS = 8;

async function probeStore(from: ConvergedStore, key: string): Promise<StoreProbe> {
  // Refuses a store of a newer program, whose sets may mean something else.
  await from.keySets.status();
  await from.gate.drained();
  const { epoch, digest } = await from.gate.current();
  const inForce = from.keySets.known(digest);
  // What another set names nobody here can tell; where nothing was ever written nothing is in force.
  const isTold = digest === null || (inForce?.names ?? null) !== null;
  const isInForce = inForce?.names?.includes(key) === true;
  let sets = await probedSets(from, key);
  for (let look = 1; ; look++) {
    const hadAny = await anyOf(from, sets.naming);
    const isUnknown = !isTold || (await anyOf(from, sets.damaged)) || sets.haveStrangers;
    const after = await probedSets(from, key);
    const isSettled = isWithin(after, sets) && (await from.gate.current()).epoch === epoch;
    const keeps = await keptUnder(from, sets.naming);
    // Asked twice: a message that was kept a moment ago may be a version's again.
    const has = hadAny || (from.kept !== null && (await anyOf(from, sets.naming)));
    const probe = { isInForce, has, keeps, isUnknown, epoch };
    if (isSettled) return probe;
    if (look === PROBE_LOOKS) return { ...probe, isUnknown: true };
    sets = after;
  }
}

/** The sets that a probe asks for, by their rows as they are now. */
interface ProbedSets {
  readonly naming: readonly WrapSetId[];
  readonly damaged: readonly WrapSetId[];
  /** Whether a message is kept under a set that has no row, or a damaged one. */
  readonly haveStrangers: boolean;
}

async function probedSets({ inventory, kept }: ConvergedStore, key: string): Promise<ProbedSets> {
  const keptIds = kept === null ? [] : (await kept.counts(1)).filter(({ items }) => items > 0).map(({ id }) => id);
  const sets = await inventory.sets();
  const known = new Set(sets.filter(({ set }) => set !== null).map(({ id }) => id));
  return {
    naming: sets.filter(({ set }) => set?.wraps.some((wrap) => wrap.key === key) === true).map(({ id }) => id),
    damaged: sets.filter(({ set }) => set === null).map(({ id }) => id),
    haveStrangers: keptIds.some((id) => !known.has(id)),
  };
}

function isWithin(after: ProbedSets, before: ProbedSets): boolean {
  const [naming, damaged] = [new Set(before.naming), new Set(before.damaged)];
  return after.naming.every((id) => naming.has(id)) && after.damaged.every((id) => damaged.has(id));
}

async function anyOf({ inventory }: Pick<ConvergedStore, "inventory">, sets: readonly WrapSetId[]): Promise<boolean> {
  return sets.length > 0 && inventory.any(sets);
}

async function keptUnder({ kept }: Pick<ConvergedStore, "kept">, sets: readonly WrapSetId[]): Promise<boolean> {
  return kept !== null && sets.length > 0 && kept.any(sets);
}
