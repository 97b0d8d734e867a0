/**
 * Wrapping keys that processes of one test share, as text that goes through a pipe.
 */
import { randomBytes } from "node:crypto";
import { rawAesKeyring } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import type { KeySetInput } from "@strongroom/vault";

/** A wrapping key of a test. */
export interface TestKey {
  readonly name: string;
  /** Base64. */
  readonly key: string;
}

export const newTestKey = (name: string): TestKey => ({ name, key: randomBytes(32).toString("base64") });

export function keyringOf({ name, key }: TestKey): Keyring {
  return rawAesKeyring({
    keyNamespace: "strongroom-test",
    keyName: name,
    wrappingKey: Buffer.from(key, "base64"),
  });
}

/** The key set that has this key alone. */
export const keySetOf = (key: TestKey): KeySetInput => ({ keyring: keyringOf(key), keySet: [key.name] });
