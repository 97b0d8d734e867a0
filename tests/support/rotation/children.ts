/**
 * Processes of a large rotation: each says one line when it is ready, and ends when its input does.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Starts a program of this folder. */
export function started(name: string, args: readonly string[]): ChildProcess {
  const path = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  return spawn(process.execPath, ["--conditions=@strongroom/source", path, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.stdin?.end();
  await exit;
}

/** What it says first. */
export async function firstLine(child: ChildProcess): Promise<string> {
  return (await linesOf(child).next()).value ?? silent();
}

/** Ends it, and gives what it says last. */
export async function lastLine(child: ChildProcess): Promise<string> {
  child.stdin?.end();
  let last: string | null = null;
  for await (const line of linesOf(child)) last = line;
  return last ?? silent();
}

/** Lines that nobody has read yet. One reader has them all, as its buffer would hold what the next one waits for. */
export function linesOf(child: ChildProcess): AsyncIterator<string, undefined> & AsyncIterable<string> {
  const known = readers.get(child);
  if (known !== undefined) return known;
  if (child.stdout === null) throw new Error("it has no output");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const reader = { next: () => lines.next(), [Symbol.asyncIterator]: () => reader };
  readers.set(child, reader);
  return reader;
}

const readers = new WeakMap<ChildProcess, AsyncIterator<string, undefined> & AsyncIterable<string>>();

function silent(): never {
  throw new Error("the process has ended before it said anything");
}
