import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, openSync } from "node:fs";
import { describe, it } from "node:test";

const SCRIPT = `
  import { runProcess } from "@strongroom/base/command";
  const table = { commands: [], groups: {}, settings: { table: {}, always: [], heading: "", configFile: null } };
  const program = { name: "pantry", version: "1", description: "", startHere: "", tables: [table] };
  await runProcess({ ...program, completionHeading: "More" });`;

describe("an output that cannot be written", () => {
  it("is told in words, with an exit code, and without a stack", { skip: !existsSync("/dev/full") }, () => {
    for (const words of [["--help"], ["--help", "--json"]]) {
      const args = ["--conditions=@strongroom/source", "--input-type=module", "-e", SCRIPT, "--", "pantry", ...words];
      const stdio = ["ignore", openSync("/dev/full", "w"), "pipe"] as const;
      const { status, stderr } = spawnSync(process.execPath, args, {
        cwd: import.meta.dirname,
        encoding: "utf8",
        stdio: [...stdio],
      });
      assert.equal(status, 1, stderr);
      assert.match(
        stderr,
        words.includes("--json") ? /^\{"error":\{"code":"output-failed"/ : /^pantry: The output cannot/,
      );
      assert.match(stderr, /the disk is full/);
      assert.doesNotMatch(stderr, /at .*\.ts/);
    }
  });
});
