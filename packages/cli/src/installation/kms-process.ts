// Starts the KMS as a process of its own and keeps it running: one that dies or hangs is started again on the same
// ports, after a pause that grows. It ends with its parent, however the parent ends, because the IPC channel between
// them closes (see parent.ts of @strongroom/kms).
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { ErrorReport } from "@strongroom/base/errors";
import { type KmsMessage, parseKmsMessage } from "@strongroom/kms/command";
import type { LocalRegion, RootKeySetting, WitnessSetting } from "../config/config.ts";
import { CliError, type CliErrorCode } from "../errors.ts";
import { watchHeartbeat } from "./heartbeat.ts";

/** Pauses and limits of the supervision, in milliseconds. */
export const SUPERVISION = {
  firstPauseMs: 250,
  longestPauseMs: 5000,
  /** A process that ran so long is started again after the first pause. */
  steadyAfterMs: 30_000,
  /** A port may still be held for a moment by the child of a parent that was killed. */
  portRetries: 6,
  portRetryMs: 250,
  startTimeoutMs: 30_000,
  endTimeoutMs: 5000,
} as const;

/** What is started. */
export interface KmsProcessOptions {
  /** The KMS's own folder; the one above it exists. */
  readonly dataDir: string;
  readonly regions: readonly LocalRegion[];
  readonly rootKey: RootKeySetting;
  readonly witness?: WitnessSetting | undefined;
  readonly auditDays: number;
  /** The port for taking regions away, or null where that is not allowed. */
  readonly faultsPort: number | null;
  /** File descriptor that the process's log lines go to. */
  readonly logFd: number;
  readonly logLevel: string;
  readonly signal: AbortSignal;
  /** Called when the process has ended by itself, and when it serves again. */
  readonly onEvent: (event: KmsEvent) => void;
}

/** What happens to the process while it is supervised. */
export type KmsEvent =
  | { readonly kind: "ended"; readonly how: string; readonly nextStartInMs: number }
  | { readonly kind: "restarted"; readonly pid: number }
  | { readonly kind: "restart-failed"; readonly detail: string; readonly nextStartInMs: number };

/** The running KMS. */
export interface KmsProcess {
  readonly endpoints: Readonly<Record<string, string>>;
  /** Region -> why it does not serve since the start. */
  readonly notServing: Readonly<Record<string, string>>;
  readonly faultsEndpoint: string | null;
  /** Of the process that runs now, or null between two. */
  pid(): number | null;
  close(): Promise<void>;
}

type Ready = Extract<KmsMessage, { kind: "ready" }>;
interface Started {
  readonly child: ChildProcess;
  readonly ready: Ready;
}

/** Starts the KMS. Throws `port-in-use` or `kms-not-started` with the reason and remedy that the KMS gave. */
export async function startKmsProcess(options: KmsProcessOptions): Promise<KmsProcess> {
  let current: Started | null = await startPatiently(options);
  const { ready } = current;
  // A restart must come back where the clients look for it, also where the first start took free ports.
  const again: KmsProcessOptions = {
    ...options,
    regions: options.regions.map(({ name, port }) => ({ name, port: portOf(ready.endpoints[name]) ?? port })),
    faultsPort: portOf(ready.faultsEndpoint ?? undefined) ?? options.faultsPort,
  };
  const closing = new AbortController();
  const isClosing = (): boolean => closing.signal.aborted;

  const supervise = async (): Promise<void> => {
    let pause: number = SUPERVISION.firstPauseMs;
    while (!isClosing()) {
      if (current !== null) {
        const startedAt = performance.now();
        const isSilent = watchHeartbeat(current.child);
        const how = await ended(current.child);
        current = null;
        if (isClosing()) return;
        if (performance.now() - startedAt > SUPERVISION.steadyAfterMs) pause = SUPERVISION.firstPauseMs;
        options.onEvent({ kind: "ended", how: isSilent() ? "it no longer answered" : how, nextStartInMs: pause });
      }
      await sleep(pause, undefined, { signal: closing.signal }).catch(() => undefined);
      if (isClosing()) return;
      pause = Math.min(pause * 2, SUPERVISION.longestPauseMs);
      try {
        current = await start({ ...again, signal: closing.signal });
        options.onEvent({ kind: "restarted", pid: current.child.pid ?? 0 });
      } catch (error) {
        if (isClosing()) return;
        options.onEvent({
          kind: "restart-failed",
          detail: error instanceof CliError ? (error.detail ?? error.title) : "unknown",
          nextStartInMs: pause,
        });
      }
    }
  };
  const supervision = supervise();

  return {
    endpoints: ready.endpoints,
    notServing: ready.notServing,
    faultsEndpoint: ready.faultsEndpoint,
    pid: () => current?.child.pid ?? null,
    close: async () => {
      closing.abort();
      if (current !== null) await end(current.child);
      await supervision;
      // One that was just being started when this began.
      if (current !== null) await end(current.child);
    },
  };
}

/** The first start: a port that is in use is tried again for a moment. */
async function startPatiently(options: KmsProcessOptions): Promise<Started> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(options);
    } catch (error) {
      const retry =
        error instanceof CliError && RELEASED_SOON.has(error.reportedCode) && attempt < SUPERVISION.portRetries;
      if (!retry) throw error;
      await sleep(SUPERVISION.portRetryMs, undefined, { signal: options.signal }).catch(() => {
        throw new CliError("interrupted");
      });
    }
  }
}

/** What the child of a killed parent still holds for a moment. */
const RELEASED_SOON: ReadonlySet<string> = new Set(["port-in-use", "data-dir-in-use"]);

async function start(options: KmsProcessOptions): Promise<Started> {
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
    await end(child);
    throw error;
  }
}

function childArguments({
  dataDir,
  regions,
  rootKey,
  witness,
  auditDays,
  faultsPort,
  logLevel,
}: KmsProcessOptions): string[] {
  return [
    "kms",
    "serve",
    ...["--data-dir", dataDir],
    ...regions.flatMap(({ name, port }) => ["--region", `${name}=${port}`]),
    ...rootKeyArguments(rootKey),
    ...(witness === undefined ? [] : ["--witness", witness.kind === "file" ? witness.path : witness.url]),
    ...["--audit-days", String(auditDays)],
    ...(faultsPort === null ? [] : ["--allow-faults", "--faults-port", String(faultsPort)]),
    ...["--log-level", logLevel],
  ];
}

function rootKeyArguments(rootKey: RootKeySetting): string[] {
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
  const bounded = AbortSignal.any([signal, over.signal, AbortSignal.timeout(SUPERVISION.startTimeoutMs)]);
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
      detail: `It did not serve within ${SUPERVISION.startTimeoutMs / 1000} s.`,
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
async function ended(child: ChildProcess): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.signalCode === null ? `exit code ${child.exitCode ?? 0}` : `signal ${child.signalCode}`;
}

/** Asks the process to end by closing its channel, and insists if it does not. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (child.connected) child.disconnect();
  const gone = once(child, "exit");
  const insist = setTimeout(() => child.kill("SIGKILL"), SUPERVISION.endTimeoutMs);
  await gone;
  clearTimeout(insist);
}

function portOf(url: string | undefined): number | null {
  return url === undefined ? null : Number(new URL(url).port);
}
