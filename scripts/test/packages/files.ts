// Folders of files for the tests of what packs and checks packages.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Path -> text, or a value that is written as JSON. */
export type FileTree = Readonly<Record<string, string | object>>;

/** Writes files into a folder of its own, which is removed when `use` is done. */
export function withFiles<Result>(files: FileTree, use: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), "strongroom-files-"));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), typeof content === "string" ? content : JSON.stringify(content));
    }
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
