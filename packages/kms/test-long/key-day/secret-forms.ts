// What a secret could look like wherever it has leaked to: its parts, cut into pieces of sixteen bytes (one survives a
// line break, a limb boundary or half an overwriting), in every notation that a program would use.

import { createPrivateKey } from "node:crypto";

const PIECE = 16;

/** The parts of a key's material that only the secret has: a PKCS #8 key holds its public key as well. */
export function secretParts(spec: string, secret: Buffer): readonly Buffer[] {
  if (spec.startsWith("SYMMETRIC") || spec.startsWith("HMAC")) return [secret];
  const jwk = createPrivateKey({ key: secret, format: "der", type: "pkcs8" }).export({ format: "jwk" }) as Record<
    string,
    string | undefined
  >;
  const numbers = ["d", "p", "q", "dp", "dq", "qi", "priv"].flatMap((name) =>
    jwk[name] === undefined ? [] : [Buffer.from(jwk[name], "base64url")],
  );
  return [...numbers, ...expandedParts(spec, secret)];
}

/** Inside the expanded key, which OpenSSL writes at the end of the PKCS #8 form. */
function expandedParts(spec: string, secret: Buffer): readonly Buffer[] {
  // FIPS 203, algorithm 16: s | ek (public) | H(ek) | z.
  const kem = { ML_KEM_512: 1632, ML_KEM_768: 2400, ML_KEM_1024: 3168 }[spec];
  if (kem !== undefined) return [secret.subarray(-kem).subarray(0, 256), secret.subarray(-32)];
  // FIPS 204, algorithm 24: rho (public, 32) | K (32) | tr (64) | s1 …
  const dsa = { ML_DSA_44: 2560, ML_DSA_65: 4032, ML_DSA_87: 4896 }[spec];
  return dsa === undefined ? [] : [secret.subarray(-dsa).subarray(32, 64), secret.subarray(-dsa).subarray(128, 384)];
}

/** The beginning and the end of a part. */
export function piecesOf(part: Buffer): readonly Buffer[] {
  return part.length <= PIECE ? [part] : [part.subarray(0, PIECE), part.subarray(-PIECE)];
}

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
const utf16 = (text: string): Buffer => Buffer.from(text, "utf16le");

/** Base64 of a piece wherever it begins in a longer text: without the digits that depend on what stands beside it. */
function base64Forms(piece: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const digits = Buffer.concat([Buffer.alloc(before), piece])
      .toString("base64")
      .replace(/=+$/, "");
    const own = digits.slice(Math.ceil((before * 8) / 6), Math.floor(((before + piece.length) * 8) / 6));
    return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

/**
 * The notations of a piece: as it is; backwards, as OpenSSL's numbers lie in memory; hexadecimal; base64 (and so PEM)
 * at each of its three alignments, and base64url; a list of numbers, as JSON shows bytes; and each of these texts in
 * UTF-16.
 */
export function formsOf(piece: Buffer): ReadonlyMap<string, Buffer> {
  const hex = piece.toString("hex");
  const texts: Readonly<Record<string, readonly string[]>> = {
    hexadecimal: [hex, hex.toUpperCase()],
    base64: base64Forms(piece),
    numbers: [[...piece].join(","), [...piece].join(", "), [...piece].join(" ")],
  };
  const forms = new Map<string, Buffer>([
    ["raw", piece],
    ["raw backwards", Buffer.from(piece.toReversed())],
    ["raw UTF-16", utf16(piece.toString("latin1"))],
    ["raw in UTF-8", Buffer.from(piece.toString("latin1"), "utf8")],
  ]);
  for (const [name, all] of Object.entries(texts)) {
    for (const [i, text] of all.entries())
      forms.set(`${name} ${i}`, latin1(text)).set(`${name} ${i} UTF-16`, utf16(text));
  }
  return forms;
}
