// The verifier key of the audit's checkpoints in the data folder: whoever verifies the log without a KMS takes it from
// here, or better from where they have kept it. It is public; who may write the folder may put another one.
import { writeFileAtomic } from "@strongroom/base/files";
import { readAuthorityIfPresent } from "../authority.ts";

/** Keeps it, where it is another one than the file has: each history of the audit has a name of its own. */
export async function keepVerifierKey(path: string, key: string): Promise<void> {
  if (readVerifierKey(path) !== key) await writeFileAtomic(path, `${key}\n`);
}

/** Null: there is none. Throws `file-permissions`. */
export function readVerifierKey(path: string): string | null {
  return readAuthorityIfPresent(path, "public")?.trim() ?? null;
}
