import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
import type { EncryptedDataKey, Keyring, KeyringCall, WrapReport } from "@strongroom/envelope/keyrings";
import { SecretBytes } from "@strongroom/envelope/keyrings";

/** A keyring of one's own, that counts. */
function counting(keyring: Keyring, counts: { asked: number }): Keyring {
  return {
    onEncrypt: (materials, call: KeyringCall) => {
      counts.asked += 1;
      return keyring.onEncrypt(materials, call);
    },
    onDecrypt: (materials, keys: readonly EncryptedDataKey[], call) => {
      counts.asked += keys.length;
      return keyring.onDecrypt(materials, keys, call);
    },
  };
}

export async function use(): Promise<void> {
  const counts = { asked: 0 };
  const inner = rawAesKeyring({ keyNamespace: "packed", keyName: "one", wrappingKey: randomBytes(32) });
  const keyring = counting(inner, counts);
  const { message } = await encrypt(Buffer.from("counted"), { keyring, encryptionContext: {} });
  const { plaintext } = await decrypt(message, { keyring, encryptionContext: {} });
  assert.equal(Buffer.from(plaintext).toString(), "counted");
  assert.equal(counts.asked, 2);
  const secret: SecretBytes = SecretBytes.copyOf(randomBytes(32));
  assert.equal(inspect(secret).includes("secret"), true);
}

/** What the compiler is to refuse. */
export function misuse(report: WrapReport): void {
  // @ts-expect-error a keyring decrypts too
  ({ onEncrypt: () => Promise.reject(new Error()) }) satisfies Keyring;
  // @ts-expect-error a report is not a number
  report satisfies number;
}
