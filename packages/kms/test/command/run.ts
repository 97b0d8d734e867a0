// Runs a command line in this process and catches what it writes.

import { PassThrough, Readable } from "node:stream";
import { runProgram } from "@strongroom/base/command";
import { KMS_PROGRAM } from "@strongroom/kms/command";

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `strongroom-kms` with these arguments until it ends by itself. */
export async function run(...argv: readonly string[]): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const exit = await runProgram(KMS_PROGRAM, argv, {
    streams: {
      stdin: Readable.from([]),
      stdout: stdout as unknown as NodeJS.WriteStream,
      stderr: stderr as unknown as NodeJS.WriteStream,
    },
    env: {},
    cwd: process.cwd(),
    signal: new AbortController().signal,
  });
  return { exit, stdout: writtenTo(stdout), stderr: writtenTo(stderr) };
}

function writtenTo(stream: PassThrough): string {
  return (stream.read() as Buffer | null)?.toString("utf8") ?? "";
}

/** As `run`, with the JSON that it printed. */
export async function runJson(...argv: readonly string[]): Promise<{ exit: number; json: Record<string, unknown> }> {
  const { exit, stdout, stderr } = await run(...argv, "--json");
  return { exit, json: JSON.parse(stdout || stderr) as Record<string, unknown> };
}
