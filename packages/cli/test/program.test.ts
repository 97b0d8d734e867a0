import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EXIT_CODES } from "@strongroom/base/errors";
import { settingsIn } from "@strongroom/base/settings";
import { Option } from "commander";
import { PROGRAM } from "../src/program.ts";
import { CLI_ERRORS } from "../src/errors.ts";
import { runCommand } from "./support/command.ts";

describe("table of commands", () => {
  for (const spec of PROGRAM.tables.flatMap(({ commands }) => commands)) {
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

  it("has a variable behind every flag of a setting, and no variable twice", () => {
    for (const { settings } of PROGRAM.tables) {
      const ways = settingsIn(settings.table).flatMap(({ setting }) => setting.ways);
      for (const { flag, env } of ways) if (flag !== undefined) assert.match(env, /^STRONGROOM_[A-Z_]+$/);
      assert.equal(new Set(ways.map(({ env }) => env)).size, ways.length);
    }
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
