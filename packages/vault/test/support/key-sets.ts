/**
 * Key sets of one raw AES key each, and what a stored message says under which it lies.
 */
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { inspect, rawAesKeyring } from "@strongroom/envelope";
import { keySetDigest, parseAddress } from "@strongroom/vault";
import type { AddressInput, KeySetInput, Store } from "@strongroom/vault";

/** A set whose only key has this name. */
export function namedSet(keyName: string): KeySetInput & { readonly digest: string } {
  const keyring = rawAesKeyring({ keyNamespace: "strongroom-test", keyName, wrappingKey: randomBytes(32) });
  return { keyring, keySet: [keyName], digest: keySetDigest([keyName]) };
}

/** The keys under which the newest version of a record lies. */
export async function keysOf({ records }: Store, address: AddressInput): Promise<readonly string[]> {
  return keysIn((await records.read(parseAddress(address), null)).stored!.message);
}

export const keysIn = (message: Uint8Array): readonly string[] =>
  inspect(message).encryptedDataKeys.map(({ keyInfo }) => keyInfo);

/** Puts another set in force, as another process would. */
export async function flipTo({ gate }: Pick<Store, "gate">, digest: string): Promise<void> {
  const { epoch } = await gate.current();
  if ((await gate.flip({ from: epoch, digest })) !== "flipped") throw new Error("the test's own flip was not made");
}

/** Time that a test moves on for those who measure how long something took. */
export function movableTime(t: TestContext): { later: (ms: number) => void } {
  const now = performance.now.bind(performance);
  let ahead = 0;
  t.mock.method(performance, "now", () => now() + ahead);
  return {
    later: (ms) => {
      ahead += ms;
    },
  };
}
