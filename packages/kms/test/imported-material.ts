// Wrapping key material for import, as a customer does it.

import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from "node:crypto";

/** The material wrapped as GetParametersForImport asked for. */
export function wrapMaterial(algorithm: string, publicKey: string, material: Uint8Array): string {
  const oaepHash = algorithm.endsWith("SHA_1") ? "sha1" : "sha256";
  const key = createPublicKey({ key: Buffer.from(publicKey, "base64"), format: "der", type: "spki" });
  const seal = (bytes: Uint8Array): Buffer =>
    publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, bytes);
  if (algorithm.startsWith("RSAES")) return seal(material).toString("base64");
  const aesKey = randomBytes(32);
  const cipher = createCipheriv("id-aes256-wrap-pad", aesKey, Buffer.from("a65959a6", "hex"));
  return Buffer.concat([seal(aesKey), cipher.update(material), cipher.final()]).toString("base64");
}
