// Runs against the installed package, on whatever runtime it is given to: exits 0 only if everything held.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import {
  cachingMaterials,
  createDecryptStream,
  createEncryptStream,
  decrypt,
  encrypt,
  rawAesKeyring,
} from "@strongroom/envelope";
import { framingWorkers } from "@strongroom/envelope/workers";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { rawRsaKeyring } from "@strongroom/envelope/raw-rsa";

const keyring = rawAesKeyring({ keyNamespace: "smoke", keyName: "key", wrappingKey: randomBytes(32) });
const encryptionContext = { id: "42" };
const plaintext = randomBytes(5_000_000);
const isPlaintext = (bytes) => {
  assert.ok(Buffer.from(bytes).equals(plaintext));
};

for (const suite of ["ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY", "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384"]) {
  const { message } = await encrypt(plaintext, { keyring, encryptionContext, suite });
  isPlaintext((await decrypt(message, { keyring, encryptionContext })).plaintext);
  await assert.rejects(decrypt(message, { keyring, encryptionContext: {} }), { code: "context-mismatch" });
  message[message.length - 1] ^= 1;
  await assert.rejects(decrypt(message, { keyring, encryptionContext }));
}

// A message from another runtime: being right for oneself is not enough.
const WRITTEN_BY_NODE =
  "AgR4JtfrHzQk87sZjSQdnSepunLw++kGpDR7EcUhaFpGcsIACgABAAJpZAACNDIAAQAFc21va2UAF2tleQAAAIAAAAAMdNjMiAZ7EoD6YMuHADDYQJ0WHFec70UPZO0bJtAzWj1j22jI8W9F6uJdJZ4ZbImoJ3F5MYvL3CEJIUOTEqsCAAAQAJ5Cc2rFO5hQQpwP/r34hGrKia4B2874R71qQIwPijPsrMJTRq+bqjih9yOLYt45tf////8AAAABAAAAAAAAAAAAAAABAAAAD30W0jVIkg/jx5n8qd03hoK08KS3UN+YRPaV8qwzuZQ=";
const fixedKeyring = rawAesKeyring({ keyNamespace: "smoke", keyName: "key", wrappingKey: Buffer.alloc(32, 7) });
const { plaintext: read } = await decrypt(Buffer.from(WRITTEN_BY_NODE, "base64"), {
  keyring: fixedKeyring,
  encryptionContext,
});
assert.equal(Buffer.from(read).toString(), "written by node");

const workers = framingWorkers({ threads: 2 });
const { message } = await encrypt(plaintext, { keyring, encryptionContext, workers });
isPlaintext((await decrypt(message, { keyring, encryptionContext, workers })).plaintext);
await workers.close();

const sealed = await buffer(Readable.from([plaintext]).pipe(createEncryptStream({ keyring, encryptionContext })));
isPlaintext(await buffer(Readable.from([sealed]).pipe(createDecryptStream({ keyring, encryptionContext }))));

const materials = cachingMaterials({ keyring, maxAgeMs: 1000, hotMessages: 2 });
for (let count = 0; count < 3; count++)
  isPlaintext((await decrypt(message, { materials, encryptionContext })).plaintext);
materials.clear();

assert.equal(typeof multiRegionKeyring, "function");
assert.equal(typeof rawRsaKeyring, "function");
