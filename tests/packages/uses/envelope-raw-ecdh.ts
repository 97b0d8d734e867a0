import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { decrypt, encrypt, type Keyring } from "@strongroom/envelope";
import { rawEcdhKeyring, type RawEcdhSchema } from "@strongroom/envelope/raw-ecdh";

export async function use(): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const writes: RawEcdhSchema = { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: publicKey };
  const reads: RawEcdhSchema = { kind: "PublicKeyDiscovery", recipientPrivateKey: privateKey };
  const writer: Keyring = rawEcdhKeyring({ curve: "ECC_NIST_P256", schema: writes });
  const { message } = await encrypt(Buffer.from("ecdh"), { keyring: writer, encryptionContext: {} });
  const reader: Keyring = rawEcdhKeyring({ curve: "ECC_NIST_P256", schema: reads });
  const { plaintext } = await decrypt(message, { keyring: reader, encryptionContext: {} });
  assert.equal(Buffer.from(plaintext).toString(), "ecdh");
}

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error a forgotten schema
  rawEcdhKeyring({ curve: "ECC_NIST_P256" });
  // @ts-expect-error there is no such schema
  ({ kind: "Nothing" }) satisfies RawEcdhSchema;
}
