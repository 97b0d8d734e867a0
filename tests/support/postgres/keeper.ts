// A process between a test and its server: it starts the program as often as it is told, and when the test's process is
// gone, in whatever way, it ends the program by its own pid and removes the folder.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { rm } from "node:fs/promises";

/** A program to start. */
export interface Task {
  readonly command: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
  readonly environment: Readonly<Record<string, string>>;
  /** A file to which it writes what it has to say. */
  readonly log: string;
}

/** What the keeper tells. */
export type Told =
  | { readonly kind: "started"; readonly pid: number | null }
  | { readonly kind: "ended"; readonly code: number | null; readonly signal: string | null };

/** How long a program that was asked to end at once may take. */
const PATIENCE_MS = 5000;
const [folder = ""] = process.argv.slice(2);
let child: ChildProcess | null = null;

// A terminal's interrupt reaches the program too; here the end of the test's process decides.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

process.on("message", ({ command, args, environment, log, ...as }: Task) => {
  const out = openSync(log, "a", 0o600);
  const started = spawn(command, args, {
    ...as,
    cwd: "/",
    env: { ...process.env, ...environment },
    stdio: ["ignore", out, out],
  });
  closeSync(out);
  child = started;
  const ended = (code: number | null, signal: string | null): void => {
    if (child === started) child = null;
    tell({ kind: "ended", code, signal });
  };
  started.on("error", () => {
    ended(null, null);
  });
  started.on("exit", ended);
  tell({ kind: "started", pid: started.pid ?? null });
});

process.on("disconnect", () => {
  void end();
});

async function end(): Promise<void> {
  if (child !== null) {
    const exit = once(child, "exit");
    // To PostgreSQL: end at once.
    child.kill("SIGQUIT");
    const impatience = setTimeout(() => child?.kill("SIGKILL"), PATIENCE_MS);
    await exit;
    clearTimeout(impatience);
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  process.exit();
}

function tell(told: Told): void {
  if (process.connected) process.send!(told);
}
