// The KMS's own folder: named rightly, and made for its owner alone.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { folderReason, makeFolderSync } from "@strongroom/base/files";
import { KmsError } from "../errors.ts";

/**
 * A folder named as the KMS's own that is an installation's: a new KMS in it would hide the one that is there.
 * @throws KmsError `data-dir-of-installation`.
 */
export function requireOwnFolder(dataDir: string): void {
  const inside = join(dataDir, "kms");
  if (existsSync(join(dataDir, "kms.sqlite")) || !existsSync(join(inside, "kms.sqlite"))) return;
  throw new KmsError("data-dir-of-installation", `the KMS of ${dataDir} is in ${inside}.`, {
    remedy: `Give --data-dir ${inside}.`,
  });
}

/** Makes the folder if it is not there. @throws KmsError `data-dir-unusable` with the reason. */
export function makeFolder(dataDir: string): void {
  try {
    makeFolderSync(dataDir);
  } catch (cause) {
    throw new KmsError("data-dir-unusable", `${dataDir}: ${folderReason(cause)}.`, { cause });
  }
}
