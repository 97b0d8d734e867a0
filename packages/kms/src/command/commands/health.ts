// `strongroom-kms health`: whether regions answer. For containers and start scripts.

import { z } from "zod";
import { COMMAND_DEFAULTS, wholeNumber } from "../options.ts";
import { command } from "../spec.ts";
import type { CommandSpec } from "../spec.ts";

const schema = z.object({ timeoutMs: wholeNumber(1, 600_000).default(3000) });
const answer = z.object({ status: z.literal("ok"), region: z.string() });

type Health = { readonly url: string } & (
  { readonly state: "up"; readonly region: string } | { readonly state: "down"; readonly reason: string }
);

export const healthCommand: CommandSpec = command<z.infer<typeof schema>>({
  name: "health",
  args: "[url...]",
  summary: "ask regions whether they are up",
  description: "Without addresses, those of the three default regions. Exit code 7 if one of them does not answer.",
  options: [{ flags: "--timeout-ms <n>", description: "how long to wait for each (default: 3000)" }],
  schema,
  examples: [
    { line: "npx @strongroom/kms health", meaning: "the three default regions" },
    { line: "npx @strongroom/kms health http://127.0.0.1:4599", meaning: "one of your own" },
  ],
  async run({ args, values, result }) {
    const urls = args.length > 0 ? args : COMMAND_DEFAULTS.regions.map(({ port }) => `http://127.0.0.1:${port}`);
    const found = await Promise.all(urls.map((url) => ask(url, values.timeoutMs)));
    result({ regions: found }, () =>
      found
        .map((one) => `${one.state.padEnd(4)}  ${one.url}  ${one.state === "up" ? one.region : one.reason}`)
        .join("\n"),
    );
    return found.every((one) => one.state === "up") ? "ok" : "unavailable";
  },
});

async function ask(url: string, timeoutMs: number): Promise<Health> {
  try {
    const response = await fetch(new URL("/healthz", url), {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: "error",
    });
    const read = answer.safeParse(await response.json());
    return read.success
      ? { url, state: "up", region: read.data.region }
      : { url, state: "down", reason: "what answers there is no region of a KMS" };
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
