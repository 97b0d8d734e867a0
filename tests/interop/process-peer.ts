// A peer in another language: a process that is asked line by line.

import { lineProcess } from "./line-process.ts";
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
  const peer = lineProcess<Reply>(options.id, [options.command, ...options.args], {
    AWS_EC2_METADATA_DISABLED: "true",
  });
  return {
    id: options.id,
    title: options.title,
    cannotWrite: options.cannot ?? (() => null),
    cannotRead: options.cannot ?? (() => null),
    async encrypt(cell) {
      const { suite, frameLength, plaintext, context, keys } = cell;
      const reply = await peer.ask({
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
      const reply = await peer.ask({
        op: "decrypt",
        committing: suite.committing,
        message: Buffer.from(message).toString("base64"),
        keys: keys.spec,
      });
      return { plaintext: Buffer.from(reply.plaintext ?? "", "base64"), context: reply.context ?? {} };
    },
    close: () => peer.close(),
  };
}
