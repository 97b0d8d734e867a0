import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { gcmOpen, gcmSeal } from "../../src/crypto/gcm.ts";
import type { GcmCipher } from "../../src/crypto/gcm.ts";
import { throwsWith } from "../support/errors.ts";
import { readVectors, skipWithout } from "../support/vectors.ts";

interface GcmVectors {
  readonly testGroups: readonly {
    readonly ivSize: number;
    readonly keySize: number;
    readonly tagSize: number;
    readonly tests: readonly {
      readonly key: string;
      readonly iv: string;
      readonly aad: string;
      readonly msg: string;
      readonly ct: string;
      readonly tag: string;
      readonly result: string;
    }[];
  }[];
}

const hex = (text: string): Buffer => Buffer.from(text, "hex");

describe("AES-GCM", () => {
  const file = "wycheproof-aes-gcm.json";
  test("Wycheproof, with the format's IV and tag lengths", { skip: skipWithout(file) }, (t) => {
    let passed = 0;
    for (const { ivSize, keySize, tagSize, tests } of (readVectors(file) as GcmVectors).testGroups) {
      if (ivSize !== 96 || tagSize !== 128) continue;
      const cipher = `aes-${keySize}-gcm` as GcmCipher;
      for (const { key, iv, aad, msg, ct, tag, result } of tests) {
        if (result === "valid") {
          assert.equal(gcmOpen(cipher, hex(key), hex(iv), hex(aad), hex(ct), hex(tag)).toString("hex"), msg);
          const sealed = gcmSeal(cipher, hex(key), hex(iv), hex(aad), hex(msg));
          assert.deepEqual([sealed.ciphertext.toString("hex"), sealed.tag.toString("hex")], [ct, tag]);
        } else {
          throwsWith(() => gcmOpen(cipher, hex(key), hex(iv), hex(aad), hex(ct), hex(tag)), "decryption-failed");
        }
        passed++;
      }
    }
    t.diagnostic(`${passed} vectors`);
    assert.ok(passed > 100);
  });

  test("short tags are refused, though they are the start of the right one", () => {
    const [key, iv, aad] = [randomBytes(32), randomBytes(12), randomBytes(5)];
    const { ciphertext, tag } = gcmSeal("aes-256-gcm", key, iv, aad, Buffer.from("secret"));
    for (let length = 0; length < 16; length++)
      assert.throws(() => gcmOpen("aes-256-gcm", key, iv, aad, ciphertext, tag.subarray(0, length)));
  });
});
