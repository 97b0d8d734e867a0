import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileWitness } from "@strongroom/vault";
import { witnessFile } from "../../src/installation/witness-file.ts";

const ID = "5f3c1e0a-7b1d-4c55-9a52-0d8f6a1b2c3d";

test("the witness is in the user's state folder, a file for each vault, and never below the present folder", () => {
  const end = join("strongroom", "witness", `${ID}.checkpoint`);
  const places: readonly (readonly [Record<string, string>, string])[] = [
    [{ XDG_STATE_HOME: "/s", HOME: "/h" }, "/s"],
    [{ HOME: "/h" }, "/h/.local/state"],
    [{ XDG_STATE_HOME: "state", HOME: "/h" }, "/h/.local/state"],
    [{ XDG_STATE_HOME: "", HOME: "." }, join(homedir(), ".local/state")],
    [{}, join(homedir(), ".local/state")],
  ];
  for (const [env, place] of places) assert.equal(witnessFile(ID, "/srv/vault", env), join(place, end));
});

test("it is never in the data folder, by whichever name that has", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "strongroom-witness-file-"));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  symlinkSync(folder, `${folder}-link`);
  t.after(() => {
    rmSync(`${folder}-link`);
  });
  const env = { XDG_STATE_HOME: join(folder, "state"), XDG_CONFIG_HOME: join(folder, "config"), HOME: folder };
  for (const dataFolder of [join(folder, "state"), join(`${folder}-link`, "state", "strongroom")]) {
    const path = witnessFile(ID, dataFolder, env);
    assert.equal(path, join(folder, "config", "strongroom", "witness", `${ID}.checkpoint`));
    assert.doesNotThrow(() => fileWitness({ path, apartFrom: [dataFolder], folder: "is-made" }));
  }
  for (const dataFolder of [folder, `${folder}-link`, "/"]) assert.equal(witnessFile(ID, dataFolder, env), null);
});

test("what is no vault's id names no file", () => {
  for (const id of ["", "../../etc/cron.d/x", "a/b", ".", "a\0b", "x".repeat(65)])
    assert.throws(() => witnessFile(id, "/srv/vault", {}), RangeError, id);
});
