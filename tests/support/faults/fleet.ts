/**
 * Processes with writers that can be killed at any moment and are replaced, and what all of them saw.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isVaultError, openVault, type Vault } from "@strongroom/vault";
import type { Call, Stored } from "./history.ts";
import { keyringOf, keySetOf } from "./keys.ts";
import { openPlace } from "./place.ts";
import { COLLECTION, type Line, tokenOf, type WriterTask } from "./task.ts";

const WRITER = fileURLToPath(new URL("writer.ts", import.meta.url));

/** What a fleet writes: as a writer's task, but for the file of its log. */
export type FleetTask = Omit<WriterTask, "log">;

export class Fleet {
  readonly #task: FleetTask;
  readonly #folder: string;
  readonly #processes = new Set<ChildProcess>();
  readonly #failures: string[] = [];
  #started = 0;

  /** @param folder for the processes' logs */
  constructor(task: FleetTask, folder: string) {
    this.#task = task;
    this.#folder = folder;
  }

  /** Starts processes, and resolves when they write. */
  async start(processes: number): Promise<void> {
    await Promise.all(Array.from({ length: processes }, () => this.#start()));
  }

  /** `kill -9` of one of the processes, and another one in its place. */
  async replaceOne(): Promise<void> {
    const all = [...this.#processes];
    const victim = all[Math.floor(Math.random() * all.length)];
    if (victim === undefined) return;
    this.#processes.delete(victim);
    if (victim.exitCode === null) {
      const exit = once(victim, "exit");
      victim.kill("SIGKILL");
      await exit;
    }
    await this.#start();
  }

  /** Lets the writers end what they do; resolves with what went wrong in the processes themselves. */
  async end(): Promise<readonly string[]> {
    await Promise.all(
      [...this.#processes].map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exit = once(child, "exit");
        child.stdin!.end();
        await exit;
      }),
    );
    return this.#failures;
  }

  /** Every call of every process that ever was. */
  async calls(): Promise<readonly Call[]> {
    const calls: Call[] = [];
    for (const name of await readdir(this.#folder)) {
      if (name.endsWith(".log"))
        for (const call of callsOf(await readFile(join(this.#folder, name), "utf8"))) calls.push(call);
    }
    return calls;
  }

  /** What is stored: every version of every record, opened. */
  async stored(): Promise<Stored> {
    const [key, next] = this.#task.keys;
    await using vault = await openVault({
      store: await openPlace(this.#task.place),
      keyring: keyringOf(key),
      keySet: [key.name],
      ...(next === undefined ? {} : { next: keySetOf(next) }),
    });
    const stored = new Map<string, readonly string[]>();
    for (let number = 0; number < this.#task.records; number++) {
      const id = `r${number}`;
      const tokens = await tokensOf(vault, id);
      if (tokens.length > 0) stored.set(id, tokens);
    }
    return stored;
  }

  async #start(): Promise<void> {
    const log = join(this.#folder, `${++this.#started}.log`);
    const child = spawn(process.execPath, ["--conditions=@strongroom/source", WRITER], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    let problems = "";
    child.stderr.on("data", (chunk: Buffer) => (problems += chunk.toString()));
    child.stdin.on("error", () => undefined);
    child.once("exit", (code, signal) => {
      if (signal !== "SIGKILL" && code !== 0)
        this.#failures.push(`a process ended with ${code ?? signal}: ${problems.slice(0, 2000)}`);
    });
    this.#processes.add(child);
    child.stdin.write(`${JSON.stringify({ ...this.#task, log } satisfies WriterTask)}\n`);
    await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  }
}

/** What each version of the record holds; none of them: it was never written. */
async function tokensOf(vault: Vault, id: string): Promise<readonly string[]> {
  const address = { collection: COLLECTION, id };
  try {
    const numbers = (await vault.history(address)).map(({ version }) => version);
    const tokens = Array<string>(Math.max(...numbers)).fill("(absent)");
    for (const version of numbers) tokens[version - 1] = tokenOf((await vault.get(address, { version })).document);
    return tokens;
  } catch (error) {
    if (isVaultError(error) && error.code === "record-absent") return [];
    throw error;
  }
}

function callsOf(log: string): readonly Call[] {
  const open = new Map<string, Call>();
  // The last line of a process that was killed may be half of one.
  for (const text of log.split("\n").slice(0, -1)) {
    const line = JSON.parse(text) as Line;
    if ("record" in line) {
      const { call, at, ...rest } = line;
      open.set(call, { ...rest, began: at, ended: null, answer: { kind: "unknown" } });
    } else {
      const begun = open.get(line.call);
      if (begun !== undefined) open.set(line.call, { ...begun, ended: line.at, answer: line.answer });
    }
  }
  return [...open.values()];
}
