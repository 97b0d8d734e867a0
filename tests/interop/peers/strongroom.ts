// @strongroom/envelope, in this process.

import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { ReadableStream } from "node:stream/web";
import { KMS } from "@aws-sdk/client-kms";
import {
  createEncryptStream,
  decrypt,
  decryptStream,
  encrypt,
  type Keyring,
  rawAesKeyring,
} from "@strongroom/envelope";
import { ALGORITHM_SUITES, type CommittingSuiteName, type NonCommittingSuiteName } from "@strongroom/envelope/format";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { rawRsaKeyring, type RsaPadding } from "@strongroom/envelope/raw-rsa";

import type { Cell, KeySpec, Peer, RsaHash } from "../peer.ts";

const PATIENCE_MS = 30_000;
const PIECE_BYTES = 1_009;

const RSA_PADDINGS: Readonly<Record<RsaHash, RsaPadding>> = {
  sha1: "OAEP_SHA1_MGF1",
  sha256: "OAEP_SHA256_MGF1",
  sha384: "OAEP_SHA384_MGF1",
  sha512: "OAEP_SHA512_MGF1",
};

function keyringFor(spec: KeySpec): Keyring {
  switch (spec.kind) {
    case "raw-aes":
      return rawAesKeyring({
        keyNamespace: spec.namespace,
        keyName: spec.name,
        wrappingKey: Buffer.from(spec.key, "base64"),
      });
    case "raw-rsa":
      return rawRsaKeyring({
        keyNamespace: spec.namespace,
        keyName: spec.name,
        padding: RSA_PADDINGS[spec.hash],
        publicKey: spec.publicKey,
        privateKey: spec.privateKey,
      });
    case "kms": {
      const { accessKeyId, secretAccessKey } = spec;
      return multiRegionKeyring({
        regions: spec.keys.map(({ keyArn, region, endpoint }) => ({
          region,
          keyArn,
          client: new KMS({ region, endpoint, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 }),
        })),
        minimum: spec.keys.length,
        // Many messages are in flight at once on few cores: patience is not what is tested here.
        attemptTimeoutMs: PATIENCE_MS,
        deadlineMs: PATIENCE_MS,
      });
    }
  }
}

/** Suites without commitment are written only under the policy that says so. */
function suiteOptions({ suite }: Cell) {
  const name = Object.values(ALGORITHM_SUITES).find(({ id }) => id === suite.id)?.name;
  return suite.committing
    ? ({ suite: name as CommittingSuiteName, commitmentPolicy: "require-encrypt-require-decrypt" } as const)
    : ({ suite: name as NonCommittingSuiteName, commitmentPolicy: "forbid-encrypt-allow-decrypt" } as const);
}

function encryptOptions(cell: Cell, keyring: Keyring) {
  return { keyring, encryptionContext: cell.context.pairs, frameLength: cell.frameLength, ...suiteOptions(cell) };
}

function decryptOptions(cell: Cell, keyring: Keyring) {
  return { keyring, encryptionContext: cell.context.pairs, commitmentPolicy: suiteOptions(cell).commitmentPolicy };
}

/** One keyring for each wrapping key of the run. */
function keyringsOfRun(): (cell: Cell) => Keyring {
  const keyrings = new Map<KeySpec, Keyring>();
  return ({ keys: { spec } }) => {
    const keyring = keyrings.get(spec) ?? keyringFor(spec);
    keyrings.set(spec, keyring);
    return keyring;
  };
}

const COMMON = {
  cannotWrite: ({ frameLength }: Cell) => (frameLength === 0 ? "never writes unframed messages" : null),
  cannotRead: () => null,
  close: async () => undefined,
} as const;

export function strongroomPeer(): Peer {
  const keyringOf = keyringsOfRun();
  return {
    ...COMMON,
    id: "strongroom",
    title: "Strongroom",
    encrypt: async (cell) => (await encrypt(cell.plaintext, encryptOptions(cell, keyringOf(cell)))).message,
    async decrypt(message, cell) {
      const { plaintext, encryptionContext } = await decrypt(message, decryptOptions(cell, keyringOf(cell)));
      return { plaintext, context: encryptionContext };
    },
  };
}

/** The same library by its streams: Node's to write, web streams to read, fed in pieces that fit no frame. */
export function strongroomStreamsPeer(): Peer {
  const keyringOf = keyringsOfRun();
  return {
    ...COMMON,
    id: "strongroom-streams",
    title: "Strongroom, streams",
    encrypt: (cell) =>
      buffer(Readable.from(piecesOf(cell.plaintext)).pipe(createEncryptStream(encryptOptions(cell, keyringOf(cell))))),
    async decrypt(message, cell) {
      const opening = decryptStream(decryptOptions(cell, keyringOf(cell)));
      const plaintext = await buffer(ReadableStream.from(piecesOf(message)).pipeThrough(opening));
      return { plaintext, context: (await opening.result).encryptionContext };
    },
  };
}

function* piecesOf(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}
