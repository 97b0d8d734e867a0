// For tests: the command run inside of the test's own process, against a real service; hundreds of them take seconds.
import { join } from "node:path";
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
  /** Columns of the terminal that standard input, output and error are; left out: they are pipes. */
  readonly columns?: number;
}

/** Runs one command line and gives its exit code and output. */
export async function runCommand(
  args: readonly string[],
  { cwd, stdin = "", env = {}, signal, columns }: CommandRun,
): Promise<Ended> {
  const screen = columns === undefined ? {} : { isTTY: true, columns };
  const stdout = Object.assign(new PassThrough(), screen);
  const stderr = Object.assign(new PassThrough(), screen);
  const written = gather(stdout);
  const said = gather(stderr);
  const code = await runProgram(PROGRAM, args, {
    streams: {
      stdin: Object.assign(Readable.from([Buffer.from(stdin)]), { isTTY: columns !== undefined }),
      stdout: stdout as unknown as NodeJS.WriteStream,
      stderr: stderr as unknown as NodeJS.WriteStream,
    },
    // Not what lies in the home of whoever runs the tests.
    env: { XDG_STATE_HOME: join(cwd, "state"), ...env },
    cwd,
    signal: signal ?? new AbortController().signal,
  });
  return { code, stdout: written(), stderr: said() };
}
