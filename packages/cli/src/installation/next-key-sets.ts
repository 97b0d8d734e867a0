// The key sets of the next keys of an installation that makes its own.
import type { Config } from "../config/config.ts";
import type { NextKeySets } from "./followed-key-sets.ts";
import type { InstalledKeySet } from "./key-sets.ts";
import { type InstallationKeys, isOtherKeys, type KeyPurpose } from "./installed-keys.ts";
import { localKeySet, withKeys } from "./local-kms.ts";
import type { RegionClient } from "./region-keys.ts";

/** The sets of the next keys, of each store whose keys change. */
export function nextKeySets(
  keys: InstallationKeys,
  { config, clients }: { readonly config: Config; readonly clients: readonly RegionClient[] },
): NextKeySets {
  const setOf = (purpose: KeyPurpose): InstalledKeySet | undefined => {
    const arns = keys.next?.[purpose] ?? {};
    return isOtherKeys(arns, keys[purpose])
      ? localKeySet(config, withKeys(clients, arns), purpose === "keyStore" ? keys.nextGeneration : undefined)
      : undefined;
  };
  const [records, ofPeople] = [setOf("records"), setOf("keyStore")];
  return {
    ...(records === undefined ? {} : { records }),
    ...(ofPeople === undefined ? {} : { keys: ofPeople }),
  };
}
