/**
 * A key that was opened, whatever its wraps lay under.
 */
import type { BranchKey } from "@strongroom/envelope/hierarchical";
import type { KeyName } from "../stores/key-store.ts";
import type { WrapSet } from "../stores/wrap-set.ts";
import type { Tenant } from "./subject-keys.ts";

/** A key that was opened. Whoever gets one wipes it. */
export interface OpenedKey extends BranchKey, KeyName {
  readonly ordinal: number;
  /** Its shredding generation. */
  readonly generation: number;
  /** Whose key wraps it; null: the regions do. */
  readonly tenant: Tenant | null;
  readonly wrapSet: WrapSet;
}

/** A key that is wiped where `using` ends. */
export type DisposableKey = OpenedKey & Disposable;

/** It is wiped where `using` ends. */
export function disposable(opened: OpenedKey): DisposableKey {
  return {
    ...opened,
    [Symbol.dispose]: () => {
      opened.key.wipe();
    },
  };
}
