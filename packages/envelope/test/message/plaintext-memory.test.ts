/** Plaintext lies in memory of its own: never in the pool that Node's small buffers share. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { createDecryptStream, decrypt, decryptStream, encrypt, rawAesKeyring } from "@strongroom/envelope";

const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: randomBytes(32) });
const encryptionContext = { file: "report.pdf" };
const options = { keyring, encryptionContext };
const SIGNED = "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384";

const WAYS: Readonly<Record<string, (message: Uint8Array) => Promise<readonly Uint8Array[]>>> = {
  decrypt: async (message) => [(await decrypt(message, options)).plaintext],
  "web stream": (message) => all(ReadableStream.from([message]).pipeThrough(decryptStream(options))),
  "node stream": (message) => all(Readable.from([message]).pipe(createDecryptStream(options))),
};

async function all(pieces: AsyncIterable<unknown>): Promise<readonly Uint8Array[]> {
  const found: Uint8Array[] = [];
  for await (const piece of pieces) found.push(piece as Uint8Array);
  return found;
}

for (const [way, open] of Object.entries(WAYS)) {
  describe(way, () => {
    for (const size of [1, 64, 100, 4_000, 100_000]) {
      for (const extra of [{ frameLength: 10 }, { frameLength: 4_096 }, { frameLength: 50, suite: SIGNED }] as const) {
        test(`${size} bytes in frames of ${extra.frameLength}${"suite" in extra ? ", signed" : ""}`, async () => {
          const plaintext = randomBytes(size);
          const pieces = await open((await encrypt(plaintext, { ...options, ...extra })).message);
          assert.deepEqual(Buffer.concat(pieces), plaintext);
          for (const piece of pieces) assert.equal(piece.buffer.byteLength, piece.length);
          assert.equal(new Set(pieces.map(({ buffer }) => buffer)).size, pieces.length);
        });
      }
    }
  });
}
