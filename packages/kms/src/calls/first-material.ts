// The material of a key that is made here.

import { generateSecret, materialIdOf } from "../crypto/backing-secret.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import type { Call } from "./call.ts";

/** The key with its first material, sealed. */
export async function withMaterial(call: Call, record: KeyRecord): Promise<KeyRecord> {
  const { secret, publicKey } = await generateSecret(record.spec);
  const id = materialIdOf(record.keyId, secret);
  const sealed = call.material.sealSecret(record, id, secret);
  secret.fill(0);
  return {
    ...record,
    backingKeys: [{ id, createdAt: call.now, sealed, publicKey, state: "current", rotation: null, imported: null }],
  };
}
