// Reading the files that hold authority: tokens, keys, where the service is, credentials. What others may change is
// refused, and a secret that they may read too.
import { readFileSync } from "node:fs";
import { requireUnchangeable } from "@strongroom/base/authority";
import { isAbsent } from "@strongroom/base/files";
import { isFilePermissions, readSecretFileSync } from "@strongroom/base/secret-file";
import { CliError } from "./errors.ts";

/** Whether others may read the file. */
export type Secrecy = "secret" | "public";

/** The file's text. Throws `file-permissions` with what to do; the system's error. */
export function readAuthority(path: string, secrecy: Secrecy): string {
  return withRemedy(() => {
    requireUnchangeable(path);
    return secrecy === "secret" ? readSecretFileSync(path).toString("utf8") : readFileSync(path, "utf8");
  });
}

/** The file's text, or null where there is none. Throws `file-permissions`; the system's error, other than ENOENT. */
export function readAuthorityIfPresent(path: string, secrecy: Secrecy): string | null {
  try {
    return readAuthority(path, secrecy);
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/** Runs a check of permissions, and tells what it found as the command does. */
export function withRemedy<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (cause) {
    if (!isFilePermissions(cause)) throw cause;
    throw new CliError("file-permissions", {
      detail: `${cause.path}: ${cause.reason}.`,
      remedy: cause.remedy === null ? `Close it: chmod 600 ${cause.path}.` : `${cause.remedy}.`,
      cause,
    });
  }
}
