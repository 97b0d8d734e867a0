// What the server holds in memory of one region, and the changes that can be made to it.

import type { AliasRecord, GrantRecord, ImportWrappingKey, KeyRecord, LastUse } from "../keys/key-record.ts";

/** One region: its keys, aliases and grants, apart from every other region's. Secrets stay sealed. */
export interface RegionData {
  readonly name: string;
  readonly keys: Map<string, KeyRecord>;
  readonly aliases: Map<string, AliasRecord>;
  readonly grants: Map<string, GrantRecord>;
  /** By token id. */
  readonly importKeys: Map<string, ImportWrappingKey>;
  /** By key id. */
  readonly lastUses: Map<string, LastUse>;
}

/** Everything that can happen to the stored state. */
export type Change =
  | { readonly kind: "put-key"; readonly key: KeyRecord }
  | { readonly kind: "delete-key"; readonly region: string; readonly keyId: string }
  | { readonly kind: "put-alias"; readonly alias: AliasRecord }
  | { readonly kind: "delete-alias"; readonly region: string; readonly name: string }
  | { readonly kind: "put-grant"; readonly grant: GrantRecord }
  | { readonly kind: "delete-grant"; readonly region: string; readonly grantId: string }
  | { readonly kind: "put-import-key"; readonly importKey: ImportWrappingKey }
  | { readonly kind: "delete-import-keys"; readonly region: string; readonly keyId: string }
  | { readonly kind: "put-last-use"; readonly region: string; readonly keyId: string; readonly use: LastUse };

export const emptyRegion = (name: string): RegionData => ({
  name,
  keys: new Map(),
  aliases: new Map(),
  grants: new Map(),
  importKeys: new Map(),
  lastUses: new Map(),
});

const regionOf = (change: Change): string => {
  switch (change.kind) {
    case "put-key":
      return change.key.region;
    case "put-alias":
      return change.alias.region;
    case "put-grant":
      return change.grant.region;
    case "put-import-key":
      return change.importKey.region;
    default:
      return change.region;
  }
};

/** Makes a change in memory. */
export function applyChange(regions: ReadonlyMap<string, RegionData>, change: Change): void {
  const region = regions.get(regionOf(change));
  if (region === undefined) throw new RangeError(`no region ${regionOf(change)}`);
  switch (change.kind) {
    case "put-key":
      region.keys.set(change.key.keyId, change.key);
      break;
    case "delete-key":
      region.keys.delete(change.keyId);
      region.lastUses.delete(change.keyId);
      for (const alias of region.aliases.values()) if (alias.keyId === change.keyId) region.aliases.delete(alias.name);
      for (const grant of region.grants.values()) if (grant.keyId === change.keyId) region.grants.delete(grant.grantId);
      deleteImportKeys(region, change.keyId);
      break;
    case "put-alias":
      region.aliases.set(change.alias.name, change.alias);
      break;
    case "delete-alias":
      region.aliases.delete(change.name);
      break;
    case "put-grant":
      region.grants.set(change.grant.grantId, change.grant);
      break;
    case "delete-grant":
      region.grants.delete(change.grantId);
      break;
    case "put-import-key":
      region.importKeys.set(change.importKey.tokenId, change.importKey);
      break;
    case "delete-import-keys":
      deleteImportKeys(region, change.keyId);
      break;
    case "put-last-use":
      region.lastUses.set(change.keyId, change.use);
      break;
  }
}

function deleteImportKeys(region: RegionData, keyId: string): void {
  for (const key of region.importKeys.values()) if (key.keyId === keyId) region.importKeys.delete(key.tokenId);
}

/** Whether key material is gone for good once the change is made. */
export const destroysMaterial = (change: Change): boolean =>
  change.kind === "delete-key" ||
  (change.kind === "put-key" && change.key.backingKeys.some((backing) => backing.sealed === null));
