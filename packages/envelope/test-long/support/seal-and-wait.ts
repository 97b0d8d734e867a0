/**
 * The process whose memory is looked at: seals and opens messages, lets go of everything, tells its parent which data
 * keys there were, and waits to be dumped. The keys go out inverted, so that telling of them leaves no trace of them.
 */
import { randomBytes } from "node:crypto";
import { KMS } from "@aws-sdk/client-kms";
import type { KMSClientConfig } from "@aws-sdk/client-kms";
import { cachingMaterials, decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
import type { DecryptionMaterials, EncryptionMaterials, Keyring } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";

export interface Order {
  readonly messages: number;
  /** null wraps data keys with a raw AES key. */
  readonly regions: readonly { readonly region: string; readonly keyArn: string; readonly config: KMSClientConfig }[] | null;
}

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

async function work({ messages, regions }: Order): Promise<void> {
  const patience = { attemptTimeoutMs: 30_000, deadlineMs: 60_000 };
  const keyring =
    regions === null
      ? rawAesKeyring({ keyNamespace: "memory", keyName: "key", wrappingKey: randomBytes(32) })
      : multiRegionKeyring({ regions: regions.map(({ region, keyArn, config }) => ({ region, keyArn, client: new KMS(config) })), minimum: regions.length, ...patience });
  using materials = cachingMaterials({ keyring: noting(keyring), maxAgeMs: 600_000, maxMessages: 2, hotMessages: 100 });
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
