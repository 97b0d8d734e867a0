/** Points as the format stores them, and what is done with them, against published answers. */
import assert from "node:assert/strict";
import { createECDH, createPrivateKey, ECDH } from "node:crypto";
import { describe, test } from "node:test";
import { readCompressedPoint, readEcPrivateKey, sharedSecret } from "../../src/crypto/ecdh.ts";
import { messageVerifier } from "../../src/crypto/signature.ts";
import { throwsWith } from "../support/errors.ts";
import { readVectors } from "../support/vectors.ts";

interface EcdhVector {
  readonly tcId: number;
  readonly public: string;
  readonly private: string;
  readonly shared: string;
  readonly result: "valid" | "acceptable" | "invalid";
}

interface EcdsaVector {
  readonly publicKey: { readonly uncompressed: string };
  readonly msg: string;
  readonly sig: string;
  readonly result: "valid" | "invalid";
}

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const compress = (curve: string, point: Buffer): Buffer =>
  ECDH.convertKey(point, curve, undefined, undefined, "compressed") as Buffer;

const CURVES = [
  { curve: "ECC_NIST_P256", name: "prime256v1", jwk: "P-256", ecdh: "secp256r1", ecdsa: "secp256r1_sha256", bytes: 32 },
  { curve: "ECC_NIST_P384", name: "secp384r1", jwk: "P-384", ecdh: "secp384r1", ecdsa: "secp384r1_sha384", bytes: 48 },
] as const;

for (const { curve, name, jwk, ecdh, ecdsa, bytes } of CURVES) {
  describe(curve, () => {
    /** null for what is no private key of this curve. */
    const privateKey = (text: string) => {
      const scalar = hex(text.padStart(2 * bytes, "0")).subarray(-bytes);
      const own = ECDH.convertKey(pointOf(scalar), name, undefined, undefined, "uncompressed") as Buffer;
      const [x, y] = [own.subarray(1, 1 + bytes).toString("base64url"), own.subarray(1 + bytes).toString("base64url")];
      const key = { kty: "EC", crv: jwk, d: scalar.toString("base64url"), x, y };
      return readEcPrivateKey(curve, createPrivateKey({ key, format: "jwk" }));
    };
    const pointOf = (scalar: Buffer): Buffer => {
      const agreement = createECDH(name);
      agreement.setPrivateKey(scalar);
      return agreement.getPublicKey();
    };

    test("Wycheproof, agreement: a compressed point gives the shared secret, and any other is refused", () => {
      const vectors = readVectors(`wycheproof/ecdh_${ecdh}_ecpoint`) as readonly EcdhVector[];
      let agreed = 0;
      for (const { tcId, public: point, private: scalar, shared, result } of vectors) {
        const isCompressed = point.length === 2 * (bytes + 1);
        if (!isCompressed || result === "invalid")
          assert.equal(readCompressedPoint(curve, hex(point)), null, String(tcId));
        if (result === "invalid") continue;
        const other = readCompressedPoint(curve, isCompressed ? hex(point) : compress(name, hex(point)));
        const own = privateKey(scalar);
        assert.ok(other !== null && typeof own !== "string", String(tcId));
        using secret = sharedSecret(own, other);
        assert.equal(secret.bytes.toString("hex"), shared, String(tcId));
        agreed++;
      }
      assert.ok(agreed > 5, String(agreed));
    });

    test("Wycheproof, signatures: DER as it must be, under a key as messages carry it", () => {
      const vectors = readVectors(`wycheproof/ecdsa_${ecdsa}`) as readonly EcdsaVector[];
      assert.ok(vectors.some(({ result }) => result === "valid") && vectors.some(({ result }) => result === "invalid"));
      for (const { publicKey, msg, sig, result } of vectors) {
        const compressed = compress(name, hex(publicKey.uncompressed)).toString("base64");
        const hash = ecdsa.endsWith("256") ? "sha256" : "sha384";
        const verifier = messageVerifier({ curve: name, hash }, compressed);
        verifier.update(hex(msg));
        if (result === "valid") verifier.verify(hex(sig));
        else
          throwsWith(() => {
            verifier.verify(hex(sig));
          }, "decryption-failed");
      }
    });
  });
}
