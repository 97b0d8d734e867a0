import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";

const root = join(import.meta.dirname, "../..");

/** The one way of a text to a terminal, and the log beside it. */
const DOOR = "packages/base/src/terminal/";
/** Begins the process: it gives the streams to the terminal, and ends when nobody reads any more. */
const BEGINNING = "packages/base/src/command/run.ts";

describe("the way to a terminal", () => {
  it("goes through one file, which lets nothing through that a terminal would obey", () => {
    const files = globSync("packages/{base,cli,kms,server,client,vault,envelope,tlog,witness}/src/**/*.ts", {
      cwd: root,
    });
    assert.ok(files.length > 300);
    const past = files.filter((file) => {
      if (file.startsWith(DOOR)) return false;
      const code = readFileSync(join(root, file), "utf8").replace(/^\s*(\*|\/\/|\/\*).*$/gm, "");
      const found = code.match(/\bconsole\.\w+|\b(stdout|stderr)\.(write|end|pipe)\b|process\.std\w+|barStream/g) ?? [];
      return found.some((one) => file !== BEGINNING || one !== "process.stdout");
    });
    assert.deepEqual(past, []);
  });
});
