// Which key set a store has in force, and whether this configuration knows it: from the gate's row and the names of the
// keys alone. No KMS is called, and no keyring is made.
import { type GateState, keySetDigest } from "@strongroom/vault";
import type { NamedKeySets } from "../installation/key-sets.ts";

/** A key set that the configuration names. */
export interface NamedKeySet {
  readonly digest: string;
  /** ARNs. */
  readonly keys: readonly string[];
}

/** What is in force, and what is known. */
export interface KeySetState {
  /** How often the key set has changed; 0: nothing was written yet. */
  readonly epoch: number;
  /** Digest; null: none is in force yet. */
  readonly inForce: string | null;
  /** `unnamed`: what is in force was written by a program that named no keys. */
  readonly state: "unset" | "current" | "next" | "unnamed" | "unknown";
  readonly current: NamedKeySet | null;
  readonly next: NamedKeySet | null;
}

/** Of a gate. */
export function keySetState({ epoch, digest }: GateState, known: NamedKeySets): KeySetState {
  const sets = { current: named(known.current, known.generation), next: named(known.next, known.nextGeneration) };
  const which = (["current", "next"] as const).find((name) => digest !== null && sets[name]?.digest === digest);
  const other = digest === keySetDigest(null) ? "unnamed" : "unknown";
  return { epoch, inForce: digest, state: digest === null ? "unset" : (which ?? other), ...sets };
}

function named(keys: readonly string[] | null, generation: number): NamedKeySet | null {
  return keys === null ? null : { digest: keySetDigest(keys, generation), keys };
}

/** What a person is told of it, in a sentence; and what to do, where something is to be done. */
export function keySetText({ epoch, state }: KeySetState): { readonly text: string; readonly remedy?: string } {
  const at = `epoch ${epoch}`;
  switch (state) {
    case "unset":
      return { text: "none is in force yet: the first write puts its own in force" };
    case "current":
      return { text: `${at}: the configured keys` };
    case "next":
      return {
        text: `${at}: keys.next`,
        remedy: "When every process knows it: move keys.next to keys.regions.",
      };
    case "unnamed":
    case "unknown":
      return {
        text: `${at}: ${state === "unnamed" ? "keys without names" : "other keys than this configuration has"}`,
        remedy:
          "Writes with this configuration are refused (key-set-unknown), reads go on. Configure the keys that the " +
          "other processes have, or put these in force: strongroom store flip.",
      };
  }
}
