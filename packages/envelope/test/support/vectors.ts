/** Published test vectors, which are not part of this repository. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = process.env["STRONGROOM_VECTORS"] ?? join(import.meta.dirname, "../../../../../shared/vectors");

/** For a test's `skip` option: false when the file is there. */
export function skipWithout(file: string): string | false {
  return existsSync(join(FOLDER, file))
    ? false
    : `${file} is not there; set STRONGROOM_VECTORS to the folder that has it`;
}

export function readVectors(file: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
}
