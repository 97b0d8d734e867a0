/**
 * The process of a program: its streams, environment and signals.
 */
import { EXIT_CODES } from "../errors/outcomes.ts";
import { runProgram } from "./program.ts";
import type { ProgramSpec } from "./spec.ts";

/**
 * One Ctrl-C can arrive twice: from the terminal, and passed on by npm. A second one that is meant comes later, in
 * milliseconds.
 */
const SAME_KEYSTROKE_MS = 700;

/** Runs the command line of this process and sets its exit code. */
export async function runProcess(spec: ProgramSpec): Promise<void> {
  // Everything the command makes is for its owner alone, whatever the shell's mask is.
  process.umask(0o077);
  // The reader went away (`strongroom list people | head -1`): nobody is left to be told.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT_CODES.ok.code);
    throw error;
  });
  process.exitCode = await runProgram(spec, process.argv.slice(2), {
    streams: process,
    env: process.env,
    cwd: process.cwd(),
    signal: stopSignal(),
  });
}

/** Aborted by the first signal that asks for an orderly end; a second one does not wait for it. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  let askedAt = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted && performance.now() - askedAt > SAME_KEYSTROKE_MS)
        process.exit(EXIT_CODES.interrupted.code);
      if (stopping.signal.aborted) return;
      askedAt = performance.now();
      stopping.abort(signal);
    });
  }
  return stopping.signal;
}
