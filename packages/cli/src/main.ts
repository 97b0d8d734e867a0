// The process: streams, environment and signals of the command `strongroom`.
import packageJson from "../package.json" with { type: "json" };
import { runProgram } from "./command/program.ts";
import { COMMANDS } from "./commands/table.ts";
import { EXIT_CODES } from "./exit-codes.ts";

// Everything the command makes is for its owner alone, whatever the shell's mask is.
process.umask(0o077);

// The reader went away (`strongroom list people | head -1`): nobody is left to be told.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT_CODES.ok.code);
  throw error;
});

/**
 * One Ctrl-C can arrive twice: from the terminal, and passed on by npm. A second one that is meant comes later, in
 * milliseconds.
 */
const SAME_KEYSTROKE_MS = 700;

const stopping = new AbortController();
let askedAt = 0;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // The first asks for an orderly end; the second does not wait for it.
    if (stopping.signal.aborted && performance.now() - askedAt > SAME_KEYSTROKE_MS)
      process.exit(EXIT_CODES.interrupted.code);
    if (stopping.signal.aborted) return;
    askedAt = performance.now();
    stopping.abort(signal);
  });
}

process.exitCode = await runProgram(process.argv.slice(2), {
  commands: COMMANDS,
  version: packageJson.version,
  streams: process,
  env: process.env,
  cwd: process.cwd(),
  signal: stopping.signal,
});
