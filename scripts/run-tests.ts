// What `npm test` and `npm run test:long` run: the test runner of Node over the named files, with a cache of compiled
// sources for it and for every process that a test starts, and with the commands as bundles: tests start some hundreds
// of them. A file that is run by itself starts the commands from their sources (tests/support/commands.ts).
import { spawn } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bundleCommands } from "./bundle-commands.ts";

const root = join(import.meta.dirname, "..");
const cache = join(root, "node_modules/.cache/strongroom-compiled");

/** Among the arguments: the files of `npm test` that try things a number of times too, and each as often as it says. */
const ALL_ROUNDS = "--all-rounds";
const given = process.argv.slice(2).filter((argument) => argument !== ALL_ROUNDS);
const isLong = process.argv.includes(ALL_ROUNDS);

function filesWithRounds(): readonly string[] {
  const files = globSync(["{packages/*,bench}/test/**/*.test.ts", "tests/end-to-end/**/*.test.ts"], { cwd: root });
  return files.filter((file) => readFileSync(join(root, file), "utf8").includes("/support/rounds.ts"));
}

const named = [...given, ...(isLong ? filesWithRounds() : [])];
const tests = spawn(process.execPath, ["--conditions=@strongroom/source", "--test", ...named], {
  stdio: "inherit",
  env: {
    ...process.env,
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? cache,
    STRONGROOM_COMMANDS: await bundleCommands(),
    ...(isLong ? { STRONGROOM_ROUNDS: "all" } : {}),
  },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => tests.kill(signal));
tests.on("exit", (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
