// The process of the command `strongroom-kms`: its streams and signals.

import { EXIT_CODES } from "./exit-codes.ts";
import { runCommand } from "./program.ts";

// Whatever it makes is for its owner alone, whatever the shell's mask is.
process.umask(0o077);

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // The first asks for an orderly end; the second does not wait for it.
    if (stopping.signal.aborted) process.exit(EXIT_CODES.interrupted.code);
    stopping.abort();
  });
}

process.exitCode = await runCommand(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stopping.signal,
});
