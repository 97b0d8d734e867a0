/**
 * A cache of branch keys that others share: bounded in uses, one fetch for all who ask, everything wiped.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import { decrypt, encrypt, inspect } from "@strongroom/envelope";
import {
  BranchKeyCache,
  branchKeySealing,
  cachedBranchKeyring,
  hierarchicalKeyring,
} from "@strongroom/envelope/hierarchical";
import type { BranchKey, BranchKeyCacheOptions } from "@strongroom/envelope/hierarchical";
import { randomSecret, SecretBytes } from "@strongroom/envelope/keyrings";
import { rejectsWith, throwsWith } from "../support/errors.ts";
import { VirtualTime } from "../support/virtual-time.ts";

interface Noted extends BranchKey {
  readonly note: string;
}

interface Setup {
  readonly cache: BranchKeyCache<Noted>;
  readonly version: string;
  readonly bytes: Buffer[];
  readonly time: VirtualTime;
}

function setup(options: Partial<BranchKeyCacheOptions<Noted>> = {}): Setup {
  const [version, time, bytes]: [string, VirtualTime, Buffer[]] = [randomUUID(), new VirtualTime(), []];
  const fetch = async (id: string): Promise<Noted | null> => {
    await Promise.resolve();
    if (id === "nobody") return null;
    const key = Buffer.alloc(32, bytes.length + 1);
    bytes.push(key);
    return { version, key: new SecretBytes(key), note: `${id} ${bytes.length}` };
  };
  const store = { getActiveBranchKey: fetch, getBranchKeyVersion: fetch };
  return {
    cache: new BranchKeyCache({ store, maxAgeMs: 60_000, capacity: 100, time, ...options }),
    version,
    bytes,
    time,
  };
}

const active = { branchKeyId: "ada", version: null } as const;

async function use(cache: BranchKeyCache<Noted>, request: Parameters<typeof cache.get>[0], times = 1): Promise<void> {
  for (let time = 0; time < times; time++) (await cache.get(request, undefined))?.key.wipe();
}

test("with a bound of 10 uses, one in 10 is fetched, whether it seals or opens", async () => {
  const { cache, bytes, version } = setup({ maxUses: 10 });
  await use(cache, active, 10);
  assert.deepEqual([bytes.length, cache.size], [1, 0]);
  await use(cache, active, 90);
  assert.equal(bytes.length, 10);
  for (let pair = 0; pair < 50; pair++) {
    await use(cache, active);
    await use(cache, { branchKeyId: "ada", version });
  }
  assert.equal(bytes.length, 20);
  assert.ok(bytes.every((key) => key.every((byte) => byte === 0)));
});

test("who was given a key before its last use goes on with it", async () => {
  const { cache, bytes } = setup({ maxUses: 2 });
  const first = await cache.get(active, undefined);
  await use(cache, active);
  assert.deepEqual([cache.size, first?.key.bytes[0]], [0, 1]);
  first?.key.wipe();
  assert.equal(bytes[0]?.[0], 0);
});

test("what is no message is no use", async () => {
  const { cache, bytes, version } = setup({ maxUses: 3 });
  await use(cache, { branchKeyId: "ada", version, uncounted: true }, 20);
  await use(cache, { branchKeyId: "ada", version }, 3);
  assert.deepEqual([bytes.length, cache.size], [1, 0]);
});

test("3,000 lookups at once are one fetch, and what else was fetched comes with each", async () => {
  const { cache, bytes } = setup({ maxUses: 10 });
  const found = await Promise.all(Array.from({ length: 3_000 }, () => cache.get(active, undefined)));
  assert.deepEqual([bytes.length, new Set(found.map((key) => key?.note)).size], [1, 1]);
  for (const key of found) key?.key.wipe();
  assert.equal(bytes[0]?.[0], 0);
});

test("what was just made is held, as a key that was used once", async () => {
  const { cache, bytes, version } = setup({ maxUses: 3 });
  const own = Buffer.alloc(32, 9);
  const made = { version, key: new SecretBytes(own), note: "made" };
  cache.put(active, made, cache.now());
  made.key.wipe();
  const held = cache.atHand(active);
  assert.deepEqual([held?.note, held?.key.bytes[0]], ["made", 9]);
  held?.key.wipe();
  await use(cache, { branchKeyId: "ada", version });
  assert.deepEqual([bytes.length, cache.size, own[0]], [0, 0, 0]);
  cache.put(active, { version, key: randomSecret(32), note: "old" }, cache.now() - 60_000);
  assert.equal(cache.atHand(active), null);
  throwsWith(() => {
    cache.put(active, { version: "1", key: randomSecret(32), note: "" }, cache.now());
  }, "branch-key-unavailable");
});

test("what was made before a forget is not held after it", async () => {
  const { cache, version, time } = setup();
  const own = Buffer.alloc(32, 9);
  const made = { version, key: new SecretBytes(own), note: "made" };
  const since = cache.now();
  await time.advance(1);
  cache.forget("ada");
  cache.put(active, made, since);
  made.key.wipe();
  assert.deepEqual([cache.atHand(active), own[0]], [null, 0]);
  cache.put(active, { version, key: randomSecret(32), note: "made after it" }, cache.now());
  assert.equal(cache.atHand(active)?.note, "made after it");
});

test("a caller's own way to fetch is for that one time, and for all who ask meanwhile", async () => {
  const { cache, bytes, version } = setup();
  const fetch = (): Promise<Noted> => Promise.resolve({ version, key: randomSecret(32), note: "own" });
  const [first, second] = await Promise.all([cache.get(active, undefined, fetch), cache.get(active, undefined)]);
  assert.deepEqual([first?.note, second?.note, bytes.length], ["own", "own", 0]);
  cache.forget("ada");
  assert.equal(cache.atHand(active), null);
  assert.equal((await cache.get(active, undefined))?.note, "ada 1");
});

test("nothing is given out or kept once it is closed, and an answer on its way is wiped", async () => {
  const { cache, bytes, version } = setup();
  const underWay = cache.get(active, undefined);
  cache.close();
  await rejectsWith(underWay, "secret-wiped");
  assert.deepEqual([bytes[0]?.[0], cache.size], [0, 0]);
  throwsWith(() => cache.atHand(active), "secret-wiped");
  throwsWith(() => {
    cache.put(active, { version, key: randomSecret(32), note: "" }, 0);
  }, "secret-wiped");
});

test("a keyring over a key that is at hand asks nobody, and opens nothing", async () => {
  const { cache, version } = setup();
  await use(cache, active);
  const key = SecretBytes.copyOf(Buffer.alloc(32, 1));
  const encryptionContext = { id: "42" };
  const keyring = branchKeySealing("ada", { version, key });
  const { message } = await encrypt(Buffer.from("a name"), { keyring, encryptionContext });
  assert.deepEqual(
    inspect(message).encryptedDataKeys.map(({ providerId, keyInfo }) => [providerId, keyInfo]),
    [["aws-kms-hierarchy", "ada"]],
  );
  await rejectsWith(decrypt(message, { keyring, encryptionContext }), "keyring-unsuitable");
  const opening = cachedBranchKeyring(cache, "ada");
  const { plaintext } = await decrypt(message, { keyring: opening, encryptionContext });
  assert.equal(Buffer.from(plaintext).toString(), "a name");
  throwsWith(() => branchKeySealing("", { version, key }), "option-invalid");
  throwsWith(() => branchKeySealing("ada", { version: "1", key }), "branch-key-unavailable");
});

test("the hierarchical keyring bounds uses too", async () => {
  const [version, secret] = [randomUUID(), randomBytes(32)];
  let fetched = 0;
  const fetch = (): Promise<BranchKey> => {
    fetched++;
    return Promise.resolve({ version, key: SecretBytes.copyOf(secret) });
  };
  const keyStore = { getActiveBranchKey: fetch, getBranchKeyVersion: fetch };
  using keyring = hierarchicalKeyring({ keyStore, branchKeyId: "ada", maxAgeMs: 60_000, maxUses: 10 });
  for (let n = 0; n < 30; n++) await encrypt(Buffer.from("x"), { keyring, encryptionContext: { n: String(n) } });
  assert.equal(fetched, 3);
  throwsWith(
    () => hierarchicalKeyring({ keyStore, branchKeyId: "ada", maxAgeMs: 60_000, maxUses: 0 }),
    "option-invalid",
  );
});
