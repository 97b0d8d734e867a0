import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { gcmOpen, gcmSeal } from "../../src/crypto/gcm.ts";
import type { GcmCipher } from "../../src/crypto/gcm.ts";
import { throwsWith } from "../support/errors.ts";
import { readVectors } from "../support/vectors.ts";

interface GcmVector {
  readonly keySize: number;
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
  readonly result: string;
}

const hex = (text: string): Buffer => Buffer.from(text, "hex");

describe("AES-GCM", () => {
  test("Wycheproof, with the format's IV and tag lengths", () => {
    const vectors = readVectors("wycheproof/aes_gcm") as readonly GcmVector[];
    assert.ok(vectors.length > 100);
    for (const { keySize, key, iv, aad, msg, ct, tag, result } of vectors) {
      const cipher = `aes-${keySize}-gcm` as GcmCipher;
      if (result === "valid") {
        assert.equal(gcmOpen(cipher, hex(key), hex(iv), hex(aad), hex(ct), hex(tag)).toString("hex"), msg);
        const sealed = gcmSeal(cipher, hex(key), hex(iv), hex(aad), hex(msg));
        assert.deepEqual([sealed.ciphertext.toString("hex"), sealed.tag.toString("hex")], [ct, tag]);
      } else {
        throwsWith(() => gcmOpen(cipher, hex(key), hex(iv), hex(aad), hex(ct), hex(tag)), "decryption-failed");
      }
    }
  });

  test("short tags are refused, though they are the start of the right one", () => {
    const [key, iv, aad] = [randomBytes(32), randomBytes(12), randomBytes(5)];
    const { ciphertext, tag } = gcmSeal("aes-256-gcm", key, iv, aad, Buffer.from("secret"));
    for (let length = 0; length < 16; length++)
      assert.throws(() => gcmOpen("aes-256-gcm", key, iv, aad, ciphertext, tag.subarray(0, length)));
  });
});
