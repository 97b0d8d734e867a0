import assert from "node:assert/strict";
import { CLI_ERRORS, type CliErrorCode, type ConfigInput, defineConfig, EXIT_CODES } from "strongroom";

export async function use(): Promise<void> {
  const config: ConfigInput = defineConfig({
    keys: { minimum: 2 },
    collections: { people: { purposes: ["support"] } },
    audit: { acceptTailMs: 5000 },
  });
  assert.equal(config.keys?.minimum, 2);
  const code: number = EXIT_CODES[CLI_ERRORS.usage.outcome].code;
  assert.equal(code, 2);
  await Promise.resolve();
}

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error a minimum is a number
  defineConfig({ keys: { minimum: "two" } });
  // @ts-expect-error purposes are a list
  defineConfig({ collections: { people: { purposes: "support" } } });
  // @ts-expect-error there is no such code
  "no-such-code" satisfies CliErrorCode;
}
