/**
 * What becomes of the items of a wrap set, as lines of a plan: one for all sets that look the same and become the same.
 * Names come out of a database: they are cut and escaped only once the lines are merged.
 */
import { shown } from "@strongroom/base/shown";
import type { Wrap, WrapSet } from "../stores/wrap-set.ts";
import type { DeclaredKeys } from "./declared.ts";
import { regionOfKey } from "./target.ts";
import type { Target, Want } from "./target.ts";
import type { ConvergeOptions, PlanLine, PlanWrap, WrappedStore } from "./view.ts";

/** A wrap set with items, and what they want. */
export interface CountedSet {
  readonly items: number;
  /** Null: its row is damaged, or it has none. */
  readonly set: WrapSet | null;
  readonly want: Want;
}

/** What the lines of a store hang on. */
export interface LineRules {
  readonly store: WrappedStore;
  readonly declared: DeclaredKeys;
  readonly target: Target;
  readonly options: Pick<ConvergeOptions, "keepOld" | "fresh">;
}

/** The keys of which an item is to get a wrap: as many as it is short of, the preferred ones first. */
export function comingKeys(want: Want, { keys }: DeclaredKeys): readonly string[] {
  if (want.kind !== "wraps") return [];
  const order = new Map(keys?.map((key, index) => [key, index]));
  return want.lacks
    .map(({ key }) => key)
    .toSorted((a, b) => (order.get(a) ?? order.size) - (order.get(b) ?? order.size))
    .slice(0, want.short);
}

/** What is to be done to the items of a set. */
export function changeOf(
  { want }: Pick<CountedSet, "want">,
  { store, options }: Pick<LineRules, "store" | "options">,
): PlanLine["change"] {
  const isFresh = store === "records" && options.fresh === true;
  if (want.kind !== "wraps") return want.kind === "inner" && isFresh ? "seal-anew" : want.kind;
  const [adds, drops] = [want.lacks.length > 0, want.extra.length > 0];
  // A message's wraps are part of what its header authenticates: another message takes its place.
  if (store === "records") return adds || drops || isFresh ? "seal-anew" : "none";
  const drop = drops && options.keepOld !== true;
  if (adds) return drop ? "add-and-drop" : "add";
  return drop ? "drop" : "none";
}

/** The lines of a store, in the order of their numbers of items. A set that no item has is none. */
export function planLines(sets: readonly CountedSet[], rules: LineRules): readonly PlanLine[] {
  const lines = new Map<string, PlanLine>();
  const providers = providersOf(sets);
  for (const counted of sets) {
    if (counted.items === 0) continue;
    const line = { items: counted.items, change: changeOf(counted, rules), wraps: wrapsOf(counted, rules, providers) };
    const name = JSON.stringify([line.change, line.wraps]);
    lines.set(name, { ...line, items: line.items + (lines.get(name)?.items ?? 0) });
  }
  return [...lines.values()]
    .sort((a, b) => b.items - a.items)
    .map(({ items, change, wraps }) => ({ items, change, wraps: wraps.map(shownWrap) }));
}

/** By the text of the names themselves, so that two names that are cut to the same are two lines. */
function wrapsOf(
  { set, want }: CountedSet,
  { store, declared, target, options }: LineRules,
  providers: ReadonlyMap<string, string>,
): readonly PlanWrap[] {
  if (set === null) return [];
  const goes = new Set(want.kind === "wraps" && !(store === "keys" && options.keepOld === true) ? want.extra : []);
  const coming = comingKeys(want, declared);
  // A wrap that was found wrong is made anew, under the same key.
  const there = set.wraps.filter((wrap) => goes.has(wrap) || !coming.includes(wrap.key));
  const stored = there.map((wrap) => planWrap(wrap, goes.has(wrap) ? "goes" : "stays"));
  const comes = coming.map((key) => {
    const provider = providers.get(key) ?? (regionOfKey(key) === "" ? UNKNOWN_PROVIDER : KMS_PROVIDER);
    return planWrap({ provider, key, material: target.materials?.get(key) ?? null }, "comes");
  });
  return [...stored, ...comes].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** What AWS KMS calls itself in a wrap. */
export const KMS_PROVIDER = "aws-kms";
/** Of a key that wraps nothing yet, and whose name tells no provider. */
const UNKNOWN_PROVIDER = "";

/** Which provider each wrapping key has, as far as something lies under it. */
function providersOf(sets: readonly CountedSet[]): ReadonlyMap<string, string> {
  return new Map(sets.flatMap(({ set }) => set?.wraps.map(({ key, provider }) => [key, provider] as const) ?? []));
}

function planWrap({ provider, key, material }: Wrap, change: PlanWrap["change"]): PlanWrap {
  return { provider, key, region: regionOrNull(key), material, change };
}

function shownWrap({ provider, key, region, material, change }: PlanWrap): PlanWrap {
  return {
    provider: shown(provider),
    key: shown(key),
    region: region === null ? null : shown(region),
    material: material === null ? null : shown(material),
    change,
  };
}

/** Null: the key lives in none. */
export function regionOrNull(key: string): string | null {
  const region = regionOfKey(key);
  return region === "" ? null : region;
}
