import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { decrypt, encrypt, type Keyring, rawAesKeyring } from "@strongroom/envelope";
import { multiKeyring, type MultiKeyringOptions } from "@strongroom/envelope/multi-keyring";

export async function use(): Promise<void> {
  const [one, two] = ["one", "two"].map((keyName) =>
    rawAesKeyring({ keyNamespace: "packed", keyName, wrappingKey: randomBytes(32) }),
  );
  const options: MultiKeyringOptions = { generator: one!, children: [two!] };
  const both: Keyring = multiKeyring(options);
  const { message } = await encrypt(Buffer.from("either"), { keyring: both, encryptionContext: {} });
  const { plaintext } = await decrypt(message, { keyring: two!, encryptionContext: {} });
  assert.equal(Buffer.from(plaintext).toString(), "either");
}

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error what is no keyring
  multiKeyring({ generator: {} });
  // @ts-expect-error a keyring is not a number
  multiKeyring({}) satisfies number;
}
