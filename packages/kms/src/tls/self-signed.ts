// A self-signed certificate for a server of one's own: ECDSA on P-256, which every TLS client takes. Source: RFC 5280,
// sections 4.1 and 4.2. It is written out here because it has one form only, and libraries that make certificates of
// every form bring ASN.1 parsers and twenty packages; nothing here reads a certificate.

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";

/** A certificate and its private key, in PEM. */
export interface MadeCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

/** Clients that pin it look at no date; it lasts for those that do. */
const VALID_YEARS = 10;
/** Clocks differ. */
const VALID_SINCE_MS = 24 * 60 * 60 * 1000;

const OID = {
  commonName: [0x55, 0x04, 0x03],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  subjectKeyIdentifier: [0x55, 0x1d, 0x0e],
  keyUsage: [0x55, 0x1d, 0x0f],
  subjectAltName: [0x55, 0x1d, 0x11],
  basicConstraints: [0x55, 0x1d, 0x13],
  authorityKeyIdentifier: [0x55, 0x1d, 0x23],
  extendedKeyUsage: [0x55, 0x1d, 0x25],
  serverAuth: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
} as const;

/** DER: a tag, the length, the content. Source: X.690, section 8.1. */
function der(tag: number, content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const length = Buffer.from(body.length.toString(16).padStart(body.length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, body]);
}

const sequence = (parts: readonly Uint8Array[]): Buffer => der(0x30, parts);
const oid = (bytes: readonly number[]): Buffer => der(0x06, [Buffer.from(bytes)]);
const octets = (content: Uint8Array): Buffer => der(0x04, [content]);
const bits = (unused: number, bytes: Uint8Array): Buffer => der(0x03, [Buffer.of(unused), bytes]);
const TRUE = der(0x01, [Buffer.of(0xff)]);

/** Two digits of the year until 2049, four after (RFC 5280, section 4.1.2.5). */
function time(date: Date): Buffer {
  const text = date.toISOString().replace(/[-:T]|\.\d{3}/g, "");
  const short = date.getUTCFullYear() < 2050;
  return der(short ? 0x17 : 0x18, [Buffer.from(short ? text.slice(2) : text, "latin1")]);
}

const extension = (name: readonly number[], critical: "critical" | "not-critical", value: Buffer): Buffer =>
  sequence([oid(name), critical === "critical" ? TRUE : Buffer.alloc(0), octets(value)]);

/** A name or an address as SubjectAltName has it. */
function altName(name: string): Buffer {
  if (isIPv4(name)) return der(0x87, [Buffer.from(name.split(".").map(Number))]);
  if (isIPv6(name)) return der(0x87, [ipv6Bytes(name)]);
  return der(0x82, [Buffer.from(name, "latin1")]);
}

function ipv6Bytes(address: string): Buffer {
  // The URL parser writes an address in one form: groups without zeros in front, at most one "::".
  const text = new URL(`http://[${address.split("%", 1)[0] ?? ""}]`).hostname.slice(1, -1);
  const [front = [], back = []] = text.split("::").map((part) => (part === "" ? [] : part.split(":")));
  const zeros = Array<string>(8 - front.length - back.length).fill("0");
  return Buffer.from([...front, ...zeros, ...back].map((group) => group.padStart(4, "0")).join(""), "hex");
}

/** Makes a key and its certificate for these names and addresses. */
export function selfSigned(names: readonly string[], now: Date = new Date()): MadeCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const keyId = createHash("sha256").update(spki).digest().subarray(0, 20);
  const algorithm = sequence([oid(OID.ecdsaWithSha256)]);
  const commonName = sequence([oid(OID.commonName), der(0x0c, [Buffer.from("strongroom-kms")])]);
  const name = sequence([der(0x31, [commonName])]);
  const until = new Date(now);
  until.setUTCFullYear(until.getUTCFullYear() + VALID_YEARS);
  const serial = randomBytes(16);
  // Positive, and not shorter than it looks.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const extensions = sequence([
    extension(OID.subjectKeyIdentifier, "not-critical", octets(keyId)),
    extension(OID.authorityKeyIdentifier, "not-critical", sequence([der(0x80, [keyId])])),
    // No authority: whoever has its key can make no other certificate.
    extension(OID.basicConstraints, "critical", sequence([])),
    extension(OID.keyUsage, "critical", bits(7, Buffer.of(0x80))),
    extension(OID.extendedKeyUsage, "not-critical", sequence([oid(OID.serverAuth)])),
    extension(OID.subjectAltName, "not-critical", sequence(names.map(altName))),
  ]);
  const toBeSigned = sequence([
    der(0xa0, [der(0x02, [Buffer.of(2)])]),
    der(0x02, [serial]),
    algorithm,
    name,
    sequence([time(new Date(now.getTime() - VALID_SINCE_MS)), time(until)]),
    name,
    spki,
    der(0xa3, [extensions]),
  ]);
  const certificate = sequence([toBeSigned, algorithm, bits(0, sign("sha256", toBeSigned, privateKey))]);
  const lines = certificate
    .toString("base64")
    .replace(/(.{64})/g, "$1\n")
    .trimEnd();
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
