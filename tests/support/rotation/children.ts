/**
 * Processes of a large rotation: each says one line when it is ready, and ends when its input does.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export class Child {
  readonly #process: ChildProcess;
  /** What it says that nobody has read yet. */
  readonly lines: AsyncIterator<string> & AsyncIterable<string>;

  /** Starts a program of this folder. */
  constructor(name: string, args: readonly string[]) {
    const path = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
    const child = spawn(process.execPath, ["--conditions=@strongroom/source", path, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#process = child;
    this.lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  /** What it says next. @throws Error when it has ended before */
  async line(): Promise<string> {
    const { value, done } = await this.lines.next();
    return done === true ? silent() : value;
  }

  /** Ends it, and gives what it says last. @throws Error when that is nothing */
  async lastLine(): Promise<string> {
    this.#process.stdin?.end();
    let last: string | null = null;
    for await (const line of this.lines) last = line;
    return last ?? silent();
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, "exit");
    this.#process.stdin?.end();
    await exit;
  }
}

function silent(): never {
  throw new Error("the process has ended before it said anything");
}
