// What the demo plays on: a real installation (`strongroom up`) in a temporary folder on free ports, and the command as
// anyone would run it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../packages/cli/bin/strongroom.js", import.meta.url));
const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"] as const;

/** What `strongroom up --json` says when it serves. */
interface Ready {
  readonly url: string;
  readonly dataDir: string;
  readonly tokenFile: string;
  readonly faultsEndpoint: string;
  readonly faultsHeaderFile: string;
  readonly pid: number;
}

/**
 * On a busy machine a region may be slow without being lost: the demo takes regions away itself, and waits longer for
 * the others.
 */
const PATIENT = {
  STRONGROOM_STRAGGLER_MIN_MS: "5000",
  STRONGROOM_ATTEMPT_TIMEOUT_MS: "3000",
  STRONGROOM_DEADLINE_MS: "10000",
};

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The running installation. */
export class Stage implements AsyncDisposable {
  readonly #folder: string;
  readonly #up: ChildProcess;
  readonly ready: Ready;

  private constructor(folder: string, up: ChildProcess, ready: Ready) {
    this.#folder = folder;
    this.#up = up;
    this.ready = ready;
  }

  /** Starts everything. */
  static async open(): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), "strongroom-demo-"));
    const ports = [
      "--port",
      "0",
      "--allow-faults",
      "--faults-port",
      "0",
      ...REGIONS.flatMap((name) => ["--region", `${name}=0`]),
    ];
    const up = start(["up", "--json", ...ports], folder);
    const stderr = gather(up.stderr);
    for await (const line of createInterface({ input: up.stdout ?? process.stdin }))
      return new Stage(folder, up, JSON.parse(line) as Ready);
    await rm(folder, { recursive: true, force: true });
    throw new Error(`strongroom up did not start:\n${stderr()}`);
  }

  /** Runs `strongroom …` in the installation's folder. */
  async run(args: readonly string[], stdin = ""): Promise<Ended> {
    const child = start(args, this.#folder);
    const stdout = gather(child.stdout);
    const stderr = gather(child.stderr);
    child.stdin?.end(stdin);
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout: stdout(), stderr: stderr() };
  }

  /** A request to the service. */
  async request(method: string, path: string, body?: string): Promise<Response> {
    const token = (await readFile(this.ready.tokenFile, "utf8")).trim();
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    return fetch(new URL(path, this.ready.url), { method, headers, ...(body === undefined ? {} : { body }) });
  }

  /** Takes a region of the KMS away (its port closes), or brings it back. */
  async region(name: string, what: "stop" | "start"): Promise<void> {
    const [, authorization = ""] = (await readFile(this.ready.faultsHeaderFile, "utf8")).trim().split(": ");
    const answer = await fetch(`${this.ready.faultsEndpoint}/_strongroom/regions/${name}/${what}`, {
      method: "POST",
      headers: { authorization },
    });
    if (!answer.ok) throw new Error(`the KMS refused to ${what} ${name}: ${answer.status}`);
    await answer.body?.cancel();
  }

  /** Whether `strongroom up` has run without a break since the demo began. */
  isSameProcess(): boolean {
    return this.#up.exitCode === null && this.#up.signalCode === null && this.#up.pid === this.ready.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#up.exitCode === null && this.#up.signalCode === null) {
      this.#up.kill("SIGTERM");
      await once(this.#up, "exit");
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Variables of the shell that the demo is run from which would change what the commands do or print; not where the
 * records lie: `STRONGROOM_STORE=postgres://… npm run demo` plays on PostgreSQL.
 */
const KEPT_OUT = /^(STRONGROOM_(?!STORE)|AWS_|FORCE_COLOR$)/;

function start(args: readonly string[], cwd: string): ChildProcess {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !KEPT_OUT.test(name)));
  return spawn(process.execPath, [BIN, ...args], {
    cwd,
    // The audit's witness goes with the folder.
    env: { ...env, ...PATIENT, NO_COLOR: "1", XDG_STATE_HOME: join(cwd, "state") },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

function gather(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}
