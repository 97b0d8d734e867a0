// The kinds of witnesses there are.

import { FileWitness } from "@strongroom/witness/file";
import { UrlWitness } from "@strongroom/witness/url";
import type { Witness, WitnessFailures } from "@strongroom/witness/witness";
import { KmsError } from "../errors.ts";
import type { WitnessSource } from "./witness.ts";

const failures: WitnessFailures = {
  invalid: (detail, cause) => new KmsError("option-invalid", detail, { cause }),
  setBack: (detail, cause) => new KmsError("audit-set-back", detail, { cause }),
};

/** The witness of a source, of the log in `dataDir`. @throws KmsError `option-invalid`. */
export function openWitness(source: WitnessSource, dataDir: string): Witness {
  return source.kind === "file"
    ? new FileWitness(source.path, { apartFrom: [dataDir], folder: "must-be-there", failures })
    : new UrlWitness(source.url, { tellers: "one", failures });
}
