// Starts the KMS as a process of its own and keeps it running: one that dies or hangs is started again on the same
// ports, after a pause that grows. It ends with its parent, however the parent ends, because the IPC channel between
// them closes (see parent.ts of @strongroom/kms).
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../errors.ts";
import { watchHeartbeat } from "./heartbeat.ts";
import { endChild, ended, type KmsChild, type KmsChildOptions, startChild } from "./kms-child.ts";
import { socketFolder } from "./kms-sockets.ts";

/** Pauses and limits of the supervision, in milliseconds. */
export const SUPERVISION = {
  firstPauseMs: 250,
  longestPauseMs: 5000,
  /** A process that ran so long is started again after the first pause. */
  steadyAfterMs: 30_000,
  /** A port may still be held for a moment by the child of a parent that was killed. */
  portRetries: 6,
  portRetryMs: 250,
} as const;

/** What is started, and who is told of it. */
export interface KmsProcessOptions extends Omit<KmsChildOptions, "socketDir"> {
  /** Where the sockets lie if their paths are short enough there; null: the ports speak TLS instead, as on Windows. */
  readonly socketDir: string | null;
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
  /** Region -> URL of its port, for everyone. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Region -> path of its socket; empty where the ports speak TLS. */
  readonly sockets: Readonly<Record<string, string>>;
  /** Of the ports' certificate, told over the channel to the process; null: they speak plain HTTP. */
  readonly tlsFingerprint: string | null;
  /** Region -> why its port does not serve since the start. */
  readonly notServing: Readonly<Record<string, string>>;
  readonly faultsEndpoint: string | null;
  /** Of the process that runs now, or null between two. */
  pid(): number | null;
  close(): Promise<void>;
}

/** Starts the KMS. Throws `port-in-use` or `kms-not-started` with the reason and remedy that the KMS gave. */
export async function startKmsProcess(options: KmsProcessOptions): Promise<KmsProcess> {
  const names = options.regions.map(({ name }) => name);
  const sockets = options.socketDir === null ? null : await socketFolder(options.socketDir, names);
  const removeSockets = async (): Promise<void> => sockets?.remove();
  try {
    const kms = await startSupervised({ ...options, socketDir: sockets?.path ?? null });
    return { ...kms, close: () => kms.close().finally(removeSockets) };
  } catch (error) {
    await removeSockets();
    throw error;
  }
}

type SupervisedOptions = KmsChildOptions & Pick<KmsProcessOptions, "onEvent">;

async function startSupervised(options: SupervisedOptions): Promise<KmsProcess> {
  let current: KmsChild | null = await startPatiently(options);
  const { ready } = current;
  // A restart must come back where the clients look for it, also where the first start took free ports.
  const again: KmsChildOptions = {
    ...options,
    acceptRestore: undefined,
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
        current = await startChild({ ...again, signal: closing.signal });
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
    sockets: ready.sockets,
    tlsFingerprint: ready.tlsFingerprint,
    notServing: ready.notServing,
    faultsEndpoint: ready.faultsEndpoint,
    pid: () => current?.child.pid ?? null,
    close: async () => {
      closing.abort();
      if (current !== null) await endChild(current.child);
      await supervision;
      // One that was just being started when this began.
      if (current !== null) await endChild(current.child);
    },
  };
}

/** The first start: a port that is in use is tried again for a moment. */
async function startPatiently(options: KmsChildOptions): Promise<KmsChild> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await requirePorts(await startChild(options));
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

/**
 * No port at all means that another KMS runs here already, and that is said. After a restart it means that someone took
 * them meanwhile, and the service goes on over the sockets.
 */
async function requirePorts(started: KmsChild): Promise<KmsChild> {
  const { endpoints, notServing } = started.ready;
  const reasons = Object.values(notServing);
  if (reasons.length < Object.keys(endpoints).length) return started;
  await endChild(started.child);
  throw new CliError("port-in-use", { detail: reasons.join(" ") });
}

/** What the child of a killed parent still holds for a moment. */
const RELEASED_SOON: ReadonlySet<string> = new Set(["port-in-use", "data-dir-in-use"]);

function portOf(url: string | undefined): number | null {
  return url === undefined ? null : Number(new URL(url).port);
}
