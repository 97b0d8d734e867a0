/**
 * What the items of a wrap set want, computed from the set and from what is in force: one function, by which a plan
 * counts, a run works, a probe proves and an inventory tells. Nothing of it is noted at an item.
 */
import { AUDIT_PROVIDER } from "../audit/audit-wrap.ts";
import { TENANT_PROVIDER } from "../keys/tenant-wrap.ts";
import { HIERARCHY_PROVIDER } from "../keys/wraps.ts";
import type { Wrap, WrapSet } from "../stores/wrap-set.ts";

/** What each item is to have. */
export interface Target {
  /** Of the wrapping keys in force. */
  readonly names: ReadonlySet<string>;
  /** Wraps that each item is to have under them. */
  readonly target: number;
  /**
   * Wrapping key -> the material that it has now: a wrap under another one, or under one that nobody told, is old. Keys
   * that are not in it have one material. Null: any will do.
   */
  readonly materials: ReadonlyMap<string, string> | null;
}

/** A wrap that an item is to get. */
export interface LackedWrap {
  /** Where the key lives; "" where it lives in no region. */
  readonly region: string;
  readonly key: string;
}

/** What a wrap set wants. */
export type Want =
  /** Under another key of the vault, which wants for itself. */
  | { readonly kind: "inner" }
  /** Its row holds what no vault writes: nothing can be said. */
  | { readonly kind: "unknown" }
  | {
      readonly kind: "wraps";
      /** Wrapping keys of which it is to get a wrap; of those, `short` are enough. Empty: it has what it is to have. */
      readonly lacks: readonly LackedWrap[];
      /** How many wraps it is to get at least; 0 with nothing in `lacks`. */
      readonly short: number;
      /** Wraps that are to go once nothing is lacked: under keys that are not in force, or under old material. */
      readonly extra: readonly Wrap[];
    };

const INNER: ReadonlySet<string> = new Set([HIERARCHY_PROVIDER, TENANT_PROVIDER, AUDIT_PROVIDER]);

/** What the items of a set want. @param set null: its row is damaged */
export function wantOf(set: WrapSet | null, { names, target, materials }: Target): Want {
  if (set === null) return { kind: "unknown" };
  if (isInner(set)) return { kind: "inner" };
  const isCurrent = ({ key, material }: Wrap): boolean => {
    const current = materials?.get(key);
    return names.has(key) && (current === undefined || current === material);
  };
  // Of a key that owes a wrap which is there a verification has found that it does not open.
  const owed = new Set(set.missing.map(({ keyArn }) => keyArn).filter((key) => names.has(key)));
  const have = new Set(set.wraps.filter((wrap) => isCurrent(wrap) && !owed.has(wrap.key)).map(({ key }) => key));
  const short = Math.max(0, target - have.size);
  const lacking = short > 0 ? [...names].filter((key) => !have.has(key)) : [...owed];
  return {
    kind: "wraps",
    lacks: lacking.sort().map((key) => ({ region: regionOfKey(key), key })),
    short: Math.max(short, lacking.length > 0 ? 1 : 0),
    extra: set.wraps.filter((wrap) => !isCurrent(wrap)),
  };
}

/** Whether what has this set lies under another key of the vault. */
export const isInner = ({ wraps }: Pick<WrapSet, "wraps">): boolean =>
  wraps.some(({ provider }) => INNER.has(provider));

/** Where a wrapping key lives, by its ARN; "" for a key that has none. */
export function regionOfKey(key: string): string {
  return /^arn:[^:]+:kms:([^:]+):/.exec(key)?.[1] ?? "";
}
