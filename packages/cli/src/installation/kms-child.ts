// One run of the KMS as a child process: started with what it needs in its arguments, heard over the channel between
// the two, and ended by closing that.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { ErrorReport } from "@strongroom/base/errors";
import { type KmsMessage, parseKmsMessage } from "@strongroom/kms/command";
import type { LocalRegion, RootKeySetting, WitnessSetting } from "../config/config.ts";
import { CliError, type CliErrorCode } from "../errors.ts";

/** In milliseconds. */
const LIMITS = { startTimeoutMs: 30_000, endTimeoutMs: 5000 } as const;

/** What is started. */
export interface KmsChildOptions {
  /** The KMS's own folder; the one above it exists. */
  readonly dataDir: string;
  /** The folder of the sockets over which it is reached; null: its ports speak TLS instead. */
  readonly socketDir: string | null;
  readonly regions: readonly LocalRegion[];
  readonly rootKey: RootKeySetting;
  readonly witness?: WitnessSetting | undefined;
  readonly auditDays: number;
  /** Why it goes on with an audit that its witness knows to be older; of the first start alone. */
  readonly acceptRestore?: string | undefined;
  /** The port for taking regions away, or null where that is not allowed. */
  readonly faultsPort: number | null;
  /** File descriptor that the process's log lines go to. */
  readonly logFd: number;
  readonly logLevel: string;
  readonly signal: AbortSignal;
}

type Ready = Extract<KmsMessage, { kind: "ready" }>;

/** A child that serves. */
export interface KmsChild {
  readonly child: ChildProcess;
  readonly ready: Ready;
}

/** Starts it once. Throws `port-in-use` or `kms-not-started` with the reason and remedy that the KMS gave. */
export async function startChild(options: KmsChildOptions): Promise<KmsChild> {
  const child = spawn(
    process.execPath,
    [
      ...process.execArgv,
      fileURLToPath(new URL("../../bin/strongroom.js", import.meta.url)),
      ...childArguments(options),
    ],
    {
      stdio: ["ignore", options.logFd, options.logFd, "ipc"],
      // A configuration file or variables of the service must not reach the child a second time: all it needs is in its
      // arguments.
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("STRONGROOM_"))),
      cwd: dirname(options.dataDir),
    },
  );
  try {
    const ready = await firstMessage(child, options.signal);
    return { child, ready };
  } catch (error) {
    await endChild(child);
    throw error;
  }
}

function childArguments(options: KmsChildOptions): string[] {
  const { dataDir, socketDir, regions, rootKey, witness, auditDays, acceptRestore, faultsPort, logLevel } = options;
  return [
    "kms",
    "serve",
    ...["--data-dir", dataDir],
    ...(socketDir === null ? ["--tls"] : ["--socket-dir", socketDir]),
    ...regions.flatMap(({ name, port }) => ["--region", `${name}=${port}`]),
    ...rootKeyArguments(rootKey),
    ...(witness === undefined ? [] : ["--witness", witness.kind === "file" ? witness.path : witness.url]),
    ...["--audit-days", String(auditDays)],
    ...(acceptRestore === undefined ? [] : ["--accept-restore", acceptRestore]),
    ...(faultsPort === null ? [] : ["--allow-faults", "--faults-port", String(faultsPort)]),
    ...["--log-level", logLevel],
  ];
}

/** The root key as the commands take it. */
export function rootKeyArguments(rootKey: RootKeySetting): string[] {
  switch (rootKey.kind) {
    case "file":
      return rootKey.path === undefined ? [] : ["--root-key-file", rootKey.path];
    case "passphrase":
      return ["--passphrase-file", rootKey.path];
    case "command":
      return ["--root-key-command", rootKey.command];
  }
}

async function firstMessage(child: ChildProcess, signal: AbortSignal): Promise<Ready> {
  const over = new AbortController();
  const bounded = AbortSignal.any([signal, over.signal, AbortSignal.timeout(LIMITS.startTimeoutMs)]);
  try {
    const message = await Promise.race([
      once(child, "message", { signal: bounded }).then(([value]) => parseKmsMessage(value)),
      once(child, "exit", { signal: bounded }).then(() => null),
    ]);
    if (message?.kind === "ready") return message;
    if (message?.kind === "failed") throw notStarted(message.error);
    throw new CliError("kms-not-started", { detail: "The process ended before it served." });
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (signal.aborted) throw new CliError("interrupted", { cause: error });
    throw new CliError("kms-not-started", {
      detail: `It did not serve within ${LIMITS.startTimeoutMs / 1000} s.`,
      cause: error,
    });
  } finally {
    over.abort();
  }
}

/** Codes of the KMS for which this command has a remedy of its own. */
const OWN_REMEDY: Readonly<Record<string, CliErrorCode>> = {
  "port-in-use": "port-in-use",
  "store-newer": "data-dir-newer",
};

function notStarted({ code, title, detail, problems, remedy, outcome }: ErrorReport): CliError {
  const own = OWN_REMEDY[code];
  const said = { title, problems, reportedCode: code, ...(detail !== null && { detail }) };
  return own === undefined ? new CliError("kms-not-started", { ...said, remedy, outcome }) : new CliError(own, said);
}

/** Waits for the end and says how it came. */
export async function ended(child: ChildProcess): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.signalCode === null ? `exit code ${child.exitCode ?? 0}` : `signal ${child.signalCode}`;
}

/** Asks the process to end by closing its channel, and insists if it does not. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (child.connected) child.disconnect();
  const gone = once(child, "exit");
  const insist = setTimeout(() => child.kill("SIGKILL"), LIMITS.endTimeoutMs);
  await gone;
  clearTimeout(insist);
}
