// `strongroom-kms health`: whether regions answer. For containers and start scripts.

import { type CommandSpec, option, wholeNumberOr } from "@strongroom/base/command";
import { wrapped } from "@strongroom/base/terminal";
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
    timeoutMs: option("--timeout-ms <n>", "how long to wait for each (default: 3000)", wholeNumberOr(3000, 1, 600_000)),
  },
  flagGroups: ["regions"],
  examples: [
    { line: "npx @strongroom/kms health", meaning: "the three default regions" },
    { line: "npx @strongroom/kms health http://127.0.0.1:4599", meaning: "one of your own" },
  ],
  async run({ args, options, loaded, context, endWith }) {
    const urls = args.length > 0 ? args : loaded.regions.map(({ port }) => `http://127.0.0.1:${port}`);
    const found = await Promise.all(urls.map((url) => ask(url, options.timeoutMs)));
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

async function ask(url: string, timeoutMs: number): Promise<Health> {
  try {
    const response = await fetch(new URL("/healthz", url), {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: "error",
    });
    const read = answer.safeParse(JSON.parse(await boundedText(response, LONGEST_ANSWER)));
    if (!read.success) return { url, state: "down", reason: "what answers there is no region of a KMS" };
    const found = read.data;
    if ("mode" in found) return { url, state: "up", mode: found.mode };
    const { region, witness } = found;
    return { url, state: "up", region, ...(witness !== undefined && { witness }) };
  } catch (error) {
    return { url, state: "down", reason: reasonOf(error) };
  }
}

/** fetch hides the system's reason in the cause. */
function reasonOf(error: unknown): string {
  const { name, code, cause } = error as { name?: string; code?: unknown; cause?: { code?: unknown } };
  if (name === "TimeoutError") return "no answer in time";
  if (code === "ERR_INVALID_URL") return "not an address";
  if (cause?.code === "ECONNREFUSED") return "connection refused";
  return typeof cause?.code === "string" ? cause.code : "no answer of a KMS";
}
