/**
 * Whether what a caller gives as a store has the calls of one: what is none is refused before anything is asked of it.
 */
import { hasMethods } from "@strongroom/base/options";

export function isStore(value: unknown): boolean {
  if (!isAnyStore(value)) return false;
  const { records, subjects, indexes, capabilities } = value as Readonly<Record<string, unknown>>;
  return (
    hasMethods(records, "heads", "read", "apply", "outcome") &&
    hasMethods(subjects, "get", "newest", "setState") &&
    hasMethods(indexes, "list", "change", "find", "fill", "tagsOf") &&
    typeof capabilities === "object" &&
    capabilities !== null
  );
}

export function isKeyStore(value: unknown): boolean {
  return isAnyStore(value) && hasMethods(Reflect.get(value as object, "keys"), "resolve", "active", "create", "erased");
}

/** What both kinds of store have. */
function isAnyStore(value: unknown): boolean {
  if (!hasMethods(value, "requireRoom", "ping", "close")) return false;
  const { gate, inventory, jobs } = value as Readonly<Record<string, unknown>>;
  return (
    hasMethods(gate, "current", "flip", "drained", "bind") &&
    hasMethods(inventory, "sets", "list", "rewrap") &&
    hasMethods(jobs, "lease", "save", "finish")
  );
}
