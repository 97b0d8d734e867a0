// The KMS's own folder: named rightly, and made for its owner alone.

import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
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
    makeEach(dataDir);
  } catch (cause) {
    const code = (cause as { code?: unknown }).code;
    const reason = REASONS[String(code)] ?? `the system says ${String(code)}`;
    throw new KmsError("data-dir-unusable", `${dataDir}: ${reason}.`, { cause });
  }
}

/** Not `recursive: true`: where the system answers ENOENT whatever is there (below /proc), Node would try for ever. */
function makeEach(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    const code = (cause as { code?: unknown }).code;
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path) throw cause;
    makeEach(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "the system does not let a folder be made there",
  EACCES: "permission denied",
  EROFS: "it lies on a read-only filesystem",
  ENOTDIR: "a part of the path is not a folder",
  EEXIST: "there is a file of that name",
  ENOSPC: "the disk is full",
};
