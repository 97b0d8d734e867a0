/**
 * The plan: what is stored beside what is declared, and what it would take to bring the one to the other. It reads wrap
 * sets and counts, and of messages their lengths; none is opened.
 */
import { collectionsOffScope } from "./plan-scopes.ts";
import type { ScopeSources } from "./plan-scopes.ts";
import { countKept, countSets } from "./converged-store.ts";
import type { ConvergedStore, SetCount } from "./converged-store.ts";
import { declaredKeys } from "./declared.ts";
import { forecast, NO_MOVES } from "./forecast.ts";
import type { ForecastStore } from "./forecast.ts";
import { currentMaterials, targetOf } from "./in-force.ts";
import { changeOf, planLines } from "./plan-lines.ts";
import { planProblems } from "./plan-problems.ts";
import type { FleetSeen } from "./plan-problems.ts";
import { wantOf } from "./target.ts";
import type { Target, Want } from "./target.ts";
import type { ConvergeOptions, ConvergencePlan, StorePlan } from "./view.ts";

/** What a plan is made from. */
export interface PlanSources {
  /** In the order in which they are put in force: keys before records. */
  readonly stores: readonly ConvergedStore[];
  /** Null: the vault has one scope only, `record`. */
  readonly scopes: ScopeSources | null;
  /** Lengths of some of the messages that have one of these sets. */
  readonly messageBytes: (sets: readonly SetCount[]) => Promise<number>;
  readonly fleet: () => Promise<FleetSeen>;
  /** Whether a run is under way that another one would cross: one that holds is none. */
  readonly isUnderWay: () => Promise<boolean>;
  readonly clock: () => Date;
  readonly signal?: AbortSignal | undefined;
}

/** `vault.convergence.plan`. @throws VaultError `store-newer`; the stores'; EnvelopeError `aborted` */
export async function planOf(sources: PlanSources, options: ConvergeOptions = {}): Promise<ConvergencePlan> {
  const at = sources.clock().toISOString();
  const planned = await Promise.all(sources.stores.map((store) => plannedStore(store, options, sources)));
  const { scopes, moves } =
    sources.scopes === null || options.scopes === false
      ? { scopes: [], moves: NO_MOVES }
      : await collectionsOffScope(sources.scopes, new Map(planned.map(({ plan, sets }) => [plan.store, sets])));
  const stores = planned.map(({ plan }) => plan);
  const [fleet, isUnderWay] = await Promise.all([sources.fleet(), sources.isUnderWay()]);
  const problems = planProblems({ stores, scopes, fleet, isUnderWay, force: options.force === true });
  return {
    at,
    stores,
    scopes,
    forecast: forecast(
      planned.map(({ cost }) => cost),
      options,
      moves,
    ),
    problems,
  };
}

interface PlannedStore {
  readonly plan: StorePlan;
  readonly cost: ForecastStore;
  readonly sets: readonly SetCount[];
}

async function plannedStore(
  from: ConvergedStore,
  options: ConvergeOptions,
  { messageBytes, signal }: Pick<PlanSources, "messageBytes" | "signal">,
): Promise<PlannedStore> {
  const { epoch, inForce } = await from.keySets.status();
  const set = from.keySets.declared;
  const declared = declaredKeys(set);
  // A key whose provider does not answer now has whatever material there is: nothing is replaced because of it.
  const materials = options.material === "current" ? await currentMaterials(set, signal) : null;
  const named = targetOf(set, materials);
  const target: Target = named ?? { names: new Set<string>(), target: 0, materials };
  const counts = await countSets(from);
  const kept = await countKept(from);
  // Against a set without names nothing can be held: what lies under keys of the vault is told, and the rest stays.
  const wantIn = ({ set: found }: SetCount): Want => {
    const want = wantOf(found, target);
    return named === null && want.kind === "wraps" ? { kind: "wraps", lacks: [], short: 0, extra: [] } : want;
  };
  const sets = counts.map((count) => ({ ...count, want: wantIn(count) }));
  const rules = { store: from.store, declared, target, options };
  const anew = sets.filter((counted) => changeOf(counted, rules) === "seal-anew");
  const plan = {
    store: from.store,
    epoch,
    inForce,
    declared: { digest: declared.digest, keys: declared.keys, target: declared.target },
    flips: inForce !== null && inForce !== declared.digest,
    lines: planLines(sets, rules),
    kept: kept.reduce((sum, { items }) => sum + items, 0),
  };
  const known = [set, ...from.keySets.digests.map((digest) => from.keySets.known(digest) ?? set)];
  const cost = {
    ...rules,
    sets,
    sources: known.map(declaredKeys),
    reEncrypts: (key: string, to: string) =>
      known.some(({ keyring }) => set.keyring.reEncrypts?.(keyring, key, to) ?? false),
    isShred: from.store === "keys" && set.generation !== (from.keySets.known(inForce)?.generation ?? set.generation),
    messageBytes: from.store === "keys" || anew.length === 0 ? 0 : await messageBytes(anew),
  };
  return { plan, cost, sets: counts };
}
