/**
 * Files that are put back: at rest copied over, with what their write-ahead logs had; while they are open, page by page
 * by SQLite's own backup, as `sqlite3 FILE '.restore OLDER'` does it.
 */
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import type { Moments } from "./moments.ts";
import type { SetBackDomain } from "./set-back.ts";
import { openFiles, pathOf } from "./site.ts";

/** Of the moments: `carried` is the newest, `live` the copy of before. */
export async function filesSetBack({ root, live, carried, make }: Moments): Promise<SetBackDomain> {
  const newest = await openFiles(carried);
  const { checkpoint } = await newest.log.state();
  await newest.close();
  let trials = 0;
  return {
    make,
    newest: checkpoint ?? "",
    begin: async (atRest) => {
      const folder = join(root, `set-back-${trials++}`);
      await cp(carried, folder, { recursive: true });
      for (const place of atRest) await copyBack(pathOf(live, place), pathOf(folder, place));
      return {
        stores: await openFiles(folder),
        setBack: async (places) => {
          for (const place of places) await restoreInto(pathOf(live, place), pathOf(folder, place));
        },
      };
    },
  };
}

async function copyBack(from: string, to: string): Promise<void> {
  for (const end of ["", "-wal", "-shm"]) await rm(`${to}${end}`, { force: true });
  for (const end of ["", "-wal"]) await cp(`${from}${end}`, `${to}${end}`).catch(noSuchFile);
}

async function restoreInto(from: string, to: string): Promise<void> {
  const database = new DatabaseSync(from, { readOnly: true });
  try {
    await backup(database, to);
  } finally {
    database.close();
  }
}

function noSuchFile(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
