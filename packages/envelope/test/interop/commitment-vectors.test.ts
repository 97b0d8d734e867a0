import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decrypt } from "@strongroom/envelope";
import { SecretBytes } from "@strongroom/envelope/keyrings";
import type { Keyring } from "@strongroom/envelope";
import { deriveMessageKeys } from "../../src/crypto/key-derivation.ts";
import { parseHeader } from "../../src/format/header.ts";
import { DEFAULT_LIMITS } from "../../src/format/suites.ts";
import { rejectsWith } from "../support/errors.ts";
import { readVectors } from "../support/vectors.ts";

interface CommitmentVector {
  readonly comment: string;
  readonly ciphertext: string;
  readonly commitment?: string;
  readonly "content-encryption-key"?: string;
  readonly "decrypted-dek": string;
  readonly "encryption-context": Readonly<Record<string, string>>;
  readonly "plaintext-frames"?: readonly string[];
  readonly header?: string;
  readonly "message-id"?: string;
  readonly status: boolean;
}

const base64 = (text: string): Buffer => Buffer.from(text, "base64");

/** The vectors give the data key, as their wrapping keys are in somebody's AWS account. */
function keyringOf(dataKey: Buffer): Keyring {
  return {
    onEncrypt: () => assert.fail("not for encryption"),
    onDecrypt: async (materials) => ({ ...materials, dataKey: SecretBytes.copyOf(dataKey) }),
  };
}

describe("AWS Encryption SDK message format version 2 vectors", () => {
  const tests = readVectors("message-format-2") as readonly CommitmentVector[];
  for (const vector of tests) {
    test(vector.comment, async () => {
      const message = base64(vector.ciphertext);
      const dataKey = base64(vector["decrypted-dek"]);
      const header = parseHeader(message, DEFAULT_LIMITS);
      const { cipherKey, commitKey } = deriveMessageKeys(header.suite, header.messageId, dataKey);
      // The later vectors leave out what the earlier ones spell out.
      if (vector.header !== undefined) assert.deepEqual(header.bytes, base64(vector.header));
      if (vector["message-id"] !== undefined) assert.deepEqual(header.messageId, base64(vector["message-id"]));

      const own = Object.entries(vector["encryption-context"]).filter(([key]) => key !== "aws-crypto-public-key");
      const encryptionContext = Object.fromEntries(own);
      const opened = decrypt(message, { keyring: keyringOf(dataKey), encryptionContext });
      if (vector.status) {
        assert.equal(Buffer.from((await opened).plaintext).toString(), vector["plaintext-frames"]?.join(""));
        assert.deepEqual(header.commitKey, commitKey);
        if (vector["content-encryption-key"] !== undefined)
          assert.deepEqual(cipherKey.export(), base64(vector["content-encryption-key"]));
        if (vector.commitment !== undefined) assert.deepEqual(commitKey, base64(vector.commitment));
      } else {
        // Their stated reason: the commitment. To the caller it is the one code of every cryptographic failure.
        assert.notDeepEqual(header.commitKey, commitKey);
        await rejectsWith(opened, "decryption-failed");
      }
    });
  }
  test("all 46 are there", () => {
    assert.equal(tests.length, 46);
  });
});
