// The messages of the exchange: every suite with every framing, every context and every wrapping key.
// Suites: AWS Encryption SDK specification, framework/algorithm-suites.md.

import { generateKeyPairSync, randomBytes } from "node:crypto";

import type { Cell, KeySpec, RsaHash, Suite } from "./peer.ts";

export const SUITES: readonly Suite[] = [
  { id: 0x0014, name: "AES-128, no KDF", committing: false },
  { id: 0x0046, name: "AES-192, no KDF", committing: false },
  { id: 0x0078, name: "AES-256, no KDF", committing: false },
  { id: 0x0114, name: "AES-128, HKDF-SHA256", committing: false },
  { id: 0x0146, name: "AES-192, HKDF-SHA256", committing: false },
  { id: 0x0178, name: "AES-256, HKDF-SHA256", committing: false },
  { id: 0x0214, name: "AES-128, HKDF-SHA256, ECDSA P-256", committing: false },
  { id: 0x0346, name: "AES-192, HKDF-SHA384, ECDSA P-384", committing: false },
  { id: 0x0378, name: "AES-256, HKDF-SHA384, ECDSA P-384", committing: false },
  { id: 0x0478, name: "AES-256, HKDF-SHA512, committing", committing: true },
  { id: 0x0578, name: "AES-256, HKDF-SHA512, committing, ECDSA P-384", committing: true },
];

/** Lengths around the edges: nothing, whole frames only, a frame and a rest, many frames. */
const SHAPES: readonly { readonly frameLength: number; readonly bytes: number }[] = [
  { frameLength: 0, bytes: 0 },
  { frameLength: 0, bytes: 5_000 },
  { frameLength: 128, bytes: 300 },
  { frameLength: 512, bytes: 0 },
  { frameLength: 512, bytes: 1_024 },
  { frameLength: 4_096, bytes: 10_000 },
];

const CONTEXTS: readonly Cell["context"][] = [
  { kind: "plain", name: "no context", pairs: {} },
  { kind: "plain", name: "one entry", pairs: { purpose: "interop" } },
  {
    kind: "plain",
    name: "names of the world",
    pairs: { purpose: "interop", имя: "Zoë Ødegård", 名前: "ひかり", face: "\u{1F600}" },
  },
  // "Zone" comes first by bytes and last by locale.
  { kind: "plain", name: "mixed case", pairs: { area: "north", Zone: "7" } },
  // These keys sort one way by UTF-8 bytes, as the specification asks, and the other way by UTF-16 units.
  { kind: "plain", name: "keys beyond the BMP", pairs: { "\uFF21": "fullwidth A", "\u{1F600}": "a face" } },
  { kind: "empty-entries", name: "empty entries", pairs: { "": "an empty key", empty: "" } },
];

const AES_BITS = [128, 192, 256] as const;
const RSA_HASHES: readonly RsaHash[] = ["sha1", "sha256", "sha384", "sha512"];

/** Wrapping keys of this run, made anew; a KMS key is added by whoever runs a KMS. */
export function rawKeys(): readonly Cell["keys"][] {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 3_072,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return [
    ...AES_BITS.map((bits) => ({
      name: `raw AES-${bits}`,
      spec: {
        kind: "raw-aes",
        namespace: "interop",
        name: `aes-${bits}`,
        key: randomBytes(bits / 8).toString("base64"),
      } satisfies KeySpec,
    })),
    ...RSA_HASHES.map((hash) => ({
      name: `raw RSA OAEP ${hash}`,
      spec: {
        kind: "raw-rsa",
        namespace: "interop",
        name: `rsa-${hash}`,
        hash,
        publicKey,
        privateKey,
      } satisfies KeySpec,
    })),
  ];
}

export function cellsFor(keys: readonly Cell["keys"][]): readonly Cell[] {
  return keys.flatMap((key) =>
    SUITES.flatMap((suite) =>
      SHAPES.flatMap(({ frameLength, bytes }) =>
        CONTEXTS.map((context) => ({ suite, frameLength, plaintext: randomBytes(bytes), context, keys: key })),
      ),
    ),
  );
}

/** A cell in words, for a failure's line. */
export function describeCell(cell: Cell): string {
  const framing = cell.frameLength === 0 ? "unframed" : `frames of ${cell.frameLength}`;
  return `0x${cell.suite.id.toString(16).padStart(4, "0")} (${cell.suite.name}), ${framing}, ${cell.plaintext.length} bytes, ${cell.context.name}, ${cell.keys.name}`;
}
