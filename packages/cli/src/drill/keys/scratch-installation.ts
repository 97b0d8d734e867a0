// The installation of a drill: `strongroom up` in a process of its own, which is killed and started again, and the
// other commands as anybody runs them. They know the scratch folder and nothing of the vault beside it.
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@strongroom/client";
import type { CommandContext } from "../../command.ts";
import { CliError } from "../../errors.ts";
import type { Scratch } from "./scratch.ts";

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const BIN = fileURLToPath(new URL("../../../bin/strongroom.js", import.meta.url));
/** On a busy machine a region may be slow without being lost, and a drill of keys takes none away. */
const PATIENT = {
  STRONGROOM_STRAGGLER_MIN_MS: "5000",
  STRONGROOM_ATTEMPT_TIMEOUT_MS: "5000",
  STRONGROOM_DEADLINE_MS: "20000",
};
const TIMEOUT_MS = 30_000;

export class ScratchInstallation {
  readonly #scratch: Scratch;
  readonly #env: CommandContext["env"];
  #up: ChildProcess | null = null;

  constructor(scratch: Scratch, env: CommandContext["env"]) {
    this.#scratch = scratch;
    this.#env = env;
  }

  /** Starts it. Throws `drill-unfinished` with what it said. */
  async start(): Promise<void> {
    const up = this.#spawn(["up", "--json", ...this.#scratch.rootKey]);
    const said = gather(up.stderr);
    const ended = once(up, "close");
    this.#up = up;
    const lines = createInterface({ input: up.stdout });
    // What it says later is not asked for, and must not fill the pipe.
    const first = once(lines, "line").then(() => true);
    if (await Promise.race([first, ended.then(() => false)])) return;
    throw new CliError("drill-unfinished", { detail: `The scratch installation did not start: ${said()}` });
  }

  /** As the system ends a process that takes too much memory. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** A client; the installation keeps its port. */
  async client(signal: AbortSignal): Promise<Client> {
    const { service } = JSON.parse(await readFile(this.#scratch.configFile, "utf8")) as {
      readonly service: { readonly port: number };
    };
    const token = (await readFile(join(this.#scratch.dataDir, "token"), "utf8")).trim();
    return createClient({ url: `http://127.0.0.1:${service.port}`, token, timeoutMs: TIMEOUT_MS, signal });
  }

  /** Runs `strongroom …`. */
  async run(args: readonly string[]): Promise<Ended> {
    const child = this.#spawn(args);
    const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout: stdout(), stderr: stderr() };
  }

  /** The same of a command that must succeed. Throws `drill-unfinished` with what it said. */
  async done(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code === 0) return stdout;
    throw new CliError("drill-unfinished", {
      detail: `strongroom ${args.slice(0, 2).join(" ")} ended with ${code ?? "a signal"}: ${stderr.trim()}`,
    });
  }

  /** Commands that open the vault themselves need its root key. */
  get rootKey(): readonly string[] {
    return this.#scratch.rootKey;
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const up = this.#up;
    this.#up = null;
    if (up?.exitCode !== null || up.signalCode !== null) return;
    up.kill(signal);
    await once(up, "exit");
  }

  #spawn(args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
    const { folder, configFile } = this.#scratch;
    const env = Object.fromEntries(Object.entries(this.#env).filter(([name]) => !name.startsWith("STRONGROOM_")));
    return spawn(process.execPath, [...process.execArgv, BIN, ...args], {
      cwd: folder,
      env: { ...env, ...PATIENT, STRONGROOM_CONFIG: configFile, XDG_STATE_HOME: join(folder, "state"), NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
}

function gather(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}
