// `strongroom-kms health`: whether regions answer. For containers and start scripts.

import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { TLSSocket } from "node:tls";
import { type CommandSpec, option, wholeNumberOr } from "@strongroom/base/command";
import { wrapped } from "@strongroom/base/terminal";
import { parseFingerprint, PINNED_TLS_OPTIONS, requireFingerprint } from "@strongroom/base/tls-pin";
import { boundedText } from "@strongroom/base/bounded-body";
import { z } from "zod";
import { command } from "../spec.ts";

const answer = z.union([
  z.object({
    status: z.literal("ok"),
    region: z.string(),
    witness: z.enum(["current", "behind", "away"]).optional(),
  }),
  z.object({ status: z.literal("ok"), mode: z.literal("emulator") }),
]);

type Health = { readonly url: string } & (
  | { readonly state: "up"; readonly region: string; readonly witness?: string }
  | { readonly state: "up"; readonly mode: "emulator" }
  | { readonly state: "down"; readonly reason: string }
);

const wordsFor = (one: Health): string => {
  if (one.state === "down") return one.reason;
  if ("mode" in one) return "EMULATOR: checks no signature, for tests only";
  return one.witness === "away" ? `${one.region}  the audit's witness is away` : one.region;
};

export const healthCommand: CommandSpec = command({
  name: "health",
  heading: "Commands",
  args: "[url...]",
  summary: "ask regions whether they are up",
  description:
    "Without addresses, those of the regions that serve would run. Exit code 7 if one of them does not answer.",
  options: {
    tlsFingerprint: option(
      "--tls-fingerprint <sha256>",
      "of the one certificate that they may have, as serve --tls prints it",
      z
        .string()
        .transform((text, context) => {
          const fingerprint = parseFingerprint(text);
          if (fingerprint === null) context.addIssue("must be a SHA-256 fingerprint");
          return fingerprint ?? z.NEVER;
        })
        .optional(),
    ),
    timeoutMs: option("--timeout-ms <n>", "how long to wait for each (default: 3000)", wholeNumberOr(3000, 1, 600_000)),
  },
  flagGroups: ["regions"],
  examples: [
    { line: "npx @strongroom/kms health", meaning: "the three default regions" },
    { line: "npx @strongroom/kms health http://127.0.0.1:4599", meaning: "one of your own" },
  ],
  async run({ args, options, loaded, context, endWith }) {
    const { tlsFingerprint } = options;
    const scheme = tlsFingerprint === undefined ? "http" : "https";
    const urls = args.length > 0 ? args : loaded.regions.map(({ port }) => `${scheme}://127.0.0.1:${port}`);
    const found = await Promise.all(urls.map((url) => ask(url, { ...options, tlsFingerprint })));
    context.terminal.result({ regions: found }, ({ regions }) =>
      regions
        .map((one) => wrapped(`${one.state.padEnd(4)}  ${one.url}  ${wordsFor(one)}`, context.terminal.width, 6))
        .join("\n"),
    );
    if (!found.every((one) => one.state === "up")) endWith("unavailable");
  },
});

/** Bytes of an answer: it is one short line. */
const LONGEST_ANSWER = 4096;

interface Asking {
  readonly timeoutMs: number;
  readonly tlsFingerprint: string | undefined;
}

async function ask(url: string, { timeoutMs, tlsFingerprint }: Asking): Promise<Health> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const at = new URL("/healthz", url);
    const isPinned = tlsFingerprint !== undefined && at.protocol === "https:";
    const read = answer.safeParse(
      isPinned
        ? await pinnedJson(at, signal, tlsFingerprint)
        : JSON.parse(await boundedText(await fetch(at, { signal, redirect: "error" }), LONGEST_ANSWER)),
    );
    if (!read.success) return { url, state: "down", reason: "what answers there is no region of a KMS" };
    const found = read.data;
    if ("mode" in found) return { url, state: "up", mode: found.mode };
    const { region, witness } = found;
    return { url, state: "up", region, ...(witness !== undefined && { witness }) };
  } catch (error) {
    return { url, state: "down", reason: reasonOf(error) };
  }
}

/** The longest answer that is read, bytes. */
const MAX_ANSWER = 10_000;

/** As fetch, which takes no certificate of its own choice. */
async function pinnedJson(url: URL, signal: AbortSignal, fingerprint: string): Promise<unknown> {
  const call = request(url, { agent: false, ...PINNED_TLS_OPTIONS, signal });
  call.once("socket", (socket) => {
    if (socket instanceof TLSSocket) requireFingerprint(socket, fingerprint);
    else call.destroy();
  });
  call.end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  let text = "";
  for await (const piece of response.setEncoding("utf8")) {
    text += String(piece);
    if (text.length > MAX_ANSWER) throw new Error("no answer of a KMS is so long");
  }
  return JSON.parse(text) as unknown;
}

/** fetch hides the system's reason in the cause. */
function reasonOf(error: unknown): string {
  const { name, code, cause } = error as { name?: string; code?: unknown; cause?: { code?: unknown } };
  if (name === "TimeoutError") return "no answer in time";
  if (code === "ERR_INVALID_URL") return "not an address";
  if (code === "certificate-not-pinned") return "another certificate than the one that is pinned";
  if (code === "ECONNREFUSED") return "connection refused";
  if (cause?.code === "ECONNREFUSED") return "connection refused";
  return typeof cause?.code === "string" ? cause.code : "no answer of a KMS";
}
