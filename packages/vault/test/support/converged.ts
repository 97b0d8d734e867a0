/**
 * Stores as plans and probes look at them, whose sets and items a test writes down itself.
 */
import type { Keyring } from "@strongroom/envelope";
import { keySetDigest } from "@strongroom/vault";
import type { MissingWrap, Wrap, WrapSet, WrapSetId } from "@strongroom/vault";
import type { ConvergedStore } from "../../src/convergence/converged-store.ts";
import { regionOfKey } from "../../src/convergence/target.ts";
import type { WrappedStore } from "../../src/convergence/view.ts";
import type { KeySet } from "../../src/keys/key-set.ts";
import type { Epoch } from "../../src/stores/gate.ts";

export const arn = (region: string, key: string): string => `arn:aws:kms:${region}:111122223333:key/${key}`;

export const wrap = (key: string, material: string | null = null): Wrap => ({ provider: "aws-kms", key, material });

export const setOf = (wraps: readonly Wrap[], missing: readonly MissingWrap[] = []): WrapSet => ({
  wraps,
  target: wraps.length + missing.length,
  missing,
});

/** A key set of these names, with a keyring that says no more than a test has it say. */
export function keySet(names: readonly string[], more: Partial<Keyring> = {}): KeySet {
  const refuse = (): never => {
    throw new Error("nothing is sealed or opened here");
  };
  return {
    keyring: { onEncrypt: refuse, onDecrypt: refuse, ...more },
    names,
    digest: keySetDigest(names),
    generation: 0,
  };
}

/** Which wraps are re-encrypted where one client speaks for all keys of a region. */
export const inRegion = (from: string, to: string): boolean => regionOfKey(from) === regionOfKey(to);

/** What a store has under each wrap set. */
export interface Having {
  readonly set: WrapSet | null;
  readonly items?: number;
  readonly kept?: number;
  readonly oldest?: string;
}

export interface FakeStore extends ConvergedStore {
  /** By the number of the wrap set. */
  readonly rows: Map<WrapSetId, Having>;
  /** What was asked, in its order. */
  readonly asked: string[];
  /** Done before the named question is answered, each time. */
  readonly before: Partial<Record<"sets" | "counts" | "any" | "kept-any" | "kept-counts" | "drained", () => void>>;
}

/** @param inForce what the gate says; left out: the current set's digest */
export function fakeStore(
  store: WrappedStore,
  {
    current,
    next = null,
    inForce,
  }: { readonly current: KeySet; readonly next?: KeySet | null; readonly inForce?: string },
  having: readonly Having[],
): FakeStore {
  const rows = new Map(having.map((row, index) => [(index + 1) as WrapSetId, row]));
  const asked: string[] = [];
  const before: FakeStore["before"] = {};
  const digest = inForce ?? current.digest;
  const ask = (question: keyof FakeStore["before"]): void => {
    asked.push(question);
    before[question]?.();
  };
  return {
    store,
    rows,
    asked,
    before,
    keySets: {
      status: () =>
        Promise.resolve({
          epoch: 3,
          inForce: digest,
          state: "current",
          current: { digest: current.digest, keys: current.names },
          next: null,
        }),
      known: (of) => [current, next].find((set) => set?.digest === of) ?? null,
      declared: next ?? current,
      digests: [current, ...(next === null ? [] : [next])].map((set) => set.digest),
    },
    gate: {
      current: () => Promise.resolve({ vault: "v", peer: null, epoch: 3 as Epoch, digest, minReader: 0, minWriter: 0 }),
      drained: () => {
        ask("drained");
        return Promise.resolve();
      },
    },
    inventory: {
      sets: () => {
        ask("sets");
        return Promise.resolve([...rows].map(([id, { set }]) => ({ id, set })));
      },
      counts: (ids) => {
        ask("counts");
        return Promise.resolve(
          ids.map((id) => ({ id, items: rows.get(id)?.items ?? 0, oldest: rows.get(id)?.oldest ?? null })),
        );
      },
      any: (ids) => {
        ask("any");
        return Promise.resolve(ids.some((id) => (rows.get(id)?.items ?? 0) > 0));
      },
    },
    kept: {
      counts: () => {
        ask("kept-counts");
        const counts = [...rows].map(([id, { kept = 0 }]) => ({ id, items: kept }));
        return Promise.resolve(counts.filter(({ items }) => items > 0));
      },
      any: (ids) => {
        ask("kept-any");
        return Promise.resolve(ids.some((id) => (rows.get(id)?.kept ?? 0) > 0));
      },
    },
  };
}
