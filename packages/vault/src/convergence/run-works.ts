/**
 * What a run does to keys and to versions, each as a work that rounds do: keys get the wraps that they lack and lose
 * those that they have too much; versions whose messages have wraps of their own are sealed anew.
 */
import type { KeyPlace, KeyRow } from "../stores/key-store.ts";
import type { VersionPlace } from "../stores/rows.ts";
import type { WrapSet, WrapSetId } from "../stores/wrap-set.ts";
import { addWraps } from "./add-wraps.ts";
import type { KeyWorkDependencies } from "./add-wraps.ts";
import { stillMissing } from "./decide-repair.ts";
import type { RepairDecision, WrapPlace } from "./decide-repair.ts";
import { dropWraps } from "./drop-wraps.ts";
import { CONVERGE_KEYS_JOB, CONVERGE_VERSIONS_JOB, DROP_KEYS_JOB, UNDO_VERSIONS_JOB } from "./partitions.ts";
import { restoreKept } from "./restore-kept.ts";
import { sealAnew } from "./seal-anew.ts";
import type { DecidedBy, SealDependencies, SealRules } from "./seal-anew.ts";
import { isInShare } from "./share.ts";
import { regionOfKey, wantOf } from "./target.ts";
import type { Target, Want } from "./target.ts";
import type { WantedSets, Work, WorkInventory } from "./work.ts";

/** What a run asks of every item, of one store. */
export interface RunRules {
  /** The run's id: by it the share of items is drawn that are proven. */
  readonly run: string;
  /** When it began: ISO 8601, UTC. */
  readonly beganAt: string;
  /** Share of the new wraps that are opened before they count. */
  readonly verify: number;
  /** Names of keys under which nothing lay when the run began: what is under them it has made, and opened. */
  readonly own: ReadonlySet<string>;
  /**
   * What is in force now asks; null: its keyring has no names.
   *
   * @throws VaultError `regions-unavailable` where a key does not tell its material; `key-set-unknown`; the store's
   */
  readonly target: () => Promise<Target | null>;
  /** Of a shred: whether nothing hangs on a key of a generation that is left. */
  readonly mayGo?: (row: KeyRow) => Promise<boolean>;
}

/** A set that an inventory has, with what it wants. */
export interface WantedSet {
  readonly id: WrapSetId;
  readonly set: WrapSet | null;
  readonly want: Want;
}

/** Every set of a store with what it wants; empty where nothing can be told. */
export async function wantsOf(
  inventory: Pick<WorkInventory<never>, "sets">,
  target: Target | null,
): Promise<readonly WantedSet[]> {
  if (target === null) return [];
  return (await inventory.sets()).map(({ id, set }) => ({ id, set, want: wantOf(set, target) }));
}

/** Gives keys what they lack. */
export function convergeKeys(dependencies: KeyWorkDependencies, rules: RunRules): Work<KeyPlace> {
  const { inventory, jobs } = dependencies.store;
  const { verify, run } = rules;
  return {
    job: CONVERGE_KEYS_JOB,
    inventory,
    jobs,
    damaged: "subject-key-tampered",
    wanted: async () =>
      wanted(await wantsOf(inventory, await rules.target()), (want) =>
        want.lacks.length === 0 ? null : regionsOf(want.lacks.map(({ region }) => region)),
      ),
    converge: async (place, lease) =>
      addWraps(dependencies, place, lease, {
        materials: (await rules.target())?.materials ?? null,
        isProven: ({ version }) => isInShare(verify, run, version),
        isRepair: false,
        ...(rules.mayGo === undefined ? {} : { mayGo: rules.mayGo }),
      }),
  };
}

/** Takes from keys what they have too much, once they lack nothing. */
export function dropKeys(dependencies: KeyWorkDependencies, rules: RunRules): Work<KeyPlace> {
  const { inventory, jobs } = dependencies.store;
  const { verify, run, own, beganAt } = rules;
  return {
    job: DROP_KEYS_JOB,
    inventory,
    jobs,
    damaged: "subject-key-tampered",
    wanted: async () =>
      wanted(await wantsOf(inventory, await rules.target()), (want) =>
        want.lacks.length === 0 && want.extra.length > 0 ? [] : null,
      ),
    converge: async (place, lease, since) => {
      const materials = (await rules.target())?.materials ?? null;
      return dropWraps(dependencies, place, lease, {
        since,
        rules: {
          materials,
          isProven: ({ version }) => isInShare(verify, run, version),
          wasProven: (key, at) => at !== null && at >= beganAt && (materials !== null || own.has(key)),
        },
      });
    },
  };
}

/** Seals versions anew that are not under the keys in force, and under those alone. */
export function convergeVersions(dependencies: SealDependencies, rules: RunRules): Work {
  const { inventory, jobs } = dependencies.store;
  return {
    job: CONVERGE_VERSIONS_JOB,
    inventory,
    jobs,
    damaged: "record-tampered",
    wanted: () => wantedVersions(inventory, rules),
    converge: async (place, lease) => sealAnew(dependencies, place, lease, await sealRules(rules, { keeps: true })),
  };
}

/** Puts kept messages back; versions that have none are sealed anew under the keys in force. */
export function undoVersions(dependencies: SealDependencies, rules: RunRules): Work {
  const { inventory, jobs } = dependencies.store;
  return {
    job: UNDO_VERSIONS_JOB,
    inventory,
    jobs,
    damaged: "record-tampered",
    wanted: () => wantedVersions(inventory, rules),
    converge: async (place, lease) => {
      const target = await rules.target();
      const restored = target === null ? null : await restoreKept(dependencies, place, { lease, target });
      return restored ?? sealAnew(dependencies, place, lease, await sealRules(rules, { keeps: false }));
    },
  };
}

async function wantedVersions(
  inventory: Pick<WorkInventory<VersionPlace>, "sets">,
  rules: RunRules,
): Promise<WantedSets> {
  const target = await rules.target();
  const regions = regionsOf([...(target?.names ?? [])].map(regionOfKey));
  return wanted(await wantsOf(inventory, target), (want) =>
    want.lacks.length === 0 && want.extra.length === 0 ? null : regions,
  );
}

/** How a run seals versions anew. */
export async function sealRules(
  { verify, run, target: targetNow }: RunRules,
  { keeps, always = false }: { readonly keeps: boolean; readonly always?: boolean },
): Promise<SealRules> {
  const target = await targetNow();
  return {
    decide: (before, after, found) => decideByKeys(before, after, { ...found, always: always || hasMaterials(target) }),
    keeps: () => Promise.resolve(keeps),
    isProven: ({ collection, id, version }) => isInShare(verify, run, `${collection}/${id}/${version}`),
    choose: null,
    // A data key is wrapped under the newest material that there is: that one, or one that came after it was asked for.
    account: (set) => ({
      ...set,
      wraps: set.wraps.map((wrap) => ({ ...wrap, material: target?.materials?.get(wrap.key) ?? wrap.material })),
    }),
  };
}

/**
 * Whether a new message may take the place of the old one, which is kept: it must lose no key in force that the old one
 * is under, and gain one where it has not all that it is to have.
 *
 * @throws VaultError `wraps-still-missing`
 */
function decideByKeys(
  before: readonly WrapPlace[],
  after: readonly WrapPlace[],
  { sealing: { names }, missing, always }: DecidedBy & { readonly always: boolean },
): RepairDecision {
  const inForce = (wraps: readonly WrapPlace[]): ReadonlySet<string> =>
    new Set(wraps.map(({ keyInfo }) => keyInfo).filter((key) => names?.includes(key) ?? true));
  const [had, has] = [inForce(before), inForce(after)];
  const gained = [...has].filter((key) => !had.has(key));
  if (missing.length > 0 && (gained.length === 0 || [...had].some((key) => !has.has(key)))) throw stillMissing(missing);
  const isForeign = before.some(({ keyInfo }) => !(names?.includes(keyInfo) ?? true));
  if (gained.length === 0 && !isForeign && !always) return { kind: "settled" };
  return { kind: "replace", gained: gained.map((key) => regionOfKey(key) || key) };
}

const hasMaterials = (target: Target | null): boolean => target !== null && target.materials !== null;

function wanted(
  sets: readonly WantedSet[],
  regions: (want: Extract<Want, { kind: "wraps" }>) => readonly string[] | null,
): WantedSets {
  const found = new Map<WrapSetId, readonly string[]>();
  for (const { id, want } of sets) {
    const needed = want.kind === "wraps" ? regions(want) : null;
    if (needed !== null) found.set(id, needed);
  }
  return found;
}

/** Each once; none where a key lives in no region: then there is nothing to wait for. */
function regionsOf(regions: readonly string[]): readonly string[] {
  return regions.includes("") ? [] : [...new Set(regions)];
}
