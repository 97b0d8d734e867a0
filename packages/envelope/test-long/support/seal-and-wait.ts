/**
 * The process whose memory is looked at: seals and opens messages, lets go of everything, tells its parent which data
 * keys there were, and waits to be dumped. The keys go out inverted, so that telling of them leaves no trace of them.
 */
import { randomBytes } from "node:crypto";
import { KMS } from "@aws-sdk/client-kms";
import type { KMSClientConfig } from "@aws-sdk/client-kms";
import { cachingMaterials, decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import type { DecryptionMaterials, EncryptionMaterials } from "@strongroom/envelope/keyrings";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { keysAsBytes, wipingAgents } from "@strongroom/envelope/aws-sdk";

/** How the AWS SDK's clients are made: as they come, with `keysAsBytes`, and with `wipingAgents` too. */
export type Clients = "plain" | "keys-as-bytes" | "keys-as-bytes-and-wiping-agents";

/** What wraps the data keys. */
export type Wrapping =
  | { readonly kind: "raw-aes" }
  | {
      readonly kind: "aws-kms";
      readonly clients: Clients;
      readonly regions: readonly {
        readonly region: string;
        readonly keyArn: string;
        readonly config: KMSClientConfig;
      }[];
    };

export interface Order {
  readonly messages: number;
  readonly wrapping: Wrapping;
}

const MAKE_CLIENT: Readonly<Record<Clients, (config: KMSClientConfig) => KMS>> = {
  plain: (config) => new KMS(config),
  "keys-as-bytes": (config) => keysAsBytes(new KMS(config)),
  "keys-as-bytes-and-wiping-agents": (config) =>
    keysAsBytes(new KMS({ ...config, requestHandler: { ...wipingAgents() } })),
};

const inverted: Buffer[] = [];

/** The keyring as it is, with every data key noted as it goes by. */
function noting(keyring: Keyring): Keyring {
  const note = <M extends EncryptionMaterials | DecryptionMaterials>(materials: M): M => {
    const key = materials.dataKey?.bytes;
    if (key !== undefined) {
      const copy = Buffer.allocUnsafeSlow(key.length);
      for (let index = 0; index < key.length; index++) copy[index] = ~(key[index] ?? 0);
      inverted.push(copy);
    }
    return materials;
  };
  return {
    onEncrypt: async (materials, call) => note(await keyring.onEncrypt(materials, call)),
    onDecrypt: async (materials, keys, call) => note(await keyring.onDecrypt(materials, keys, call)),
  };
}

function keyringOf(wrapping: Wrapping): Keyring {
  if (wrapping.kind === "raw-aes")
    return rawAesKeyring({ keyNamespace: "memory", keyName: "key", wrappingKey: randomBytes(32) });
  const makeClient = MAKE_CLIENT[wrapping.clients];
  const regions = wrapping.regions.map(({ region, keyArn, config }) => ({
    region,
    keyArn,
    client: makeClient(config),
  }));
  return multiRegionKeyring({ regions, minimum: regions.length, attemptTimeoutMs: 30_000, deadlineMs: 60_000 });
}

async function work({ messages, wrapping }: Order): Promise<void> {
  using materials = cachingMaterials({
    keyring: noting(keyringOf(wrapping)),
    maxAgeMs: 600_000,
    maxMessages: 2,
    hotMessages: 100,
  });
  for (let count = 0; count < messages; count++) {
    const encryptionContext = { id: String(count % 7) };
    const { message } = await encrypt(Buffer.from(`message ${count}`), { materials, encryptionContext });
    await decrypt(message, { materials, encryptionContext });
  }
}

// Listening on, so that the process is there to be dumped.
process.on("message", (order: Order) => {
  void work(order).then(() => {
    for (let round = 0; round < 5; round++) globalThis.gc?.();
    process.send?.({ inverted: Buffer.concat(inverted).toString("hex") });
  });
});
