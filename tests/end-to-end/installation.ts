// One real installation for a test: `strongroom up` as a process of its own, in a temporary folder, on free ports; and
// the command run against it.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { STRONGROOM } from "../support/commands.ts";

/** The regions of every test installation, nearest first. */
export const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"] as const;
export type Region = (typeof REGIONS)[number];

const START_LIMIT_MS = 60_000;

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Installation {
  readonly folder: string;
  readonly dataDir: string;
  readonly url: string;
  readonly kmsEndpoints: Readonly<Record<Region, string>>;
  readonly env: NodeJS.ProcessEnv;
  readonly #faultsPort: number;
  readonly #command: string;
  #process: ChildProcess | null = null;

  private constructor(
    { folder, dataDir, command }: { readonly folder: string; readonly dataDir: string; readonly command: string },
    ports: readonly number[],
    settings: NodeJS.ProcessEnv,
  ) {
    const [service, faults, ...regions] = ports as [number, number, ...number[]];
    this.folder = folder;
    this.dataDir = dataDir;
    this.url = `http://127.0.0.1:${service}`;
    this.#faultsPort = faults;
    this.#command = command;
    this.kmsEndpoints = Object.fromEntries(
      REGIONS.map((name, index) => [name, `http://127.0.0.1:${regions[index]}`]),
    ) as Record<Region, string>;
    this.env = {
      PATH: process.env["PATH"],
      // Each test starts processes by the dozen: they share what one of them has compiled.
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      HOME: folder,
      TMPDIR: join(folder, "tmp"),
      NO_COLOR: "1",
      STRONGROOM_DATA_DIR: this.dataDir,
      STRONGROOM_PORT: String(service),
      STRONGROOM_KMS_REGIONS: REGIONS.map((name, index) => `${name}=${regions[index]}`).join(","),
      STRONGROOM_ALLOW_FAULTS: "1",
      STRONGROOM_FAULTS_PORT: String(faults),
      ...settings,
    };
  }

  /**
   * Makes a folder and starts in it. `settings` are further STRONGROOM_* variables; `dataDir` lies in the folder unless
   * it is given. `command` is the program, where it is not that of this checkout.
   */
  static async start({
    settings = {},
    dataDir,
    command = STRONGROOM,
  }: {
    readonly settings?: NodeJS.ProcessEnv;
    readonly dataDir?: string;
    readonly command?: string;
  } = {}): Promise<Installation> {
    const folder = mkdtempSync(join(tmpdir(), "strongroom-test-"));
    const installation = new Installation(
      { folder, dataDir: dataDir ?? join(folder, "data"), command },
      await freePorts(2 + REGIONS.length),
      settings,
    );
    mkdirSync(join(folder, "tmp"));
    try {
      await installation.up();
    } catch (error) {
      await installation[Symbol.asyncDispose]();
      throw error;
    }
    return installation;
  }

  /** Starts `strongroom up` and waits until it is ready. */
  async up(): Promise<void> {
    const output = openSync(join(this.folder, "up.output"), "a");
    const child = spawn(process.execPath, [this.#command, "up"], {
      cwd: this.folder,
      env: this.env,
      stdio: ["ignore", output, output],
    });
    closeSync(output);
    this.#process = child;
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await this.ready())) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`strongroom up did not get ready:\n${this.output()}`);
      await delay(50);
    }
  }

  async ready(): Promise<boolean> {
    return fetch(`${this.url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
  }

  /** Everything that `strongroom up` has printed. */
  output(): string {
    return readFileSync(join(this.folder, "up.output"), "utf8");
  }

  /** The process of `strongroom up`. */
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get token(): string {
    return readFileSync(join(this.dataDir, "token"), "utf8").trim();
  }

  get credentials(): { readonly accessKeyId: string; readonly secretAccessKey: string } {
    return JSON.parse(readFileSync(join(this.dataDir, "kms", "credentials.json"), "utf8")) as {
      accessKeyId: string;
      secretAccessKey: string;
    };
  }

  /** Region -> key ARN, as `up` remembers them. */
  get keyArns(): Readonly<Record<Region, string>> {
    const text = readFileSync(join(this.dataDir, "keys.json"), "utf8");
    return Object.fromEntries(
      REGIONS.map((region) => {
        const arn = new RegExp(`arn:aws:kms:${region}:[0-9]{12}:key/[a-z0-9-]+`).exec(text)?.[0];
        if (arn === undefined) throw new Error(`keys.json names no key of ${region}`);
        return [region, arn];
      }),
    ) as Record<Region, string>;
  }

  /** An authorised request to the service. */
  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Takes a region of the KMS away, or brings it back. */
  async region(name: Region, action: "stop" | "start"): Promise<void> {
    const header = readFileSync(join(this.dataDir, "kms", "control.header"), "utf8");
    const [, authorization = ""] = header.trim().split(": ");
    const answer = await fetch(`http://127.0.0.1:${this.#faultsPort}/_strongroom/regions/${name}/${action}`, {
      method: "POST",
      headers: { authorization },
    });
    if (!answer.ok) throw new Error(`${action} ${name}: ${answer.status} ${await answer.text()}`);
  }

  /** Runs the command, as a person would, in the installation's folder. */
  async run(args: readonly string[], options: { readonly stdin?: string } = {}): Promise<CommandResult> {
    const child = spawn(process.execPath, [this.#command, ...args], { cwd: this.folder, env: this.env, stdio: "pipe" });
    const chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
    child.stdout.on("data", (chunk: Buffer) => chunks.stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.stderr.push(chunk));
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.stdin ?? "");
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout: Buffer.concat(chunks.stdout).toString(), stderr: Buffer.concat(chunks.stderr).toString() };
  }

  /** Ends `strongroom up` by Ctrl-C; returns its exit code. */
  async down(): Promise<number | null> {
    const child = this.#process;
    if (child === null) return null;
    this.#process = null;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const ended = once(child, "exit");
    child.kill("SIGINT");
    const [code] = (await ended) as [number | null];
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
