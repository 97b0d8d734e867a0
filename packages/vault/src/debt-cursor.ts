/**
 * Where the list of owed versions goes on: after one version, in the order of collection, id and version.
 */
import { parseAddress, parseVersion } from "./address.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { VaultError } from "./errors.ts";
import type { VersionPlace } from "./store.ts";

/** Other than a list's: the one is not taken for the other. */
const FORMAT = "debt-1";

export function encodeDebtCursor({ collection, id, version }: VersionPlace): string {
  return encodeCursor([FORMAT, collection, id, version]);
}

/** @throws VaultError `cursor-invalid` */
export function decodeDebtCursor(cursor: string): VersionPlace {
  const [format, collection, id, version, ...rest] = decodeCursor(cursor) ?? [];
  if (
    format !== FORMAT ||
    typeof collection !== "string" ||
    typeof id !== "string" ||
    typeof version !== "number" ||
    rest.length > 0
  )
    throw invalid();
  try {
    return { ...parseAddress({ collection, id }), version: parseVersion(version) };
  } catch {
    throw invalid();
  }
}

function invalid(): VaultError {
  return new VaultError("cursor-invalid", "The cursor is not one that this list gave out");
}
