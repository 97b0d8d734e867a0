/**
 * What is made once and kept for the next test: among the caches of node_modules, or in the folder for temporary files
 * where that one cannot be written or reached.
 */
import { chmod, chown, lstat, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Account, ownerOf } from "./account.ts";

const IN_PROJECT = fileURLToPath(new URL("../../../node_modules/.cache/strongroom-postgres", import.meta.url));

/** The folder of that name, filled by `make` unless it is there. Test files run side by side: the first one wins. */
export async function cachedFolder(
  who: Account,
  name: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const base = await baseFolder(who);
  const folder = join(base, name);
  if (await isThere(folder)) return folder;
  const making = await privateFolder(who, join(base, `${name}.making-`));
  try {
    await make(making);
    await rename(making, folder);
  } catch (error) {
    if (!(await isThere(folder))) throw error;
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return folder;
}

/** A new folder that only the account can look into. Its name is the prefix and something random. */
export async function privateFolder(who: Account, prefix: string): Promise<string> {
  const folder = await mkdtemp(prefix);
  await give(who, folder);
  return folder;
}

async function baseFolder(who: Account): Promise<string> {
  const owner = ownerOf(who);
  const temporary = join(tmpdir(), `strongroom-postgres-${owner ?? "cache"}`);
  for (const folder of who === "nobody" ? [temporary] : [IN_PROJECT, temporary]) {
    try {
      if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) await give(who, folder);
    } catch {
      continue;
    }
    const { uid, mode } = await lstat(folder);
    // In a folder that everyone writes to, anyone may have been there first.
    if (owner === null || (uid === owner && (mode & 0o077) === 0)) return folder;
  }
  throw new Error("there is no private folder for what the tests keep of PostgreSQL");
}

async function give(who: Account, folder: string): Promise<void> {
  await chmod(folder, 0o700);
  const owner = ownerOf(who);
  if (owner !== null && who === "nobody") await chown(folder, owner, owner);
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
