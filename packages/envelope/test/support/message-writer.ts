/**
 * Writes messages straight from the specification with node:crypto alone: a second implementation to hold the reader
 * against, and the only way to get what the library never writes (unframed bodies, odd headers).
 */
import { createCipheriv, createSign, ECDH, generateKeyPairSync, hkdfSync, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { AlgorithmSuite } from "@strongroom/envelope/format";

export interface Entry {
  readonly providerId: string;
  readonly providerInfo: Uint8Array;
  readonly ciphertext: Uint8Array;
}

export interface WriterOptions {
  readonly suite: AlgorithmSuite;
  readonly plaintext: Uint8Array;
  /** null writes an unframed body. */
  readonly frameLength: number | null;
  /** Written in this order. */
  readonly context: readonly (readonly [string, string])[];
  /** Wraps a data key under a context: what a keyring would do. */
  readonly wrap: (dataKey: Buffer, serializedContext: Buffer) => readonly Entry[];
  /** Random IVs, as the first SDKs wrote them. */
  readonly randomIvs?: true;
  /** An empty final frame after a full last one. */
  readonly emptyFinalFrame?: true;
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const field = (bytes: Uint8Array): Buffer => Buffer.concat([u16(bytes.length), bytes]);

export function serializeContext(pairs: readonly (readonly [string, string])[]): Buffer {
  if (pairs.length === 0) return Buffer.alloc(0);
  return Buffer.concat([
    u16(pairs.length),
    ...pairs.flatMap(([key, value]) => [field(Buffer.from(key)), field(Buffer.from(value))]),
  ]);
}

export function writeMessage(options: WriterOptions): Buffer {
  const { suite, plaintext, frameLength } = options;
  const signing = suite.signature === null ? null : generateKeyPairSync("ec", { namedCurve: suite.signature.curve });
  const pairs =
    signing === null
      ? options.context
      : [...options.context, ["aws-crypto-public-key", compressedPoint(signing.publicKey, suite)] as const];
  const context = serializeContext(pairs);
  const dataKey = randomBytes(suite.keyLength);
  const messageId = randomBytes(suite.messageVersion === 2 ? 32 : 16);
  const { key, commitment } = derive(suite, dataKey, messageId);
  const entries = options.wrap(dataKey, context);

  const seal = (iv: Uint8Array, aad: Uint8Array, content: Uint8Array): Buffer => {
    const cipher = createCipheriv(suite.cipher, key, iv, { authTagLength: 16 }).setAAD(aad);
    return Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
  };
  const headerBody = Buffer.concat([
    suite.messageVersion === 1 ? Buffer.of(1, 0x80) : Buffer.of(2),
    u16(suite.id),
    messageId,
    field(context),
    u16(entries.length),
    ...entries.flatMap((entry) => [
      field(Buffer.from(entry.providerId)),
      field(entry.providerInfo),
      field(entry.ciphertext),
    ]),
    Buffer.of(frameLength === null ? 1 : 2),
    suite.messageVersion === 1 ? Buffer.concat([u32(0), Buffer.of(12)]) : Buffer.alloc(0),
    u32(frameLength ?? 0),
    commitment,
  ]);
  // Only version 1 has room for a header IV.
  const headerIv = options.randomIvs === true && suite.messageVersion === 1 ? randomBytes(12) : Buffer.alloc(12);
  const header = Buffer.concat([
    headerBody,
    suite.messageVersion === 1 ? headerIv : Buffer.alloc(0),
    seal(headerIv, headerBody, Buffer.alloc(0)),
  ]);

  const ivOf = (sequence: number): Buffer =>
    options.randomIvs === true ? randomBytes(12) : Buffer.concat([Buffer.alloc(8), u32(sequence)]);
  const aadOf = (label: string, sequence: number, length: number): Buffer =>
    Buffer.concat([messageId, Buffer.from(`AWSKMSEncryptionClient ${label}`), u32(sequence), u32(0), u32(length)]);
  const parts: Buffer[] = [header];
  if (frameLength === null) {
    const iv = ivOf(1);
    parts.push(iv, u32(0), u32(plaintext.length), seal(iv, aadOf("Single Block", 1, plaintext.length), plaintext));
  } else {
    let sequence = 1;
    let rest = plaintext;
    while (rest.length > frameLength || (options.emptyFinalFrame === true && rest.length === frameLength)) {
      const iv = ivOf(sequence);
      parts.push(u32(sequence), iv, seal(iv, aadOf("Frame", sequence, frameLength), rest.subarray(0, frameLength)));
      rest = rest.subarray(frameLength);
      sequence++;
    }
    const iv = ivOf(sequence);
    parts.push(
      u32(0xffffffff),
      u32(sequence),
      iv,
      u32(rest.length),
      seal(iv, aadOf("Final Frame", sequence, rest.length), rest),
    );
  }
  const unsigned = Buffer.concat(parts);
  if (signing === null || suite.signature === null) return unsigned;
  return Buffer.concat([unsigned, field(createSign(suite.signature.hash).update(unsigned).sign(signing.privateKey))]);
}

function derive(
  suite: AlgorithmSuite,
  dataKey: Buffer,
  messageId: Buffer,
): { readonly key: Buffer; readonly commitment: Buffer } {
  if (suite.kdf === null) return { key: dataKey, commitment: Buffer.alloc(0) };
  const hkdf = (salt: Buffer, info: Buffer, length: number): Buffer =>
    Buffer.from(hkdfSync(suite.kdf ?? "sha256", dataKey, salt, info, length));
  if (!suite.committing)
    return {
      key: hkdf(Buffer.alloc(0), Buffer.concat([u16(suite.id), messageId]), suite.keyLength),
      commitment: Buffer.alloc(0),
    };
  return {
    key: hkdf(messageId, Buffer.concat([u16(suite.id), Buffer.from("DERIVEKEY")]), suite.keyLength),
    commitment: hkdf(messageId, Buffer.from("COMMITKEY"), 32),
  };
}

function compressedPoint(publicKey: KeyObject, suite: AlgorithmSuite): string {
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  const compressed = ECDH.convertKey(point, suite.signature?.curve ?? "", undefined, undefined, "compressed");
  return Buffer.from(compressed).toString("base64");
}

/** A wrap as the raw AES keyring of this namespace and name writes it. */
export function rawAesEntry(
  keyNamespace: string,
  keyName: string,
  wrappingKey: Buffer,
  dataKey: Buffer,
  context: Buffer,
): Entry {
  const iv = randomBytes(12);
  const cipher = createCipheriv(`aes-${wrappingKey.length * 8}-gcm` as "aes-256-gcm", wrappingKey, iv, {
    authTagLength: 16,
  }).setAAD(context);
  const ciphertext = Buffer.concat([cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
  return {
    providerId: keyNamespace,
    providerInfo: Buffer.concat([Buffer.from(keyName), u32(128), u32(12), iv]),
    ciphertext,
  };
}
