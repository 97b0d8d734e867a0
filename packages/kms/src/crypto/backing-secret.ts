// Where the secret of a key comes from: made here (random bytes for symmetric keys, key pairs as PKCS #8 and
// SubjectPublicKeyInfo in DER for the others, all from OpenSSL's generators through node:crypto), or imported, wrapped.

import {
  constants,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  hkdfSync,
  privateDecrypt,
  randomBytes,
} from "node:crypto";
import { promisify } from "node:util";
import { secretConcat } from "@strongroom/base/secret-memory";
import { KEY_SPECS } from "../keys/key-spec.ts";
import type { KeySpec, MaterialKind } from "../keys/key-spec.ts";
import { requirePostQuantum } from "./post-quantum.ts";

/** A secret as it is sealed, with the public key if there is one. The caller wipes `secret`. */
export interface BackingSecret {
  readonly secret: Buffer;
  readonly publicKey: Buffer | null;
}

const generateNow = promisify(generateKeyPair) as unknown as (
  type: string,
  options: Record<string, unknown>,
) => Promise<{ privateKey: Buffer; publicKey: Buffer }>;

/**
 * Key pairs are made on the pool of four threads on which the store also waits for the disk. RSA keys take a second: so
 * many at once, and the others wait, or every call would wait for them.
 */
const PAIRS_AT_ONCE = 2;
const waiting: (() => void)[] = [];
let underWay = 0;

async function generate(
  type: string,
  options: Record<string, unknown>,
): Promise<{ privateKey: Buffer; publicKey: Buffer }> {
  if (underWay < PAIRS_AT_ONCE) underWay += 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await generateNow(type, options);
  } finally {
    // The next takes over this one's place.
    const next = waiting.shift();
    if (next === undefined) underWay -= 1;
    else next();
  }
}

const DER = {
  publicKeyEncoding: { type: "spki", format: "der" },
  privateKeyEncoding: { type: "pkcs8", format: "der" },
} as const;

/** Makes a new secret for a key of this spec. */
export const generateSecret = (spec: KeySpec): Promise<BackingSecret> => generateMaterial(KEY_SPECS[spec].material);

async function generateMaterial(material: MaterialKind): Promise<BackingSecret> {
  switch (material.kind) {
    case "bytes":
      return { secret: randomBytes(material.length), publicKey: null };
    case "rsa":
      return pair(await generate("rsa", { modulusLength: material.modulusLength, publicExponent: 0x10001, ...DER }));
    case "ec":
      return pair(await generate("ec", { namedCurve: material.curve, ...DER }));
    case "named":
      if (material.algorithm.startsWith("ml-")) requirePostQuantum();
      return pair(await generate(material.algorithm, DER));
  }
}

const pair = ({ privateKey, publicKey }: { privateKey: Buffer; publicKey: Buffer }): BackingSecret => ({
  secret: privateKey,
  publicKey,
});

/**
 * Whether `secret` is material of this spec, with its public key; null if it is not. For imported keys.
 * Numbers come from outside: only what OpenSSL parses as exactly this kind and size passes.
 */
export function recogniseSecret(spec: KeySpec, secret: Buffer): BackingSecret | null {
  const { material } = KEY_SPECS[spec];
  if (material.kind === "bytes") return secret.length === material.length ? { secret, publicKey: null } : null;
  try {
    const key = createPrivateKey({ key: secret, format: "der", type: "pkcs8" });
    const details = key.asymmetricKeyDetails;
    const fits =
      (material.kind === "rsa" &&
        key.asymmetricKeyType === "rsa" &&
        details?.modulusLength === material.modulusLength) ||
      (material.kind === "ec" && key.asymmetricKeyType === "ec" && details?.namedCurve === material.curve) ||
      (material.kind === "named" && (key.asymmetricKeyType as string) === material.algorithm);
    return fits ? { secret, publicKey: createPublicKey(key).export({ type: "spki", format: "der" }) } : null;
  } catch {
    return null;
  }
}

/**
 * The id of a backing key: 64 hexadecimal digits, a one-way function of the material, so that importing the same
 * material again is recognised after the material itself was deleted. Replicas of a multi-Region key share it.
 */
export const materialIdOf = (keyId: string, secret: Uint8Array): string =>
  Buffer.from(hkdfSync("sha256", secret, keyId, "strongroom-kms material id v1", 32)).toString("hex");

/** Wrapping algorithms that this server unwraps. */
const HASHES: Readonly<Record<string, "sha1" | "sha256">> = {
  RSAES_OAEP_SHA_1: "sha1",
  RSAES_OAEP_SHA_256: "sha256",
  RSA_AES_KEY_WRAP_SHA_1: "sha1",
  RSA_AES_KEY_WRAP_SHA_256: "sha256",
};

/** RFC 5649, section 3: the alternative initial value. */
const AIV = Buffer.from("a65959a6", "hex");
const AES_KEY_LENGTH = 32;

/**
 * Unwraps imported material: RSAES-OAEP (RFC 8017) directly, or RSA-OAEP around an AES key that wraps the material by
 * AES Key Wrap with Padding (RFC 5649), as AWS's RSA_AES_KEY_WRAP does.
 * @returns the material, which the caller wipes; null if it does not unwrap.
 */
export function unwrapMaterial(algorithm: string, pkcs8: Buffer, wrapped: Buffer): Buffer | null {
  const oaepHash = HASHES[algorithm];
  if (oaepHash === undefined) return null;
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const modulusBytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  try {
    const open = (part: Buffer): Buffer =>
      privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, part);
    if (algorithm.startsWith("RSAES_OAEP")) return open(wrapped);
    const aesKey = open(wrapped.subarray(0, modulusBytes));
    if (aesKey.length !== AES_KEY_LENGTH) return null;
    const decipher = createDecipheriv("id-aes256-wrap-pad", aesKey, AIV);
    const material = join([decipher.update(wrapped.subarray(modulusBytes)), decipher.final()]);
    aesKey.fill(0);
    return material;
  } catch {
    return null;
  }
}

/** The parts as one; the parts are wiped. */
function join(parts: readonly Buffer[]): Buffer {
  const whole = secretConcat(parts);
  for (const part of parts) part.fill(0);
  return whole;
}
