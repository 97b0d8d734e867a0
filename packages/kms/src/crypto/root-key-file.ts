// Replacing a root key file by another one, in step with the database that it seals. The new key is staged beside
// the file before the database is sealed anew, and takes the file's place after. A process that dies in between
// leaves both: `settleRootKeyFile` keeps the one that opens the database.

import { existsSync, linkSync, rmSync } from "node:fs";
import { createFileSync, publishSync } from "@strongroom/base/files";
import { readSecretFile } from "../secret-file.ts";
import { newRootKeyText, parseRootKey } from "./root-key.ts";

const stagedPath = (path: string): string => `${path}.next`;

/** Writes a new root key beside the file and gives it (32 bytes). */
export function stageRootKey(path: string): Buffer {
  const text = newRootKeyText();
  rmSync(stagedPath(path), { force: true });
  createFileSync(stagedPath(path), text);
  return parseRootKey(text, stagedPath(path));
}

/**
 * Puts the staged key in the file's place.
 * @returns where the key it had before is kept: backups from before need it.
 */
export function promoteRootKey(path: string): string | null {
  const stamp = new Date().toISOString().replace(/[-:]/g, "");
  const kept = existsSync(path) ? `${path}.until-${stamp}` : null;
  // A second name, not a move: at no moment is there no root key file.
  if (kept !== null) linkSync(path, kept);
  publishSync(stagedPath(path), path, "replace");
  return kept;
}

/** Ends what an interrupted re-keying left: of the file and the staged key, the one that opens the database stays. */
export function settleRootKeyFile(path: string, opens: (rootKey: Buffer) => boolean): void {
  if (!existsSync(stagedPath(path))) return;
  if (fileOpens(path, opens)) rmSync(stagedPath(path));
  else if (fileOpens(stagedPath(path), opens)) promoteRootKey(path);
}

function fileOpens(path: string, opens: (rootKey: Buffer) => boolean): boolean {
  let key: Buffer;
  try {
    key = parseRootKey(readSecretFile(path).toString("latin1"), path);
  } catch {
    // Absent, half-written or unreadable: it opens nothing. What is wrong with it is said when it is read for good.
    return false;
  }
  const answer = opens(key);
  key.fill(0);
  return answer;
}
