import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { buildClient, CommitmentPolicy, RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from "@aws-crypto/client-node";
import { ALGORITHM_SUITES, decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
import type { AlgorithmSuiteName, EncryptOptions } from "@strongroom/envelope";

const wrappingKey = randomBytes(32);
const ours = rawAesKeyring({ keyNamespace: "interop", keyName: "aes", wrappingKey });
const theirs = new RawAesKeyringNode({
  keyNamespace: "interop",
  keyName: "aes",
  // Their keyring insists on memory of its own.
  unencryptedMasterKey: Uint8Array.from(wrappingKey),
  utf8Sorting: true,
  wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
});
const require = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const forbid = buildClient(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT);

const CONTEXTS: readonly Record<string, string>[] = [{}, { id: "42" }, { b: "2", a: "1", "\u00e9": "\u{1F600}", long: "x".repeat(2000) }];
const SIZES = [0, 1, 4095, 4096, 4097, 20_000];
const FRAMES = [1024, 4096];

describe("AWS Encryption SDK for JavaScript, both directions", () => {
  let messages = 0;
  for (const name of Object.keys(ALGORITHM_SUITES) as AlgorithmSuiteName[]) {
    test(name, async () => {
      const { committing, id } = ALGORITHM_SUITES[name];
      const client = committing ? require : forbid;
      const policy = committing ? {} : { commitmentPolicy: "forbid-encrypt-allow-decrypt" as const };
      for (const encryptionContext of CONTEXTS) {
        for (const size of SIZES) {
          for (const frameLength of FRAMES) {
            const plaintext = randomBytes(size);
            const mine = await encrypt(plaintext, { keyring: ours, encryptionContext, frameLength, suite: name, ...policy } as EncryptOptions);
            const readByThem = await client.decrypt(theirs, mine.message);
            assert.deepEqual(readByThem.plaintext, plaintext);

            const written = await client.encrypt(theirs, plaintext, { encryptionContext, frameLength, suiteId: id as never });
            const readByUs = await decrypt(written.result, { keyring: ours, encryptionContext, ...policy });
            assert.deepEqual(Buffer.from(readByUs.plaintext), plaintext);
            messages += 2;
          }
        }
      }
    });
  }
  test("count", (t) => {
    t.diagnostic(`${messages} messages crossed, 0 failures`);
  });
});
