// Runs a command line in this process and catches what it writes.

import { runCommand } from "@strongroom/kms/command";

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `strongroom-kms` with these arguments until it ends by itself. */
export async function run(...argv: readonly string[]): Promise<Ran> {
  const written = { stdout: "", stderr: "" };
  const into = (name: "stdout" | "stderr"): { write: (text: string) => void } => ({
    write: (text) => {
      written[name] += text;
    },
  });
  const exit = await runCommand(argv, {
    stdout: into("stdout"),
    stderr: into("stderr"),
    signal: new AbortController().signal,
  });
  return { exit, ...written };
}

/** As `run`, with the JSON that it printed. */
export async function runJson(...argv: readonly string[]): Promise<{ exit: number; json: Record<string, unknown> }> {
  const { exit, stdout, stderr } = await run(...argv, "--json");
  return { exit, json: JSON.parse(stdout || stderr) as Record<string, unknown> };
}
