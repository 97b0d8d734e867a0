// For tests: a real `strongroom up` in a folder of its own, on free ports.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { controlHeader } from "../../src/drill/control-port.ts";
import { STRONGROOM } from "../../../../tests/support/commands.ts";

const FREE_PORTS = [
  "--port",
  "0",
  "--region",
  "eu-west-1=0",
  "--region",
  "eu-west-2=0",
  "--region",
  "eu-central-1=0",
  "--allow-faults",
  "--faults-port",
  "0",
];

/** What `up --json` prints when it serves. */
export interface Ready {
  readonly url: string;
  readonly regions: Readonly<Record<string, string>>;
  readonly regionSockets: Readonly<Record<string, string>>;
  readonly regionsNotServing: Readonly<Record<string, string>>;
  readonly regionsLeftOut: readonly string[];
  readonly keys: Readonly<Record<string, string>>;
  readonly keysMade: readonly string[];
  readonly dataDir: string;
  readonly tokenFile: string;
  readonly faultsEndpoint: string;
  readonly faultsHeaderFile: string;
  readonly pid: number;
  readonly kmsPid: number;
}

/** The end of a command. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running installation. */
export interface Installation {
  /** The working folder; the data folder lies in it. */
  readonly folder: string;
  readonly ready: Ready;
  readonly process: ChildProcess;
  /** Everything that `up` said on standard error so far. */
  said(): string;
  /** Takes a region of the KMS away, or brings it back. */
  region(name: string, what: "stop" | "start"): Promise<void>;
  /** Ends it in an orderly way and gives the exit code. */
  stop(): Promise<number | null>;
}

/** Variables that must not leak from the developer's shell into a test. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !name.startsWith("STRONGROOM_") &&
      !name.startsWith("AWS_") &&
      name !== "NODE_TEST_CONTEXT" &&
      name !== "FORCE_COLOR",
  );
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...extra };
}

/** Starts the command as a process of its own; `nodeArgs` are arguments of Node.js itself. */
export function spawnCommand(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  nodeArgs: readonly string[] = [],
): ChildProcess {
  return spawn(process.execPath, [...nodeArgs, STRONGROOM, ...args], {
    cwd,
    // Where the audit's witness is without a word on it: not in the home of whoever runs the tests.
    env: cleanEnvironment({ XDG_STATE_HOME: join(cwd, "state"), ...env }),
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Runs the command as a process of its own, to its end. */
export async function runProcess(
  args: readonly string[],
  cwd: string,
  options: { readonly stdin?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  const child = spawnCommand(args, cwd, options.env);
  const stdout = gather(child.stdout);
  const stderr = gather(child.stderr);
  child.stdin?.end(options.stdin ?? "");
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout: stdout(), stderr: stderr() };
}

/** A temporary folder that `await using` removes. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "strongroom-cli-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Waits that a busy machine does not exceed: tests are about what happens, not about how soon. */
/** Waits that a busy machine does not exceed. */
export const PATIENT = {
  STRONGROOM_ATTEMPT_TIMEOUT_MS: "8000",
  STRONGROOM_DEADLINE_MS: "20000",
  STRONGROOM_STRAGGLER_MIN_MS: "8000",
};

/** Starts `up` in `folder` and waits until it serves. `env` replaces waits that a busy machine does not exceed. */
export async function startInstallation(
  folder: string,
  args: readonly string[] = [],
  {
    env = PATIENT,
    nodeArgs = [],
  }: { readonly env?: Readonly<Record<string, string>>; readonly nodeArgs?: readonly string[] } = {},
): Promise<Installation> {
  const child = spawnCommand(["up", "--json", ...FREE_PORTS, ...args], folder, env, nodeArgs);
  child.stdin?.end();
  const stdout = gather(child.stdout);
  const stderr = gather(child.stderr);
  while (!stdout().includes("\n")) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`up ended before it served: ${stderr()}`);
    await sleep(20);
  }
  const ready = JSON.parse(stdout()) as Ready;
  return {
    folder,
    ready,
    process: child,
    said: stderr,
    region: async (name, what) => {
      const answer = await fetch(`${ready.faultsEndpoint}/_strongroom/regions/${name}/${what}`, {
        method: "POST",
        headers: await controlHeader(ready.faultsHeaderFile),
      });
      if (!answer.ok) throw new Error(`the fault was refused with ${answer.status}`);
      await answer.arrayBuffer();
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill("SIGTERM");
      const [code] = (await once(child, "exit")) as [number | null];
      return code;
    },
  };
}

/** Collects a stream's text. */
export function gather(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}

/** Whether a process runs; one that has ended and waits to be reaped does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const { readFile } = await import("node:fs/promises");
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State:\tX");
  return !/^State:\t[XZ]/m.test(status);
}

/** Waits until something holds; the test's own time-out ends a wait that is in vain. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await sleep(20);
}
