/**
 * What stores in a database with indexes, locks and large transactions have in common.
 */
import type { Capabilities } from "./store.ts";

/** All of it but whether a transaction of the caller's can be used. */
export const INDEXED: Omit<Capabilities, "callerTransaction"> = {
  atomicUnits: 1000,
  unitItems: 1000,
  unitBytes: 256 * 1024 * 1024,
  list: "strong",
  inventory: "index",
  gate: "lock",
};
