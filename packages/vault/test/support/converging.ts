/**
 * Vaults with key sets of raw AES keys that a test brings from one set to another, in one process or in several.
 */
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { keySetDigest, openVault } from "@strongroom/vault";
import type { KeyRow, KeySetInput, KeyStore, Store, Vault, VaultOptions } from "@strongroom/vault";
import { parseKeySet } from "../../src/keys/key-set.ts";
import type { KeySet } from "../../src/keys/key-set.ts";
import { defer } from "../../../../tests/support/defer.ts";
import { QUICK_REPAIR, until } from "./regional-vault.ts";
import { memoryStorage } from "./storage.ts";
import type { TestStorage } from "./storage.ts";
import { keysIn } from "./key-sets.ts";

/** A key set of raw AES keys, whose calls are counted and which can be taken away. */
export interface TestKeySet extends KeySetInput {
  readonly digest: string;
  readonly calls: { encrypt: number; decrypt: number };
  /** Nothing of it answers any more. */
  isAway: boolean;
}

export function testKeySet(keyName: string): TestKeySet {
  const inner = rawAesKeyring({ keyNamespace: "strongroom-test", keyName, wrappingKey: randomBytes(32) });
  const calls = { encrypt: 0, decrypt: 0 };
  const away = (): never => {
    throw new Error(`${keyName} is away`);
  };
  const keyring: Keyring = {
    onEncrypt: async (materials, call) => {
      if (set.isAway) away();
      calls.encrypt++;
      return inner.onEncrypt(materials, call);
    },
    onDecrypt: async (materials, dataKeys, call) => {
      if (set.isAway && dataKeys.some(({ providerInfo }) => Buffer.from(providerInfo).includes(keyName))) away();
      calls.decrypt++;
      return inner.onDecrypt(materials, dataKeys, call);
    },
  };
  const set: TestKeySet = { keyring, keySet: [keyName], digest: keySetDigest([keyName]), calls, isAway: false };
  return set;
}

export interface ConvergingOptions extends Partial<Omit<VaultOptions, "keys">> {
  readonly storage?: TestStorage;
  readonly scope?: "record" | "subject" | "tenant";
  /** Left out: none. */
  readonly next?: KeySetInput;
  readonly current?: TestKeySet;
}

export interface ConvergingVault {
  readonly storage: TestStorage;
  readonly a: TestKeySet;
  readonly b: TestKeySet;
  readonly vault: Vault;
  readonly store: Store;
  readonly keyStore: KeyStore;
  /** Another process over the same stores. Left out: it knows both sets, and works. */
  readonly another: (options?: Partial<VaultOptions>) => Promise<Vault>;
}

export const QUICK_RUN = { ...QUICK_REPAIR, leaseMs: 2_000 };

/** A process that knows A and B; A is in force once something was written. */
export async function convergingVault(
  t: TestContext,
  { storage = memoryStorage(), scope = "subject", ...options }: ConvergingOptions = {},
): Promise<ConvergingVault> {
  const [a, b] = [testKeySet("a"), testKeySet("b")];
  const another = async (more: Partial<VaultOptions> = {}): Promise<Vault> => {
    const vault = await openVault({
      ...{ store: await storage.open(), keyring: a.keyring, keySet: a.keySet },
      ...{ next: { keyring: b.keyring, keySet: b.keySet }, keys: { store: await storage.openKeys(), scope } },
      ...{ repair: QUICK_RUN, ...options, ...more },
    });
    defer(t, () => vault.close());
    return vault;
  };
  const [store, keyStore] = [await storage.open(), await storage.openKeys()];
  defer(t, async () => {
    await store.close();
    await keyStore.close();
  });
  return { storage, a, b, vault: await another(), store, keyStore, another };
}

/** Ends when the run is in this state, or in a phase. */
export async function untilRun(vault: Vault, is: "done" | "undone" | "hold" | "drop" | "add"): Promise<void> {
  await until(async () => {
    const { run } = await vault.convergence.status();
    return run?.state === is || run?.phase === is;
  });
}

/** As a vault takes it. */
export function keySetOf({ keyring, keySet }: KeySetInput): KeySet {
  return parseKeySet(keyring, keySet);
}

/** Names of the keys under which a key lies, in the order of its row. */
export function wrapNames({ wraps }: Pick<KeyRow, "wraps">): readonly string[] {
  return wraps.map(({ provider, info }) => (provider === "strongroom-test" ? nameIn(info) : provider));
}

/** Names of the keys under which the keys of a store lie, of each key. */
export async function wrapsOfKeys({ inventory, keys }: KeyStore): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = [];
  const sets = (await inventory.sets()).map(({ id }) => id);
  for (const { place } of await inventory.list({ sets, after: null, limit: 10_000 })) {
    const { key } = await keys.version(place!.owner, place!.version);
    found.push(wrapNames(key!).filter((name) => !name.startsWith("strongroom")));
  }
  return found.filter((names) => names.length > 0);
}

/** A raw AES key writes its name before the IV. */
const nameIn = (info: Uint8Array): string => Buffer.from(info).toString("latin1").slice(0, -20);

/** The same of the messages of versions, and of those that are kept. */
export async function wrapsOfVersions({ inventory, records, kept }: Store): Promise<{
  readonly present: readonly (readonly string[])[];
  readonly kept: readonly (readonly string[])[];
}> {
  const found = { present: [] as (readonly string[])[], kept: [] as (readonly string[])[] };
  const sets = (await inventory.sets()).map(({ id }) => id);
  for (const { place } of await inventory.list({ sets, after: null, limit: 10_000 })) {
    found.present.push(keysIn((await records.read(place!, place!.version)).stored!.message));
    const old = await kept.read(place!);
    if (old !== null) found.kept.push(keysIn(old.message));
  }
  return found;
}

/** Each of these once. */
export const distinct = (names: readonly (readonly string[])[]): readonly string[] => [
  ...new Set(names.map((some) => some.join("+"))),
];

export async function putPeople(vault: Vault, count: number, from = 0): Promise<void> {
  await vault.putMany(
    "people",
    Array.from({ length: count }, (_, n) => ({ id: `id-${from + n}`, document: { n: from + n } })),
    { onExisting: "replace" },
  );
}

export async function requireAll(vault: Vault, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const { document } = await vault.get({ collection: "people", id: `id-${n}` });
    if (document["n"] !== n) throw new Error(`id-${n} is another document`);
  }
}
