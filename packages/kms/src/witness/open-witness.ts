// The kinds of witnesses there are.

import { FileWitness } from "./file-witness.ts";
import { UrlWitness } from "./url-witness.ts";
import type { Witness, WitnessSource } from "./witness.ts";

/** The witness of a source, of the log in `dataDir`. @throws KmsError `option-invalid`. */
export function openWitness(source: WitnessSource, dataDir: string): Witness {
  return source.kind === "file" ? new FileWitness(source.path, dataDir) : new UrlWitness(source.url);
}
