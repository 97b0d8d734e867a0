import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Writes the packages that were loaded to standard error when the process ends. */
const WATCH = `
  import { registerHooks } from "node:module";
  import { writeSync } from "node:fs";
  const packages = new Set();
  registerHooks({
    load(url, context, next) {
      packages.add(/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? "");
      return next(url, context);
    },
  });
  process.on("exit", () => writeSync(2, [...packages].join("\\n")));
`;

/** What a server needs, and a command does not: together they double the time that every command takes to start. */
const OF_SERVERS = ["fastify", "kysely", "yaml", "@noble/curves"];
/** What a few commands need, and what a configuration needs that declares fields. */
const OF_FEW = ["libphonenumber-js", "any-ascii", "cli-progress"];

const PROGRAMS = {
  strongroom: new URL("../bin/strongroom.js", import.meta.url),
  "strongroom-kms": new URL("../../kms/bin/strongroom-kms.js", import.meta.url),
};

for (const [name, bin] of Object.entries(PROGRAMS)) {
  test(`${name} loads nothing of a server before a command needs it`, async () => {
    const watch = `data:text/javascript,${encodeURIComponent(WATCH)}`;
    const { stderr } = await promisify(execFile)(process.execPath, [
      "--import",
      watch,
      fileURLToPath(bin),
      "--version",
    ]);
    const loaded = stderr.split("\n");
    assert.ok(loaded.includes("commander"), stderr);
    assert.deepEqual(
      [...OF_SERVERS, ...OF_FEW].filter((each) => loaded.includes(each)),
      [],
    );
  });
}
