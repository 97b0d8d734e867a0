// What `serve` says to a process that started it with an IPC channel, such as `strongroom up`, instead of to a person.
// The server then leaves Ctrl-C to its parent, and ends when the channel closes: a killed parent leaves no KMS
// behind.

import { EXIT_CODES, type ErrorReport, type Outcome, reportOf } from "@strongroom/base/errors";
import { z } from "zod";
import type { Kms } from "../kms.ts";

/** The server is ready, or could not start and why. */
export type KmsMessage =
  | {
      readonly kind: "ready";
      /** Region -> URL. */
      readonly endpoints: Readonly<Record<string, string>>;
      /** Region -> path of its Unix socket; empty if there are none. */
      readonly sockets: Readonly<Record<string, string>>;
      /** Of the ports' certificate; null: they speak plain HTTP. */
      readonly tlsFingerprint: string | null;
      /** Region -> why its port does not serve; it is tried again. */
      readonly notServing: Readonly<Record<string, string>>;
      readonly faultsEndpoint: string | null;
    }
  /** The answer to `{ kind: "alive?" }`. */
  | { readonly kind: "alive" }
  | { readonly kind: "failed"; readonly error: ErrorReport };

const schema: z.ZodType<KmsMessage> = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("ready"),
    endpoints: z.record(z.string(), z.string()),
    sockets: z.record(z.string(), z.string()),
    tlsFingerprint: z.string().nullable(),
    notServing: z.record(z.string(), z.string()),
    faultsEndpoint: z.string().nullable(),
  }),
  z.object({ kind: z.literal("alive") }),
  z.object({
    kind: z.literal("failed"),
    error: z.object({
      code: z.string(),
      title: z.string(),
      detail: z.string().nullable(),
      problems: z.array(z.string()),
      remedy: z.string(),
      outcome: z.enum(Object.keys(EXIT_CODES) as Outcome[]),
    }),
  }),
]);

const questionSchema = z.object({ kind: z.literal("alive?") });

/**
 * Reads a message; null for anything else on the channel.
 *
 * @example
 * ```ts
 * import { parseKmsMessage } from "@strongroom/kms/command";
 *
 * const endpoints = { "eu-west-1": "http://127.0.0.1:8201" };
 * const rest = { sockets: {}, tlsFingerprint: null, notServing: {}, faultsEndpoint: null };
 * const message = parseKmsMessage({ kind: "ready", endpoints, ...rest });
 * console.log(message?.kind, parseKmsMessage("something else")); // prints: ready null
 * ```
 */
export function parseKmsMessage(value: unknown): KmsMessage | null {
  return schema.safeParse(value).data ?? null;
}

/** Whether a process waits on the other end of a channel. */
export function hasParent(): boolean {
  return process.send !== undefined;
}

/** Serves until the parent is gone, and tells it what became of the start. */
export async function serveUnderParent(start: () => Promise<Kms>): Promise<void> {
  const parentGone = whenDisconnected();
  process.on("message", (message) => {
    if (questionSchema.safeParse(message).success) process.send?.({ kind: "alive" } satisfies KmsMessage);
  });
  try {
    await using kms = await start();
    const { endpoints, sockets, tls, notServing, faultsEndpoint } = kms;
    const tlsFingerprint = tls?.fingerprint ?? null;
    await tellParent({ kind: "ready", endpoints, sockets, tlsFingerprint, notServing, faultsEndpoint });
    await parentGone;
  } catch (error) {
    await tellParent({ kind: "failed", error: reportOf(error) });
    await parentGone;
  }
}

function whenDisconnected(): Promise<void> {
  return new Promise((resolve) => {
    process.once("disconnect", resolve);
    if (!process.connected) resolve();
  });
}

async function tellParent(message: KmsMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    // A parent that has gone needs no message; the closed channel ends this process anyway.
    process.send?.(message, () => {
      resolve();
    });
  });
}
