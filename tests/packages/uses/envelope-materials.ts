import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
import type { CacheCounts, CachingMaterials, MaterialsManager } from "@strongroom/envelope/materials";
import { CACHING_DEFAULTS, cachingMaterials, MATERIALS_CACHE_CHANNEL } from "@strongroom/envelope/materials";

export async function use(): Promise<void> {
  const keyring = rawAesKeyring({ keyNamespace: "packed", keyName: "one", wrappingKey: randomBytes(32) });
  const materials: CachingMaterials = cachingMaterials({ keyring, maxAgeMs: 60_000, maxMessages: 10 });
  materials satisfies MaterialsManager;
  for (const text of ["one", "two"]) {
    const { message } = await encrypt(Buffer.from(text), { materials, encryptionContext: { id: "42" } });
    const { plaintext } = await decrypt(message, { materials, encryptionContext: { id: "42" } });
    assert.equal(Buffer.from(plaintext).toString(), text);
  }
  const counts: CacheCounts = materials.counts();
  assert.ok(counts.hits > 0);
  materials.clear();
  MATERIALS_CACHE_CHANNEL satisfies string;
  CACHING_DEFAULTS satisfies object;
}

/** What the compiler is to refuse. */
export function misuse(materials: CachingMaterials): void {
  // @ts-expect-error a forgotten age
  cachingMaterials({ keyring: rawAesKeyring({ keyNamespace: "a", keyName: "b", wrappingKey: randomBytes(32) }) });
  // @ts-expect-error counts are numbers
  materials.counts().hits satisfies string;
}
