import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { decrypt, encrypt, type Keyring } from "@strongroom/envelope";
import { RAW_RSA_DEFAULTS, rawRsaKeyring, type RsaPadding } from "@strongroom/envelope/raw-rsa";

export async function use(): Promise<void> {
  const padding: RsaPadding = RAW_RSA_DEFAULTS.padding;
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const keyring: Keyring = rawRsaKeyring({ keyNamespace: "packed", keyName: "rsa", padding, ...pair });
  const { message } = await encrypt(Buffer.from("rsa"), { keyring, encryptionContext: {} });
  const { plaintext } = await decrypt(message, { keyring, encryptionContext: {} });
  assert.equal(Buffer.from(plaintext).toString(), "rsa");
}

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error a forgotten name
  rawRsaKeyring({ keyNamespace: "packed" });
  // @ts-expect-error PKCS #1 version 1.5 is not offered
  "PKCS1" satisfies RsaPadding;
}
