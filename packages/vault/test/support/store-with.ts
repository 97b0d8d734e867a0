/**
 * A real store with some of its methods replaced, to come in between.
 */
import type { RecordStore } from "@strongroom/vault";

export function storeWith(store: RecordStore, replaced: Partial<RecordStore>): RecordStore {
  return new Proxy(store, {
    get: (target, name) =>
      (Reflect.get(replaced, name) as unknown) ??
      (Reflect.get(target, name) as (...args: unknown[]) => unknown).bind(target),
  });
}
