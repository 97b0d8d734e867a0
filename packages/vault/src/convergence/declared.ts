/**
 * A key set as arithmetic needs it: its keys in the order in which its keyring prefers them, and how many wraps it
 * wants. Nothing is asked of a KMS.
 */
import { hasMethods } from "@strongroom/base/options";
import type { Keyring } from "@strongroom/envelope";
import type { KeySet } from "../keys/key-set.ts";

/** A key set without its keyring. */
export interface DeclaredKeys {
  readonly digest: string;
  /**
   * Its wrapping keys, the one that is asked first before the others, substitutes last; in the order of their names
   * where the keyring does not say. Null: it was given without names.
   */
  readonly keys: readonly string[] | null;
  /** Wraps that each item is to have. */
  readonly target: number;
}

/** What a keyring over regions tells of them, nearest first. */
interface PlacedKeyring extends Keyring {
  health(): readonly { readonly keyArn: string; readonly role: "preferred" | "substitute" }[];
}

const isPlaced = (keyring: Keyring): keyring is PlacedKeyring => hasMethods(keyring, "health");

export function declaredKeys({ digest, names, keyring }: Pick<KeySet, "digest" | "names" | "keyring">): DeclaredKeys {
  const placed = isPlaced(keyring) ? keyring.health() : [];
  const preferred = placed.filter(({ role }) => role === "preferred").map(({ keyArn }) => keyArn);
  const others = placed.filter(({ role }) => role === "substitute").map(({ keyArn }) => keyArn);
  const named = new Set(names);
  const known = new Set([...preferred, ...others].filter((key) => named.has(key)));
  const keys = names === null ? null : [...known, ...names.filter((name) => !known.has(name))];
  // As targetOf: a keyring that says nothing of a target wraps under each of its keys.
  return { digest, keys, target: keyring.target ?? names?.length ?? 1 };
}
