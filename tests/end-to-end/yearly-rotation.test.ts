// The yearly rotation of docs/operations.md as it is written there: its commands are taken from the page and run by a
// shell beside a service. Two things are other: where the backup goes, and the minutes that each retirement waits.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { runCommand } from "../../packages/cli/test/support/command.ts";
import { startInstallation, temporaryFolder } from "../../packages/cli/test/support/installation.ts";
import { STRONGROOM } from "../support/commands.ts";

const PAGE = new URL("../../docs/operations.md", import.meta.url);
const isThere = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
const skip = ["bash", "jq", "xargs"].every(isThere) ? false : "it needs bash, jq and xargs";

/** The first block of commands under a heading. */
async function commandsUnder(heading: string): Promise<string> {
  const page = await readFile(PAGE, "utf8");
  const [, commands] = new RegExp(`^### ${heading}\\n[^]*?^\`\`\`sh\\n([^]*?)^\`\`\``, "m").exec(page) ?? [];
  assert.ok(commands !== undefined, `there are no commands under ${heading}`);
  return commands;
}

test("the commands of the yearly rotation do what the page says", { skip }, async (t) => {
  const folder = await temporaryFolder();
  const installation = await startInstallation(folder.path);
  t.after(async () => {
    await installation.stop();
    await folder[Symbol.asyncDispose]();
  });
  const cwd = folder.path;
  await runCommand(["put", "people", "ada"], { cwd, stdin: '{"a":1}' });
  const command = join(cwd, "strongroom");
  await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" "${STRONGROOM}" "$@"\n`);
  await chmod(command, 0o755);

  const written = await commandsUnder("Yearly rotation");
  assert.match(written, /\/backups/);
  assert.match(written, /keys retire/);
  const run = written.replaceAll("/backups", join(cwd, "backups")).replaceAll("keys retire ", "keys retire --wait 1 ");
  const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", run], {
    cwd,
    env: { ...process.env, PATH: `${cwd}:${process.env["PATH"] ?? ""}`, XDG_STATE_HOME: join(cwd, "state") },
  });
  // Each key of before is retired, and its report is verified by the last command of the page.
  const reports = (await readdir(cwd)).filter((name) => /^retired-.*\.note$/.test(name));
  assert.equal(reports.length, 6, stdout);
  assert.equal((stdout.match(/^Nothing under it /gm) ?? []).length, 6, stdout);
  const inventory = await runCommand(["keys", "inventory", "--json"], { cwd });
  const { lines } = JSON.parse(inventory.stdout) as {
    readonly lines: readonly { readonly region: string | null; readonly isInForce: boolean }[];
  };
  assert.ok(lines.filter(({ region }) => region !== null).every(({ isInForce }) => isInForce));
  assert.equal((await runCommand(["get", "people", "ada"], { cwd })).stdout, '{"a":1}\n');
});
