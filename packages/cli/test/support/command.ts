// For tests: the command run inside of the test's own process, against a real service; hundreds of them take seconds.
import { PassThrough, Readable } from "node:stream";
import { runProgram } from "@strongroom/base/command";
import { PROGRAM } from "../../src/program.ts";
import { type Ended, gather } from "./installation.ts";

/** How a command is run. */
export interface CommandRun {
  readonly cwd: string;
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Runs one command line and gives its exit code and output. */
export async function runCommand(
  args: readonly string[],
  { cwd, stdin = "", env = {}, signal }: CommandRun,
): Promise<Ended> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const written = gather(stdout);
  const said = gather(stderr);
  const code = await runProgram(PROGRAM, args, {
    streams: {
      stdin: Readable.from([Buffer.from(stdin)]),
      stdout: stdout as unknown as NodeJS.WriteStream,
      stderr: stderr as unknown as NodeJS.WriteStream,
    },
    env,
    cwd,
    signal: signal ?? new AbortController().signal,
  });
  return { code, stdout: written(), stderr: said() };
}
