// What `npm test` and `npm run test:long` run: the test runner of Node over the named files, with a cache of compiled
// sources for it and for every process that a test starts, and with the commands as bundles: tests start some hundreds
// of them. A file that is run by itself starts the commands from their sources (tests/support/commands.ts).
import { spawn } from "node:child_process";
import { join } from "node:path";
import { bundleCommands } from "./bundle-commands.ts";

const cache = join(import.meta.dirname, "../node_modules/.cache/strongroom-compiled");

const tests = spawn(process.execPath, ["--conditions=@strongroom/source", "--test", ...process.argv.slice(2)], {
  stdio: "inherit",
  env: {
    ...process.env,
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? cache,
    STRONGROOM_COMMANDS: await bundleCommands(),
  },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => tests.kill(signal));
tests.on("exit", (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
