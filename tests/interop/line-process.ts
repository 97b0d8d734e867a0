// A program in another language that answers one line of JSON with one line of JSON. Requests go out as they come and
// are answered in order.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A running program. */
export interface LineProcess<Reply> {
  /** @throws Error for an answer that says `error`, and when the program has ended */
  ask(request: Readonly<Record<string, unknown>>): Promise<Reply>;
  /** Resolves when it has ended. */
  close(): Promise<void>;
}

/** Starts a program, with nothing in its environment but what this process has, and `env`. */
export function lineProcess<Reply extends { readonly error?: string }>(
  id: string,
  [command, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): LineProcess<Reply> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
  const waiting: ((reply: Reply | { readonly error: string }) => void)[] = [];
  let stderr = "";
  let ended: string | undefined;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-4_000);
  });
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(JSON.parse(line) as Reply));
  const exited = new Promise<void>((resolve) => {
    child.once("close", (code, signal) => {
      ended = `the process of ${id} ended with ${signal ?? `code ${String(code)}`}: ${stderr.trim()}`;
      for (const settle of waiting.splice(0)) settle({ error: ended });
      resolve();
    });
    child.once("error", (error) => {
      ended = error.message;
      for (const settle of waiting.splice(0)) settle({ error: error.message });
      resolve();
    });
  });
  child.stdin.on("error", () => undefined);
  return {
    async ask(request) {
      if (ended !== undefined) throw new Error(ended);
      const reply = await new Promise<Reply | { readonly error: string }>((resolve) => {
        waiting.push(resolve);
        child.stdin.write(`${JSON.stringify(request)}\n`);
      });
      if (reply.error !== undefined) throw new Error(reply.error);
      return reply as Reply;
    },
    async close() {
      child.stdin.end();
      await exited;
    },
  };
}
