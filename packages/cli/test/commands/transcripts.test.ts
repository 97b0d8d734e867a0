import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Installation, startInstallation, temporaryFolder } from "../support/installation.ts";
import { runTranscript } from "../support/transcript.ts";

const TRANSCRIPTS = fileURLToPath(new URL("../transcripts/", import.meta.url));

describe("command transcripts", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let installation: Installation;
  before(async () => {
    folder = await temporaryFolder();
    installation = await startInstallation(folder.path);
    await mkdir(join(folder.path, "empty"));
  });
  after(async () => {
    assert.equal(await installation.stop(), 0);
    await folder[Symbol.asyncDispose]();
  });

  it("are all there", async () => {
    assert.deepEqual((await readdir(TRANSCRIPTS)).sort(), [
      "audit.txt",
      "backup.txt",
      "bad-input.txt",
      "files.txt",
      "people.txt",
      "records.txt",
      "regions.txt",
      "transfer.txt",
    ]);
  });

  for (const name of [
    "records.txt",
    "bad-input.txt",
    "transfer.txt",
    "files.txt",
    "people.txt",
    "regions.txt",
    "audit.txt",
  ]) {
    it(name, async () => {
      const steps = await runTranscript(await readFile(join(TRANSCRIPTS, name), "utf8"), folder.path);
      assert.ok(steps > 5);
    });
  }

  it("leave files for their owner alone", async () => {
    for (const name of ["ada.json", "crowd.csv"])
      assert.equal((await stat(join(folder.path, name))).mode & 0o777, 0o600, name);
    assert.deepEqual(
      (await readdir(folder.path)).filter((name) => name.startsWith(".")),
      [],
    );
  });
});
