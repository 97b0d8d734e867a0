// In which folders the sockets of the KMS may lie, where the data folder has no room for them.
import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { socketFolder } from "../../src/installation/kms-sockets.ts";
import { temporaryFolder } from "../support/installation.ts";

const REGIONS = ["eu-west-1"];
const TOO_DEEP = join("/tmp", "d".repeat(120));
const VARIABLES = ["XDG_RUNTIME_DIR", "TMPDIR"] as const;
/** Somebody else; only root can give folders away. */
const OTHER = 65_534;

/** Where the folder is made for a program whose variables name this one. */
async function parentWith(named: string): Promise<string> {
  const before = VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of VARIABLES) process.env[name] = named;
  try {
    const made = await socketFolder(TOO_DEEP, REGIONS);
    assert.ok(made !== null);
    await made.remove();
    assert.equal(existsSync(made.path), false);
    return dirname(made.path);
  } finally {
    for (const [name, value] of before)
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
  }
}

describe("the private folder of the sockets", () => {
  it("is where the variables say, unless others may exchange it there", async () => {
    await using folder = await temporaryFolder();
    const parent = join(folder.path, "above", "run");
    mkdirSync(parent, { recursive: true });
    const above = dirname(parent);
    assert.equal(await parentWith(parent), parent);
    for (const open of [parent, above]) {
      chmodSync(open, 0o777);
      assert.equal(await parentWith(parent), "/tmp", open);
      chmodSync(open, 0o1777);
      assert.equal(await parentWith(parent), parent, open);
      chmodSync(open, 0o700);
    }
    for (const elsewhere of ["", ".", "run", join(parent, "none")])
      assert.equal(await parentWith(elsewhere), "/tmp", elsewhere);
    if (process.geteuid?.() !== 0) return;
    // As with `sudo -E` and `su`, which keep the variables of who called them.
    for (const another of [parent, above]) {
      chownSync(another, OTHER, OTHER);
      assert.equal(await parentWith(parent), "/tmp", another);
      chownSync(another, 0, 0);
    }
  });
});
