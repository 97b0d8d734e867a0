/**
 * What a run does in each of its phases, in one store, and whether there is anything left to do. That is asked of the
 * stores each time: nothing is believed to be done because somebody said so.
 */
import type { KeySets } from "../keys/key-sets.ts";
import type { Leased } from "../stores/jobs.ts";
import type { KeptItem } from "../stores/kept.ts";
import type { KeyPlace } from "../stores/key-store.ts";
import type { VersionPlace } from "../stores/rows.ts";
import type { Store } from "../stores/store.ts";
import { requireMaterials, targetOf } from "./in-force.ts";
import { passOverKept } from "./kept-pass.ts";
import type { KeptDone, KeptPassDependencies } from "./kept-pass.ts";
import { kindChanges, kindsNow } from "./change-kinds.ts";
import type { KindDependencies } from "./change-kinds.ts";
import { isPassed, passOverAll } from "./full-pass.ts";
import type { FullPass, PassPace } from "./full-pass.ts";
import { hasReseals, reseals } from "./reseal.ts";
import type { ResealDependencies } from "./reseal.ts";
import { restoreKept } from "./restore-kept.ts";
import type { StoredRun } from "./run.ts";
import { convergeKeys, convergeVersions, dropKeys, undoVersions, wantsOf } from "./run-works.ts";
import { isRetagged, retagNames } from "./retag-names.ts";
import type { RunRules, WantedSet } from "./run-works.ts";
import { mayGo, moveTenantPeople, staleTenantSets } from "./shred-keys.ts";
import type { Target } from "./target.ts";
import type { Work } from "./work.ts";
import type { WrappedStore } from "./view.ts";

/** The stores that a run works on. */
export interface RunStores {
  readonly records: ResealDependencies;
  /** Null: the vault has no key store. */
  readonly keys: KindDependencies | null;
}

/** Whether a run takes the keys of the key store into another shredding generation, or back. */
export function isShred({ sets }: Pick<StoredRun, "sets">, keySets: Pick<KeySets, "known">): boolean {
  const [before, to] = [keySets.known(sets.keys?.before ?? null), keySets.known(sets.keys?.to ?? null)];
  return before !== null && to !== null && before.generation !== to.generation;
}

/** How long what keys told of their material is believed, in milliseconds. */
const MATERIAL_AGE_MS = 30_000;

/** What a run asks of the items of a store. @param keySets of that store */
export function rulesOf(run: StoredRun, store: WrappedStore, keySets: KeySets): RunRules {
  const { id, beganAt, options, phase, sets } = run;
  const { before = null, to = null, isNew = false } = sets[store] ?? {};
  const known = new Set(keySets.known(before)?.names);
  // Going back, what stays was there before.
  const isOwn = isNew && phase !== "undo";
  let told: { readonly digest: string; readonly at: number; readonly materials: Target["materials"] } | null = null;
  return {
    run: id,
    beganAt,
    verify: options.verify,
    own: new Set(isOwn ? keySets.known(to)?.names?.filter((name) => !known.has(name)) : []),
    target: async () => {
      const sealing = await keySets.forWriting();
      if (options.material === "any" || phase === "undo") return targetOf(sealing);
      const at = performance.now();
      if (told?.digest !== sealing.digest || at - told.at > MATERIAL_AGE_MS) {
        told = { digest: sealing.digest, at, materials: await requireMaterials(sealing, undefined) };
      }
      return targetOf(sealing, told.materials);
    },
  };
}

/** What one process does for a run in one phase. */
export class RunPhaseWork {
  readonly #run: StoredRun;
  readonly #stores: RunStores;
  /** Whether the keys go to another shredding generation. */
  readonly #isShred: boolean;
  readonly #records: RunRules;
  readonly #keys: RunRules | null;

  constructor(run: StoredRun, stores: RunStores) {
    this.#run = run;
    this.#stores = stores;
    this.#records = rulesOf(run, "records", stores.records.keys);
    const { keys } = stores;
    this.#isShred = keys !== null && isShred(run, keys.keySets);
    const rules = keys === null ? null : rulesOf(run, "keys", keys.keySets);
    this.#keys =
      rules === null || keys === null || !this.#isShred ? rules : { ...rules, mayGo: (row) => mayGo(keys, run, row) };
  }

  /** The works of the phase on keys, in their order: each begins when the one before has nothing due. */
  keyWorks(): readonly Work<KeyPlace>[] {
    const { keys } = this.#stores;
    if (keys === null || this.#keys === null) return [];
    const add = [...(this.#isShred ? [moveTenantPeople(keys)] : []), convergeKeys(keys, this.#keys)];
    return this.#run.phase === "add" ? add : [...add, dropKeys(keys, this.#keys)];
  }

  recordWorks(): readonly Work[] {
    const { records } = this.#stores;
    return [
      this.#run.phase === "undo" ? undoVersions(records, this.#records) : convergeVersions(records, this.#records),
    ];
  }

  /** What no wrap set tells from others, once the others are done. */
  async passes(pace: PassPace): Promise<void> {
    const [kinds, versions] = [this.#kindChanges(), this.#reseals()];
    if (kinds !== null) await passOverAll(kinds, pace);
    if (versions !== null) await passOverAll(versions, pace);
    if (this.#stores.keys !== null && this.#retags) await retagNames(this.#stores.keys, this.#run, pace);
  }

  /** Names get the hashes of the generation before old keys go, and those of before when it is gone back. */
  get #retags(): boolean {
    return this.#isShred && (this.#run.phase === "add" || this.#run.phase === "undo");
  }

  #kindChanges(): FullPass<KeyPlace> | null {
    const { keys } = this.#stores;
    const kinds = kindsNow(this.#run);
    return keys === null || kinds === null ? null : kindChanges(keys, this.#run, kinds);
  }

  #reseals(): FullPass<VersionPlace> | null {
    const isMeant = this.#run.phase === "add" && hasReseals(this.#run);
    return isMeant ? reseals(this.#stores.records, this.#run, this.#records) : null;
  }

  /** In the phases that let go of kept messages: does it. Tells how many went, or came back. */
  async kept(pass: Pick<KeptPassDependencies, "leaseMs" | "stop">): Promise<number> {
    const { records } = this.#stores;
    if (this.#run.phase !== "drop" && this.#run.phase !== "undo") return 0;
    const { kept, jobs } = records.store;
    return passOverKept({ kept, jobs, clock: records.clock, ...pass }, (items, lease, until) =>
      this.#run.phase === "undo" ? this.#restored(items, lease, { ...pass, until }) : this.#dropped(items, lease),
    );
  }

  /**
   * Whether nothing is left to do in the phase, failures included; null: it is. Otherwise, why not, in a word.
   *
   * @throws VaultError the stores'; `regions-unavailable`
   */
  async left(): Promise<"items" | "kept" | null> {
    const drops = this.#run.phase !== "add";
    const { records, keys } = this.#stores;
    const looks = [
      { inventory: records.store.inventory, rules: this.#records, extra: true },
      ...(keys === null || this.#keys === null
        ? []
        : [{ inventory: keys.store.inventory, rules: this.#keys, extra: drops }]),
    ];
    for (const { inventory, rules, extra } of looks) {
      const sets = await wantsOf(inventory, await rules.target());
      const wanting = sets.filter((one) => wants(one, extra)).map(({ id }) => id);
      if (wanting.length > 0 && (await inventory.any(wanting))) return "items";
    }
    if (keys !== null && this.#isShred) {
      if (this.#retags && !(await isRetagged(keys.store.jobs, this.#run))) return "items";
      const stale = await staleTenantSets(keys);
      if (stale.length > 0 && (await keys.store.inventory.any(stale))) return "items";
    }
    for (const pass of [this.#kindChanges(), this.#reseals()])
      if (pass !== null && !(await isPassed(pass.jobs, pass.job))) return "items";
    if (drops && (await records.store.kept.list({ after: null, limit: 1 })).length > 0) return "kept";
    return null;
  }

  /** Only of versions that lack nothing. */
  async #dropped(items: readonly DroppedItem[], lease: Leased): Promise<KeptDone> {
    const { store } = this.#stores.records;
    const sets = await wantsOf(store.inventory, await this.#records.target());
    // Of what nobody can tell it is not known that it lacks nothing.
    const lacking = new Set(sets.filter((one) => one.want.kind === "unknown" || wants(one, false)).map(({ id }) => id));
    const places = items.flatMap(({ place }) => (place === null ? [] : [place]));
    const isClean = lacking.size === 0 || !(await store.inventory.any([...lacking]));
    const mayGo = isClean ? places : await notLacking(store, places, lacking);
    // Nothing goes back to what is of no version: it would keep the key that it is under for ever.
    const ofNone = items.flatMap(({ place, position }) =>
      place === null && position !== undefined ? [{ position }] : [],
    );
    if (mayGo.length + ofNone.length > 0) await store.kept.drop([...mayGo, ...ofNone], lease);
    return { done: mayGo.length + ofNone.length, failed: places.length - mayGo.length };
  }

  async #restored(
    items: readonly Pick<KeptItem, "place" | "position">[],
    lease: Leased,
    { until, stop }: { readonly until: number; readonly stop: AbortSignal },
  ): Promise<KeptDone> {
    const { records } = this.#stores;
    const target = await this.#records.target();
    let done = 0;
    for (const { place, position } of items) {
      if (stop.aborted || records.clock().getTime() >= until) break;
      if (target === null) continue;
      if (place === null) {
        done += (await this.#dropped([{ place, position }], lease)).done;
        continue;
      }
      if ((await restoreKept(records, place, { lease, target })) === null) {
        const { done: dropped } = await this.#dropped([{ place }], lease);
        done += dropped;
      } else done++;
    }
    return { done, failed: items.length - done };
  }
}

/** A kept message; without a position, one that has a place. */
type DroppedItem = Pick<KeptItem, "place"> & Partial<Pick<KeptItem, "position">>;

/** Whether the items of a set are to be worked on. Those of which nobody can tell stay as they are. */
function wants({ want }: WantedSet, extra: boolean): boolean {
  return want.kind === "wraps" && (want.lacks.length > 0 || (extra && want.extra.length > 0));
}

async function notLacking(
  { records }: Pick<Store, "records">,
  places: readonly VersionPlace[],
  lacking: ReadonlySet<number>,
): Promise<readonly VersionPlace[]> {
  const may: VersionPlace[] = [];
  for (const place of places) {
    const { stored } = await records.read(place, place.version);
    if (stored !== null && !lacking.has(stored.stamp.wrapSet)) may.push(place);
  }
  return may;
}
