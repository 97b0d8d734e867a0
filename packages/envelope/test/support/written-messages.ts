/**
 * Who opens the messages that the second implementation writes: their wrapping key, their context, and the options that
 * read them.
 */
import { randomBytes } from "node:crypto";
import { rawAesKeyring } from "@strongroom/envelope";
import type { DecryptOptions, EncryptionContext } from "@strongroom/envelope";

export const wrappingKey: Buffer = randomBytes(32);

export const context = [
  ["a", "1"],
  ["b", "2"],
] as const;

export const options: DecryptOptions & { readonly encryptionContext: EncryptionContext } = {
  keyring: rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey }),
  encryptionContext: Object.fromEntries(context),
  commitmentPolicy: "require-encrypt-allow-decrypt",
};
