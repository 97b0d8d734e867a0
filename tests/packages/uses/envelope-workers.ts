import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
import { type FramingWorkers, framingWorkers, PARALLEL_FROM_BYTES } from "@strongroom/envelope/workers";

/** The threads' file is found beside the package's, so not in a bundle. */
export async function useUnbundled(): Promise<void> {
  const keyring = rawAesKeyring({ keyNamespace: "packed", keyName: "one", wrappingKey: randomBytes(32) });
  const workers: FramingWorkers = framingWorkers({ threads: 1 });
  const plaintext = randomBytes(PARALLEL_FROM_BYTES + 1);
  const { message } = await encrypt(plaintext, { keyring, encryptionContext: {}, workers });
  const opened = await decrypt(message, { keyring, encryptionContext: {}, workers });
  assert.ok(Buffer.from(opened.plaintext).equals(plaintext));
  await workers.close();
}

/** What the compiler is to refuse. */
export function misuse(workers: FramingWorkers): void {
  // @ts-expect-error a number of threads
  framingWorkers({ threads: "all" });
  // @ts-expect-error workers are not a number
  workers satisfies number;
}
