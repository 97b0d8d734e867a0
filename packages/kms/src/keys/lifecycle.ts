// What time does to keys, whether or not anyone calls: a deletion that is due destroys the key.
// It is applied before the next call is answered, so that no call ever sees a key that should be gone.

import type { Store } from "../store/store.ts";
import type { Change } from "../store/region-state.ts";
import type { KeyRecord } from "./key-record.ts";

/** Watches the keys of a store for what is due. */
export class Lifecycle {
  readonly #store: Store;
  #nextDue = Number.NEGATIVE_INFINITY;
  #seenVersion = -1;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Applies everything that is due at `now`; the changes are to be committed with the call at hand. */
  settle(now: number): readonly Change[] {
    if (this.#seenVersion === this.#store.keysVersion && now < this.#nextDue) return [];
    const changes: Change[] = [];
    for (const region of this.#store.regions.values()) {
      for (const key of region.keys.values()) changes.push(...dueChanges(key, now));
    }
    this.#store.apply(changes);
    this.#nextDue = Math.min(...this.#dueTimes());
    this.#seenVersion = this.#store.keysVersion;
    return changes;
  }

  *#dueTimes(): Iterable<number> {
    yield Number.POSITIVE_INFINITY;
    for (const region of this.#store.regions.values()) {
      for (const key of region.keys.values()) yield dueTime(key);
    }
  }
}

const dueTime = (key: KeyRecord): number => (key.deletion !== null && !key.deletion.waitsForReplicas ? key.deletion.at : Number.POSITIVE_INFINITY);

function dueChanges(key: KeyRecord, now: number): readonly Change[] {
  if (dueTime(key) > now) return [];
  return [{ kind: "delete-key", region: key.region, keyId: key.keyId }];
}
