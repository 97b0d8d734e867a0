import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { expand, extract, hmac } from "../../src/crypto/key-derivation.ts";
import type { HkdfHash } from "../../src/crypto/key-derivation.ts";
import { throwsWith } from "../support/errors.ts";
import { readVectors } from "../support/vectors.ts";

interface HkdfVector {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
  readonly result: "valid" | "invalid";
}

interface MacVector {
  readonly key: string;
  readonly msg: string;
  readonly tag: string;
  readonly result: "valid" | "invalid";
}

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const HASHES: readonly HkdfHash[] = ["sha256", "sha384", "sha512"];

describe("HKDF out of one-shot hashes", () => {
  test("RFC 5869, appendix A.1", () => {
    const pseudoRandomKey = extract("sha256", hex("000102030405060708090a0b0c"), Buffer.alloc(22, 0x0b));
    assert.equal(pseudoRandomKey.toString("hex"), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    const [output] = expand("sha256", pseudoRandomKey, {
      info: hex("f0f1f2f3f4f5f6f7f8f9"),
      length: 42,
      secrecy: "secret",
    });
    assert.equal(
      output?.toString("hex"),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );
  });

  for (const hash of HASHES) {
    test(`Wycheproof, HKDF-${hash}`, () => {
      const vectors = readVectors(`wycheproof/hkdf_${hash}`) as readonly HkdfVector[];
      assert.ok(vectors.length > 70);
      for (const { ikm, salt, info, size, okm, result } of vectors) {
        const pseudoRandomKey = extract(hash, hex(salt), hex(ikm));
        for (const secrecy of ["secret", "public"] as const) {
          const derive = () => expand(hash, pseudoRandomKey, { info: hex(info), length: size, secrecy });
          if (result === "invalid") throwsWith(derive, "option-invalid");
          else assert.equal(derive()[0]?.toString("hex"), okm);
        }
      }
    });

    test(`Wycheproof, HMAC-${hash}`, () => {
      const vectors = readVectors(`wycheproof/hmac_${hash}`) as readonly MacVector[];
      assert.ok(vectors.length > 50);
      for (const { key, msg, tag, result } of vectors)
        assert.equal(hmac(hash, hex(key), hex(msg)).toString("hex") === tag, result === "valid");
    });

    test(`HMAC-${hash} equals node's for keys and messages of all lengths`, () => {
      for (let length = 0; length < 300; length += 7) {
        const key = randomBytes(length);
        const parts = [randomBytes(length * 3), randomBytes(length), randomBytes(5)] as const;
        assert.deepEqual(hmac(hash, key, ...parts), createHmac(hash, key).update(Buffer.concat(parts)).digest());
      }
    });
  }

  test("what is public is the same as what is secret", () => {
    const key = randomBytes(64);
    for (const length of [0, 1, 63, 64, 65, 200]) {
      const [secret, open] = expand(
        "sha512",
        key,
        { info: key, length, secrecy: "secret" },
        { info: key, length, secrecy: "public" },
      );
      assert.deepEqual(open, secret);
    }
  });

  test("several outputs of one expand equal the outputs of several", () => {
    const key = randomBytes(64);
    const wanted = [
      { info: Buffer.from("a"), length: 32, secrecy: "secret" },
      { info: Buffer.from("b"), length: 100, secrecy: "public" },
    ] as const;
    assert.deepEqual(
      expand("sha512", key, ...wanted),
      wanted.flatMap((each) => expand("sha512", key, each)),
    );
  });
});
