import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { EncryptionContext, EnvelopeErrorCode, Keyring, RawAesKeyring } from "@strongroom/envelope";
import {
  cachingMaterials,
  createDecryptStream,
  createEncryptStream,
  decrypt,
  encrypt,
  ENVELOPE_ERRORS,
  EnvelopeError,
  inspect,
  rawAesKeyring,
} from "@strongroom/envelope";

export async function use(): Promise<void> {
  const keyring: RawAesKeyring = rawAesKeyring({
    keyNamespace: "packed",
    keyName: "one",
    wrappingKey: randomBytes(32),
  });
  keyring satisfies Keyring;
  const encryptionContext: EncryptionContext = { id: "42" };
  const plaintext = randomBytes(100_000);

  const { message } = await encrypt(plaintext, { keyring, encryptionContext });
  message satisfies Uint8Array;
  const opened = await decrypt(message, { keyring, encryptionContext });
  assert.ok(Buffer.from(opened.plaintext).equals(plaintext));
  const keyInfo: string | undefined = inspect(message).encryptedDataKeys[0]?.keyInfo;
  assert.equal(keyInfo, "one");

  const refused: unknown = await decrypt(message, { keyring, encryptionContext: {} }).catch((error: unknown) => error);
  assert.ok(refused instanceof EnvelopeError);
  const code: EnvelopeErrorCode = refused.code;
  assert.equal(code, "context-mismatch");
  assert.ok(ENVELOPE_ERRORS[code].remedy);

  const sealed = await buffer(Readable.from([plaintext]).pipe(createEncryptStream({ keyring, encryptionContext })));
  const read = await buffer(Readable.from([sealed]).pipe(createDecryptStream({ keyring, encryptionContext })));
  assert.ok(read.equals(plaintext));

  const materials = cachingMaterials({ keyring, maxAgeMs: 1000, maxMessages: 2 });
  await encrypt(plaintext, { materials, encryptionContext });
  const misses: number = materials.counts().misses;
  assert.equal(misses, 1);
  materials.clear();
}

/** What the compiler is to refuse: were a type lost, it would not. */
export function misuse(keyring: RawAesKeyring): void {
  // @ts-expect-error a forgotten keyring
  void encrypt(Buffer.from("x"), { encryptionContext: {} });
  // @ts-expect-error a context's values are strings
  void encrypt(Buffer.from("x"), { keyring, encryptionContext: { id: 42 } });
  // @ts-expect-error there is no such code
  "no-such-code" satisfies EnvelopeErrorCode;
  // @ts-expect-error a namespace is text
  rawAesKeyring({ keyNamespace: 1, keyName: "one", wrappingKey: randomBytes(32) });
  // @ts-expect-error a keyring is not a number
  keyring satisfies number;
}
