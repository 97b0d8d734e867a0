// The picture of the demo is of the demo that there is: as many claims as its acts make.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");

test("the picture of the demo shows as many claims as the acts make", () => {
  const acts = globSync("examples/demo/acts*.ts", { cwd: root }).map((path) => readFileSync(join(root, path), "utf8"));
  const made = acts.join("").split("narrator.claims(").length - 1;
  const [, drawn] = /All (\d+) claims held/.exec(readFileSync(join(root, "docs/pictures/demo.svg"), "utf8")) ?? [];
  assert.equal(Number(drawn), made, "run `npm run docs:demo`");
});
