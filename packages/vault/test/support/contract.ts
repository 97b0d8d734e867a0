/**
 * What the parts of a store's contract are written against.
 */
import type { RecordStore } from "@strongroom/vault";

export interface Storage {
  /** Another store over the same storage, as another process would open it. Closed by the caller. */
  open(): Promise<RecordStore>;
}

/** States one behaviour, to be shown on an empty store. */
export type Contract = (behaviour: string, body: (store: RecordStore, storage: Storage) => Promise<void>) => void;
