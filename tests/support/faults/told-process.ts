/**
 * A process of a test's own that waits to be told what to do, writes down lines of JSON while it does it, and can be
 * killed at any moment.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { defer } from "../defer.ts";

const LOOK_MS = 5;
const CHUNK = 65_536;

export class ToldProcess<Task extends { readonly log: string }, Line> {
  readonly #child: ChildProcess;
  readonly #lines: Line[] = [];
  #log: string | null = null;
  #read = 0;
  #rest = "";

  /** Loads the program. @param program a path */
  constructor(t: TestContext, program: string) {
    this.#child = spawn(process.execPath, ["--conditions=@strongroom/source", program], {
      stdio: ["pipe", "ignore", "inherit"],
    });
    this.#child.stdin!.on("error", () => undefined);
    defer(t, () => this.kill());
  }

  /** It begins, and may be killed from now on. */
  begin(task: Task): void {
    this.#log = task.log;
    this.tell(task);
  }

  /** One line more on its standard input. */
  tell(line: unknown): void {
    this.#child.stdin!.write(`${JSON.stringify(line)}\n`);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** What it has written down so far. The last line of one that was killed may be half of one, and is left out. */
  lines(): readonly Line[] {
    if (this.#log === null || !existsSync(this.#log)) return this.#lines;
    const file = openSync(this.#log, "r");
    try {
      const chunk = Buffer.alloc(CHUNK);
      for (;;) {
        const count = readSync(file, chunk, 0, CHUNK, this.#read);
        if (count === 0) break;
        this.#read += count;
        const parts = (this.#rest + chunk.toString("latin1", 0, count)).split("\n");
        this.#rest = parts.pop() ?? "";
        for (const part of parts) this.#lines.push(JSON.parse(part) as Line);
      }
    } finally {
      closeSync(file);
    }
    return this.#lines;
  }

  /** Waits until what it has written down is enough. @throws Error when it ends before */
  async until(isEnough: (lines: readonly Line[]) => boolean): Promise<void> {
    while (!isEnough(this.lines())) {
      this.requireRunning();
      await sleep(LOOK_MS);
    }
  }

  /** @throws Error when it has ended by itself */
  requireRunning(): void {
    if (!this.isRunning) throw new Error(`a process ended by itself: ${JSON.stringify(this.lines().slice(-3))}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** `kill -9` */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}
