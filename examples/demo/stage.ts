// What the demo plays on: a real installation (`strongroom up`) in a temporary folder on free ports, and the command as
// anyone would run it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../packages/cli/bin/strongroom.js", import.meta.url));
const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"] as const;

/** The configuration, where there is one. */
const CONFIG = "demo.config.json";

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
  #up: ChildProcess;
  #ready: Ready;

  private constructor(folder: string, { up, ready }: Started) {
    this.#folder = folder;
    this.#up = up;
    this.#ready = ready;
  }

  /** Starts everything, with a configuration where one is given. */
  static async open(config?: object): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), "strongroom-demo-"));
    if (config !== undefined) await writeFile(join(folder, CONFIG), JSON.stringify(config), { mode: 0o600 });
    const begun = await begin(folder);
    if ("up" in begun) return new Stage(folder, begun);
    await rm(folder, { recursive: true, force: true });
    throw new Error(`strongroom up did not start:\n${begun.stderr}`);
  }

  /** Where it is. */
  get ready(): Ready {
    return this.#ready;
  }

  /** A folder beside that of the data. */
  beside(name: string): string {
    return join(this.#folder, name);
  }

  /** Ends the installation, as Ctrl-C does. */
  async stop(): Promise<void> {
    if (this.#up.exitCode !== null || this.#up.signalCode !== null) return;
    this.#up.kill("SIGTERM");
    await once(this.#up, "exit");
  }

  /** Ends its process as the system does that is out of memory: nothing is told, nothing is put in order. */
  async kill(): Promise<void> {
    this.#up.kill("SIGKILL");
    await once(this.#up, "exit");
  }

  /** Starts it again, or says how it refused to. */
  async startAgain(): Promise<Ended | null> {
    const begun = await begin(this.#folder);
    if (!("up" in begun)) return begun;
    [this.#up, this.#ready] = [begun.up, begun.ready];
    return null;
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
    return this.#up.exitCode === null && this.#up.signalCode === null && this.#up.pid === this.#ready.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** An installation that serves. */
interface Started {
  readonly up: ChildProcess;
  readonly ready: Ready;
}

async function begin(folder: string): Promise<Started | Ended> {
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
  const ended = once(up, "close") as Promise<[number | null]>;
  for await (const line of createInterface({ input: up.stdout ?? process.stdin }))
    return { up, ready: JSON.parse(line) as Ready };
  const [code] = await ended;
  return { code, stdout: "", stderr: asText(stderr()) };
}

/** An error as the command shows it to a person. */
function asText(stderr: string): string {
  const parsed = stderr.startsWith("{") ? (JSON.parse(stderr) as { readonly error: Refusal }) : null;
  if (parsed === null) return stderr;
  const { title, code, detail, remedy } = parsed.error;
  return `strongroom: ${title} [${code}]\n  ${detail}\n  ${remedy}\n`;
}

/** What an error says as JSON. */
type Refusal = Readonly<Record<"title" | "code" | "detail" | "remedy", string>>;

/**
 * Variables of the shell that the demo is run from which would change what the commands do or print; not where the
 * records lie: `STRONGROOM_STORE=postgres://… npm run demo` plays on PostgreSQL.
 */
const KEPT_OUT = /^(STRONGROOM_(?!STORE)|AWS_|FORCE_COLOR$)/;

function start(args: readonly string[], cwd: string): ChildProcess {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !KEPT_OUT.test(name)));
  return spawn(process.execPath, [BIN, ...args], {
    cwd,
    // The audit's witness is a file below it.
    env: { ...env, ...PATIENT, ...named(join(cwd, CONFIG)), XDG_STATE_HOME: join(cwd, "state"), NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

function named(config: string): Readonly<Record<string, string>> {
  return existsSync(config) ? { STRONGROOM_CONFIG: config } : {};
}

function gather(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}
