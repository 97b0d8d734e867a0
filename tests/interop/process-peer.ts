// A peer in another language: a process that answers one line of JSON with one line of JSON. Requests go out as they
// come and are answered in order.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import type { Cell, Opened, Peer } from "./peer.ts";

interface Reply {
  readonly error?: string;
  readonly message?: string;
  readonly plaintext?: string;
  readonly context?: Readonly<Record<string, string>>;
}

export interface ProcessPeerOptions {
  readonly id: string;
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  /** What it neither writes nor reads by design; nothing when absent. */
  readonly cannot?: (cell: Cell) => string | null;
}

export function processPeer(options: ProcessPeerOptions): Peer {
  // The AWS SDKs inside look for credentials and a region everywhere; what they may use comes with each request.
  const child = spawn(options.command, options.args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, AWS_EC2_METADATA_DISABLED: "true" },
  });
  const waiting: ((reply: Reply) => void)[] = [];
  let stderr = "";
  let ended: string | undefined;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-4_000);
  });
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(JSON.parse(line) as Reply));
  const exited = new Promise<void>((resolve) => {
    child.once("close", (code, signal) => {
      ended = `the process of ${options.id} ended with ${signal ?? `code ${String(code)}`}: ${stderr.trim()}`;
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

  const ask = async (request: Readonly<Record<string, unknown>>): Promise<Reply> => {
    if (ended !== undefined) throw new Error(ended);
    const reply = await new Promise<Reply>((resolve) => {
      waiting.push(resolve);
      child.stdin.write(`${JSON.stringify(request)}\n`);
    });
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply;
  };

  return {
    id: options.id,
    title: options.title,
    cannotWrite: options.cannot ?? (() => null),
    cannotRead: options.cannot ?? (() => null),
    async encrypt(cell) {
      const { suite, frameLength, plaintext, context, keys } = cell;
      const reply = await ask({
        op: "encrypt",
        suite: suite.id,
        committing: suite.committing,
        frameLength,
        plaintext: Buffer.from(plaintext).toString("base64"),
        context: context.pairs,
        keys: keys.spec,
      });
      return Buffer.from(reply.message ?? "", "base64");
    },
    async decrypt(message, { suite, keys }): Promise<Opened> {
      const reply = await ask({
        op: "decrypt",
        committing: suite.committing,
        message: Buffer.from(message).toString("base64"),
        keys: keys.spec,
      });
      return { plaintext: Buffer.from(reply.plaintext ?? "", "base64"), context: reply.context ?? {} };
    },
    async close() {
      child.stdin.end();
      await exited;
    },
  };
}
