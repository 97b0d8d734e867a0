// @strongroom/envelope, in this process.

import { KMS } from "@aws-sdk/client-kms";
import { ALGORITHM_SUITES, decrypt, encrypt, rawAesKeyring, type CommittingSuiteName, type Keyring, type NonCommittingSuiteName } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";

import type { Cell, KeySpec, Peer } from "../peer.ts";

const PATIENCE_MS = 30_000;

function keyringFor(spec: KeySpec): Keyring {
  switch (spec.kind) {
    case "raw-aes":
      return rawAesKeyring({ keyNamespace: spec.namespace, keyName: spec.name, wrappingKey: Buffer.from(spec.key, "base64") });
    case "raw-rsa":
      throw new Error(`no keyring for ${spec.kind}`);
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

export function strongroomPeer(): Peer {
  const keyrings = new Map<KeySpec, Keyring>();
  const keyringOf = (spec: KeySpec): Keyring => {
    const keyring = keyrings.get(spec) ?? keyringFor(spec);
    keyrings.set(spec, keyring);
    return keyring;
  };
  return {
    id: "strongroom",
    title: "Strongroom",
    cannotWrite: ({ frameLength, keys }) => (keys.spec.kind === "raw-rsa" ? "has no raw RSA keyring" : frameLength === 0 ? "never writes unframed messages" : null),
    cannotRead: ({ keys }) => (keys.spec.kind === "raw-rsa" ? "has no raw RSA keyring" : null),
    async encrypt(cell) {
      const { message } = await encrypt(cell.plaintext, {
        keyring: keyringOf(cell.keys.spec),
        encryptionContext: cell.context.pairs,
        frameLength: cell.frameLength,
        ...suiteOptions(cell),
      });
      return message;
    },
    async decrypt(message, cell) {
      const { plaintext, encryptionContext } = await decrypt(message, {
        keyring: keyringOf(cell.keys.spec),
        encryptionContext: cell.context.pairs,
        commitmentPolicy: suiteOptions(cell).commitmentPolicy,
      });
      return { plaintext, context: encryptionContext };
    },
    close: async () => undefined,
  };
}
