import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { lockDataFolder, prepareDataFolder } from "../src/data-folder.ts";
import { CliError } from "../src/errors.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "strongroom-files-"));
});
after(() => rm(folder, { recursive: true }));

describe("data folder", () => {
  it("is made for its owner alone, and closed when it was open to others", async () => {
    const path = join(folder, "deep", "data");
    assert.equal((await prepareDataFolder(path)).tightened, false);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    await chmod(path, 0o755);
    assert.equal((await prepareDataFolder(path)).tightened, true);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
  });

  it("is refused where a file is in its place", async () => {
    const path = join(folder, "file");
    await writeFile(path, "");
    await assert.rejects(
      prepareDataFolder(path),
      (error) =>
        error instanceof CliError &&
        error.code === "data-dir-unusable" &&
        error.message.includes("a file of that name"),
    );
  });
});

describe("lock of the data folder", () => {
  it("is held by one at a time, and free again when it is released", () => {
    const path = join(folder, "lock");
    const first = lockDataFolder(path, folder);
    assert.throws(
      () => lockDataFolder(path, folder),
      (error) => error instanceof CliError && error.code === "data-dir-in-use",
    );
    first.release();
    lockDataFolder(path, folder).release();
  });

  it("is free when the process that held it was killed", async () => {
    const path = join(folder, "lock-of-another");
    const module = new URL("../src/data-folder.ts", import.meta.url).href;
    const holder = spawn(
      process.execPath,
      [
        "--conditions=@strongroom/source",
        "--input-type=module",
        "-e",
        `
      import { lockDataFolder } from ${JSON.stringify(module)};
      globalThis.held = lockDataFolder(${JSON.stringify(path)}, "x");
      console.log("held");
      setInterval(() => {}, 1000);`,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(holder.stdout, "data");
    assert.throws(() => lockDataFolder(path, folder), CliError);
    holder.kill("SIGKILL");
    await once(holder, "exit");
    lockDataFolder(path, folder).release();
  });
});
