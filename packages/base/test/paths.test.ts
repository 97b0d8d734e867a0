import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { endOf, liesIn } from "../src/paths.ts";

test("a path leads through links, also where nothing is there yet, and a circle of links ends", (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "strongroom-paths-")));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  mkdirSync(join(folder, "real"));
  symlinkSync("real", join(folder, "link"));
  symlinkSync(join("link", "not-there"), join(folder, "second"));
  symlinkSync("circle", join(folder, "circle"));
  assert.equal(endOf(join(folder, "link", "deep", "file")), join(folder, "real", "deep", "file"));
  assert.equal(endOf(join(folder, "second")), join(folder, "real", "not-there"));
  assert.equal(endOf(join(folder, "circle")), join(folder, "circle"));
  assert.equal(liesIn(join(folder, "second"), join(folder, "link")), true);
  assert.equal(liesIn(join(folder, "real"), join(folder, "real")), true);
  assert.equal(liesIn(join(folder, "real-too"), join(folder, "real")), false);
  assert.equal(liesIn(join(folder, "..real"), join(folder, "real")), false);
  assert.equal(liesIn(join(folder, "not-there", "file"), join(folder, "not-there")), true);
});
