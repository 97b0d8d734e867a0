/**
 * The keys of people over a key store in memory: its rows as a test changes them, its keyring's calls counted, and every
 * key that the keyring gave away watched.
 */
import { randomUUID } from "node:crypto";
import type { TestContext } from "node:test";
import { decrypt, encrypt, inspect, rawAesKeyring } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { SecretBytes } from "@strongroom/envelope/keyrings";
import { memoryKeyStore } from "@strongroom/vault/memory";
import type { MemoryKeyStorage } from "@strongroom/vault/memory";
import type { KeyRows, KeyStore, Scope, SubjectId } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { parseKeySet } from "../../src/keys/key-set.ts";
import { KeySets } from "../../src/keys/key-sets.ts";
import { openSubjectKeys } from "../../src/keys/open-subject-keys.ts";
import type { SubjectKeysOptions } from "../../src/keys/open-subject-keys.ts";
import type { Sealer, SealerRequest, SubjectKeys, Whom } from "../../src/keys/subject-keys.ts";
import type { Collection, Subject } from "../../src/records/address.ts";

export const VAULT = "0f8fad5b-d9cb-469f-a165-70867728950e";
export const WRAPPING_KEY: Buffer = Buffer.alloc(32, 7);

/** A keyring of one raw key that counts, and remembers the memory of every key that it gave away. */
export class WatchedKeyring implements Keyring {
  readonly calls = { encrypts: 0, decrypts: 0 };
  readonly given: Uint8Array[] = [];
  /** Before each call: a test that holds or fails it. */
  before: (call: "encrypt" | "decrypt") => Promise<void> | void = () => undefined;
  readonly #inner = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: WRAPPING_KEY });

  async onEncrypt(...args: Parameters<Keyring["onEncrypt"]>): ReturnType<Keyring["onEncrypt"]> {
    this.calls.encrypts++;
    await this.before("encrypt");
    return this.#watched(await this.#inner.onEncrypt(...args));
  }

  async onDecrypt(...args: Parameters<Keyring["onDecrypt"]>): ReturnType<Keyring["onDecrypt"]> {
    this.calls.decrypts++;
    await this.before("decrypt");
    return this.#watched(await this.#inner.onDecrypt(...args));
  }

  /** Keys whose bytes are still there. */
  get alive(): number {
    return this.given.filter((bytes) => bytes.some((byte) => byte !== 0)).length;
  }

  #watched<Materials extends { readonly dataKey: SecretBytes | null }>(materials: Materials): Materials {
    const bytes = Buffer.from(materials.dataKey?.bytes ?? []);
    const memory = Buffer.from(new ArrayBuffer(bytes.length));
    memory.set(bytes);
    materials.dataKey?.wipe();
    this.given.push(memory);
    return { ...materials, dataKey: new SecretBytes(memory) };
  }
}

export interface TestKeys {
  readonly keys: SubjectKeys;
  readonly store: KeyStore;
  readonly keyring: WatchedKeyring;
  readonly sealer: (request: SealerRequest) => Promise<Sealer>;
}

export type TestKeysOptions = Partial<Omit<SubjectKeysOptions, "cache">> & {
  readonly storage?: MemoryKeyStorage;
  readonly cache?: Partial<SubjectKeysOptions["cache"]>;
  /** What the key store answers, changed. */
  readonly rows?: (rows: KeyRows) => Partial<KeyRows>;
  readonly keyring?: Keyring;
};

export function testKeys(t: TestContext, options: TestKeysOptions = {}): TestKeys {
  const { storage, rows, cache, keyring: given, ...others } = options;
  const inner = others.store ?? memoryKeyStore(storage === undefined ? {} : { storage });
  const store = rows === undefined ? inner : { ...storeOf(inner), keys: { ...inner.keys, ...rows(inner.keys) } };
  const watched = new WatchedKeyring();
  const keySets = new KeySets(store.gate, parseKeySet(given ?? watched, ["key-1"], 1), null);
  const keys = openSubjectKeys({
    vault: VAULT,
    keySets,
    clock: () => new Date(),
    ...others,
    store,
    cache: { maxAgeMs: 300_000, maxUses: Number.MAX_SAFE_INTEGER, capacity: 10_000, ...cache },
  });
  defer(t, () => {
    keys.close();
  });
  const sealer = async (request: SealerRequest): Promise<Sealer> => {
    const [made] = await keys.sealers([request], undefined);
    if (made === undefined || made instanceof Error) throw made ?? new Error("nothing came");
    defer(t, () => {
      made[Symbol.dispose]();
    });
    return made;
  };
  return { keys, store, keyring: watched, sealer };
}

/** Its methods are the prototype's, which a spread leaves behind. */
function storeOf(store: KeyStore): KeyStore {
  const { keys, gate, inventory, jobs, outbox, checkpoint } = store;
  return {
    keys,
    gate,
    inventory,
    jobs,
    outbox,
    checkpoint,
    requireRoom: () => store.requireRoom(),
    ping: () => store.ping(),
    close: () => store.close(),
  };
}

export function byName(scope: Scope, name: string, also: readonly string[] = [], tenant = "default"): SealerRequest {
  return { scope, whom: { kind: "name", name: name as Subject, tenant }, also: also as readonly Subject[] };
}

export function byId(scope: Scope, id: string, tenant = "default"): SealerRequest {
  return { scope, whom: { kind: "id", id: id as SubjectId, tenant }, also: [] };
}

export function aboutNobody(scope: Scope, collection: string): SealerRequest {
  const whom: Whom = { kind: "nobody", collection: collection as Collection };
  return { scope, whom, also: [] };
}

/** A message of a person's, and how it is opened. */
export async function sealed({ subject, keyring }: Sealer, text = "a document"): Promise<Uint8Array> {
  const encryptionContext = { "strongroom:subject": subject, n: randomUUID() };
  return (await encrypt(Buffer.from(text), { keyring: keyring!, encryptionContext })).message;
}

export async function opened({ opening }: SubjectKeys, message: Uint8Array): Promise<string> {
  const { encryptionContext } = inspect(message);
  return Buffer.from((await decrypt(message, { keyring: opening, encryptionContext })).plaintext).toString();
}
