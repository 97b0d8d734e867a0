// People imported and read in one scope of keys, over the project's own KMS in three regions: calls as the KMS itself
// has written them down, proofs of wraps apart.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { createKms } from "@strongroom/kms";
import { openVault } from "@strongroom/vault";
import type { KeyCost, KeysOptions, Vault, VaultOptions } from "@strongroom/vault";
import { sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../support/defer.ts";

const OWN_KEYS = new Set(["lookup:vault", "names:vault"]);
/** What uses a key. */
const USES = new Set(["GenerateDataKey", "Encrypt", "Decrypt", "ReEncrypt"]);
const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"];

/** Calls that the KMS has answered. */
export interface Calls {
  /** GenerateDataKey and Encrypt. */
  readonly wraps: number;
  /** Keys and messages that they were for: their contexts, without the wrapping key's own ARN. */
  readonly wrapped: number;
  /** Decrypt, without the proofs of wraps. */
  readonly opens: number;
  /** Decrypt of a key of the vault's own: one opens in each cache age. Proofs of their wraps are among them. */
  readonly own: number;
  readonly proofs: number;
}

/** An entry of the KMS's audit, as far as it is read here. */
interface AuditEvent {
  readonly eventName: string;
  readonly awsRegion: string;
  readonly requestParameters: { readonly encryptionContext?: Readonly<Record<string, string>> } | null;
}

export interface ScopeVault {
  /** The one that is open now. */
  vault(): Vault;
  /** Closes the vault, and opens another one over the same stores that holds no key yet. */
  reopen(keys: ScopeKeys): Promise<void>;
  /** The same, and it knows another key of each region and brings everything to those when it is told to. */
  reopenToRotate(keys: ScopeKeys): Promise<void>;
  /** Those since it was asked last. */
  calls(): Calls;
  /** The same by region and operation, all that use a key: `eu-west-1 ReEncrypt`. */
  callsByRegion(): ReadonlyMap<string, number>;
  cost(): KeyCost;
  /** Writes people who are all new. */
  importPeople(count: number): Promise<void>;
  /** Reads as many records, of so many people in turn. */
  read(times: number, people: number): Promise<void>;
}

export type ScopeKeys = Omit<KeysOptions, "store">;

export async function scopeVault(t: TestContext, keys: ScopeKeys): Promise<ScopeVault> {
  const folder = mkdtempSync(join(tmpdir(), "strongroom-scopes-"));
  defer(t, () => {
    rmSync(folder, { recursive: true });
  });
  const kms = await createKms({
    dataDir: join(folder, "kms"),
    regions: REGIONS.map((name) => ({ name, port: 0 })),
    rootKey: { kind: "file", path: join(folder, "root.key") },
  });
  defer(t, () => kms.close());
  const clients = REGIONS.map((region) => {
    const client = new KMS({ ...kms.clientConfig(region), maxAttempts: 1 });
    defer(t, () => {
      client.destroy();
    });
    return { region, client };
  });
  const keysInRegions = async (): Promise<readonly { region: string; keyArn: string; client: KMS }[]> =>
    Promise.all(
      clients.map(async ({ region, client }) => ({
        region,
        client,
        keyArn: (await client.createKey({})).KeyMetadata!.Arn!,
      })),
    );
  const regions = await keysInRegions();
  // A machine that is busy is not taken for a region that is away, and no call is made beside another.
  const patient = {
    stragglerMinMs: 8_000,
    attemptTimeoutMs: 8_000,
    deadlineMs: 20_000,
    operationsWaitMs: 10_000,
    hedgeRatio: 0,
    hedgeReserve: 0,
  };
  const keyring = multiRegionKeyring({ regions: [...regions], minimum: 3, ...patient });
  const open = async (own: ScopeKeys, more: Pick<VaultOptions, "next" | "repair"> = {}): Promise<Vault> =>
    openVault({
      store: await sqliteStore(join(folder, "records.sqlite")),
      keyring,
      keySet: regions.map(({ keyArn }) => keyArn),
      keys: { ...own, store: await sqliteKeyStore(join(folder, "keys.sqlite")) },
      ...more,
    });
  let vault = await open(keys);
  defer(t, () => vault.close());
  const seen = { last: 0, proofs: 0 };
  const id = (n: number): string => `C${String(n).padStart(6, "0")}`;
  const eventsSince = (): readonly AuditEvent[] => {
    using database = new DatabaseSync(join(folder, "kms", "kms.sqlite"), { readOnly: true });
    const rows = database.prepare("SELECT seq, event FROM audit WHERE seq > ? ORDER BY seq").all(seen.last);
    seen.last = Number(rows.at(-1)?.["seq"] ?? seen.last);
    return rows.map(({ event }) => JSON.parse(String(event)) as AuditEvent);
  };
  return {
    vault: () => vault,
    reopen: async (own) => {
      await vault.close();
      vault = await open(own);
    },
    reopenToRotate: async (own) => {
      await vault.close();
      const other = await keysInRegions();
      const next = {
        // What a keyring proves of its own accord is left to chance.
        keyring: multiRegionKeyring({ regions: [...other], minimum: 3, ...patient, proveWraps: "off" }),
        keySet: other.map(({ keyArn }) => keyArn),
      };
      vault = await open(own, { next, repair: { intervalMs: 100, lookMs: 20 } });
    },
    callsByRegion: () => {
      const counts = new Map<string, number>();
      for (const { awsRegion, eventName } of eventsSince())
        if (USES.has(eventName)) {
          const name = `${awsRegion} ${eventName}`;
          counts.set(name, (counts.get(name) ?? 0) + 1);
        }
      return counts;
    },
    calls: () => {
      const events = eventsSince();
      const named = (...wanted: readonly string[]): readonly AuditEvent[] =>
        events.filter(({ eventName }) => wanted.includes(eventName));
      const wraps = named("GenerateDataKey", "Encrypt");
      const { proofs: proven, hedges } = keyring.counters();
      assert.equal(hedges, 0, "no call beside another, or nothing here could be counted");
      const proofs = proven - seen.proofs;
      seen.proofs = proven;
      return {
        wraps: wraps.length,
        wrapped: new Set(wraps.map(contextOf)).size,
        opens: named("Decrypt").length - proofs,
        own: named("Decrypt").filter(isOwn).length,
        proofs,
      };
    },
    cost: () => vault.keyCost()!,
    importPeople: async (count) => {
      for (let from = 0; from < count; from += 500) {
        const items = Array.from({ length: Math.min(500, count - from) }, (_, n) => ({
          id: id(from + n),
          document: { nonce: randomUUID() },
        }));
        await vault.putMany("people", items, { onExisting: "replace" });
      }
    },
    read: async (times, people) => {
      for (let n = 0; n < times; n++) await vault.get({ collection: "people", id: id(n % people) });
    },
  };
}

/** Whether it was for a key of the vault's own, and not for anybody's. */
function isOwn({ requestParameters }: AuditEvent): boolean {
  return OWN_KEYS.has(requestParameters?.encryptionContext?.["branch-key-id"] ?? "");
}

/** What a call was for: each region's wrap names its own wrapping key. */
function contextOf({ requestParameters }: AuditEvent): string {
  const entries = Object.entries(requestParameters?.encryptionContext ?? {});
  return JSON.stringify(entries.filter(([name]) => name !== "kms-arn").sort());
}
