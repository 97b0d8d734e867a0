import assert from "node:assert/strict";
import { runCommand } from "@strongroom/kms/command";

/** Its version is read from the package's own package.json, which a bundle does not have. */
export async function useUnbundled(): Promise<void> {
  const written: string[] = [];
  const stream = { write: (text: string) => written.push(text) };
  const code: number = await runCommand(["health", "--help"], {
    stdout: stream,
    stderr: stream,
    signal: new AbortController().signal,
  });
  assert.equal(code, 0);
  assert.match(written.join(""), /health/);
}

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error forgotten streams
  void runCommand([]);
  // @ts-expect-error words are text
  void runCommand([1], { stdout: process.stdout, stderr: process.stderr, signal: new AbortController().signal });
}
