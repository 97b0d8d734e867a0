// What stands in the way of a release is said, all of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Manifest } from "../packages/workspace.ts";
import { obstacles, publishArguments, type Readiness } from "../release.ts";

const pack = (manifest: Manifest): Readiness["packages"][number] => {
  return { name: manifest.name, manifest };
};
const READY: Readiness = {
  status: "",
  changelog: "# Changelog\n\n## Unreleased\n\n## 1.2.0 - 2026-12-01\n",
  packages: [
    pack({ name: "a", version: "1.2.0" }),
    pack({ name: "b", version: "1.2.0", dependencies: { a: "1.2.0", other: "^3.0.0" } }),
  ],
};

test("nothing stands in the way", () => {
  assert.deepEqual(obstacles(READY), []);
});

test("each obstacle is said", () => {
  const said = obstacles({
    status: " M README.md\n",
    changelog: "## Unreleased\n\n## 1.2.01\n",
    packages: [
      pack({ name: "a", version: "1.2.0" }),
      pack({ name: "b", version: "1.3.0", dependencies: { a: "^1.0.0" } }),
    ],
  }).join("\n");
  for (const words of ["README.md", "a 1.2.0, b 1.3.0", "b needs a ^1.0.0, not 1.2.0", '"## 1.2.0"'])
    assert.ok(said.includes(words), words);
});

test("a version that is not final does not become latest", () => {
  const tagOf = (version: string): string | undefined => publishArguments("x.tgz", version)[6];
  assert.equal(tagOf("1.2.0"), "latest");
  assert.equal(tagOf("1.2.0-rc.1"), "next");
  assert.ok(publishArguments("x.tgz", "1.2.0").includes("--provenance"));
});
