// Test vectors that are not part of the project: beside the checkout, or where STRONGROOM_VECTORS says.

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The parsed file, or null if it is not there. */
export function readVectors(name: string): unknown {
  const directory = process.env["STRONGROOM_VECTORS"] ?? resolve(import.meta.dirname, "../../../../shared/vectors");
  const path = join(directory, name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as unknown) : null;
}
