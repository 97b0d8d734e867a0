import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Option } from "commander";
import { CONFIG_FLAGS, settingOf } from "../../src/command/config-flags.ts";
import { COMMANDS } from "../../src/commands/table.ts";
import { CLI_ERRORS } from "../../src/errors.ts";
import { EXIT_CODES } from "../../src/exit-codes.ts";
import { runCommand } from "../support/command.ts";

describe("table of commands", () => {
  for (const spec of COMMANDS) {
    it(`${spec.name} has help with examples, and options by their own names`, async () => {
      const { code, stdout } = await runCommand([...spec.name.split(" "), "--help"], { cwd: "/" });
      assert.equal(code, 0);
      assert.ok(spec.examples.length > 0);
      for (const { line, meaning } of spec.examples) {
        assert.ok(stdout.includes(line), line);
        assert.ok(stdout.includes(meaning));
        assert.match(line, /\b(npx strongroom|strongroom)\b/);
      }
      assert.match(stdout, /--json/);
      for (const [name, { flags }] of Object.entries(spec.options))
        assert.equal(new Option(flags).attributeName(), name);
    });
  }

  it("has a setting behind every flag of a setting", () => {
    for (const flag of CONFIG_FLAGS) assert.equal(settingOf(flag).env, flag.env);
  });

  it("shows the exit codes in the help", async () => {
    const { stdout } = await runCommand(["--help"], { cwd: "/" });
    for (const { code, meaning } of Object.values(EXIT_CODES))
      assert.match(stdout, new RegExp(`${code} {2}${meaning.replace(/[()]/g, "\\$&")}`));
  });

  it("keeps its exit codes", () => {
    assert.deepEqual(
      Object.entries(EXIT_CODES).map(([name, { code }]) => `${name} ${code}`),
      [
        "ok 0",
        "failure 1",
        "usage 2",
        "absent 3",
        "conflict 4",
        "refused 5",
        "not-allowed 6",
        "unavailable 7",
        "interrupted 130",
      ],
    );
  });

  it("has a title and a remedy for every error", () => {
    for (const { title, remedy, outcome } of Object.values(CLI_ERRORS)) {
      assert.match(title, /^[A-Z].*[^.]$/);
      assert.match(remedy, /\.$/);
      assert.ok(outcome in EXIT_CODES);
    }
  });
});
