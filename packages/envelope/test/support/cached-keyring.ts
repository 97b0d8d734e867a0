/** A real keyring under a materials cache: its calls counted, slow in virtual time, its data keys remembered. */
import { randomBytes } from "node:crypto";
import { cachingMaterials, rawAesKeyring } from "@strongroom/envelope";
import type { CachingMaterials, CachingOptions, Keyring } from "@strongroom/envelope";
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import { VirtualTime } from "./virtual-time.ts";

export interface CachedKeyring {
  readonly keyring: Keyring;
  readonly materials: CachingMaterials;
  readonly time: VirtualTime;
  readonly calls: { encrypts: number; decrypts: number };
  /** Every data key that the keyring gave away. */
  readonly dataKeys: readonly SecretBytes[];
  /** Lets the next call hang, until what it returns is called. */
  hangNext(): () => void;
}

/** @param callMs how long each call takes */
export function cachedKeyring(options: Partial<CachingOptions> = {}, callMs = 20): CachedKeyring {
  const inner = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: randomBytes(32) });
  const time = new VirtualTime();
  const calls = { encrypts: 0, decrypts: 0 };
  const dataKeys: SecretBytes[] = [];
  let gate: Promise<undefined> | null = null;

  async function answering<T extends { readonly dataKey: SecretBytes | null }>(answer: () => Promise<T>): Promise<T> {
    const held = gate;
    gate = null;
    await (held ?? time.sleep(callMs));
    const made = await answer();
    if (made.dataKey !== null) dataKeys.push(made.dataKey);
    return made;
  }

  const keyring: Keyring = {
    onEncrypt(materials, call) {
      calls.encrypts++;
      return answering(() => inner.onEncrypt(materials, call));
    },
    onDecrypt(materials, keys, call) {
      calls.decrypts++;
      return answering(() => inner.onDecrypt(materials, keys, call));
    },
  };
  const materials = cachingMaterials({ keyring, maxAgeMs: 60_000, time, ...options } as CachingOptions);
  return {
    keyring,
    materials,
    time,
    calls,
    dataKeys,
    hangNext() {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      gate = promise;
      return () => {
        resolve(undefined);
      };
    },
  };
}
