/**
 * A whole installation for tests, of real parts: KMS with three regions, multi-region keyring over the ordinary AWS
 * client, vault in SQLite, tokens in a file, and the server on a free port.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import pino from "pino";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { KMS_CHANNEL, multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KmsEvent, MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { createKms } from "@strongroom/kms";
import type { Kms } from "@strongroom/kms";
import { createServer, fileTokens } from "@strongroom/server";
import type { Api, FileTokens, RegionCall, Scope, ServerOptions } from "@strongroom/server";
import { openVault } from "@strongroom/vault";
import type {
  CollectionOptions,
  KeysOptions,
  RepairOptions,
  RolesOptions,
  Vault,
  VaultLimits,
} from "@strongroom/vault";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import type { SqliteStoreOptions } from "@strongroom/vault/sqlite";
import { defer } from "../../../../tests/support/defer.ts";

export const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"] as const;

export interface Installation {
  readonly folder: string;
  readonly database: string;
  readonly kms: Kms;
  readonly keyring: MultiRegionKeyring;
  readonly vault: Vault;
  readonly tokens: FileTokens;
  readonly app: Api;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** One token for each scope. */
  readonly token: Readonly<Record<Scope, string>>;
  /** Everything that was logged so far. */
  readonly log: () => string;
}

export interface InstallationOptions extends Partial<Pick<ServerOptions, "limits" | "collections" | "hosts">> {
  readonly vaultLimits?: Partial<VaultLimits>;
  /** What stands between the service and its vault. */
  readonly front?: (vault: Vault) => Vault;
  readonly store?: SqliteStoreOptions;
  /** With a key store, `keys.sqlite` beside the records. Left out: without. */
  readonly keys?: Omit<KeysOptions, "store">;
  readonly declared?: Readonly<Record<string, CollectionOptions>>;
  readonly roles?: RolesOptions;
  /** With an audit, `audit.sqlite` beside the records; only with `keys`. Left out: without. */
  readonly isAudited?: boolean;
  /** Owed wraps are repaired. Left out: they stay owed. */
  readonly repair?: RepairOptions;
  /** Address that the keyring's clients call in place of every region, once the keys are made. */
  readonly blackHole?: string;
  readonly keyring?: {
    readonly attemptTimeoutMs?: number;
    readonly deadlineMs?: number;
    readonly breakerFirstRestMs?: number;
    readonly breakerLongestRestMs?: number;
  };
}

/** Ends, and leaves nothing behind, after the test. */
export async function installation(
  t: TestContext,
  {
    vaultLimits,
    front,
    store,
    keys,
    declared,
    roles,
    isAudited = false,
    repair,
    keyring: timeouts,
    blackHole,
    ...server
  }: InstallationOptions = {},
): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-server-"));
  defer(t, () => rm(folder, { recursive: true, force: true }));
  const kms = await createKms({
    dataDir: join(folder, "kms"),
    regions: REGIONS.map((name) => ({ name, port: 0 })),
    rootKey: { kind: "file", path: join(folder, "kms", "root.key") },
  });
  defer(t, () => kms.close());
  const keyring = multiRegionKeyring({
    regions: await keyRegions(kms, join(folder, "kms", "credentials.json"), blackHole, t),
    minimum: 2,
    ...timeouts,
  });

  const database = join(folder, "records.sqlite");
  const vault = await openVault({
    store: await sqliteStore(database, store),
    keyring,
    ...(keys === undefined ? {} : { keys: { store: await sqliteKeyStore(join(folder, "keys.sqlite")), ...keys } }),
    ...(declared === undefined ? {} : { collections: declared }),
    ...(roles === undefined ? {} : { roles }),
    ...(isAudited ? { audit: { log: await sqliteAuditLog(join(folder, "audit.sqlite")) } } : {}),
    ...(vaultLimits === undefined ? {} : { limits: vaultLimits }),
    ...(repair === undefined ? {} : { repair: { health: () => keyring.health(), ...repair } }),
  });
  defer(t, () => vault.close());
  const tokens = await fileTokens(join(folder, "tokens.json"));
  const token = {
    read: await newToken(tokens, "read"),
    write: await newToken(tokens, "write"),
    audit: await newToken(tokens, "audit"),
    admin: await newToken(tokens, "admin"),
  };

  const lines: string[] = [];
  const logger = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const regions = {
    minimum: 2,
    health: () => keyring.health(),
    counters: () => keyring.counters(),
    onCall,
    probe: () => keyring.probe(),
  };
  const app = await createServer({ vault: front?.(vault) ?? vault, tokens, regions, logger, ...server });
  defer(t, () => app.close());
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  return { folder, database, kms, keyring, vault, tokens, app, origin, token, log: () => lines.join("") };
}

async function keyRegions(
  kms: Kms,
  credentialsFile: string,
  blackHole: string | undefined,
  t: TestContext,
): Promise<Parameters<typeof multiRegionKeyring>[0]["regions"]> {
  const credentials = JSON.parse(await readFile(credentialsFile, "utf8")) as {
    accessKeyId: string;
    secretAccessKey: string;
  };
  return Promise.all(
    REGIONS.map(async (region) => {
      const client = new KMS({ region, endpoint: kms.endpoints[region]!, credentials, maxAttempts: 1 });
      defer(t, () => {
        client.destroy();
      });
      const { KeyMetadata } = await client.createKey({});
      if (blackHole === undefined) return { region, keyArn: KeyMetadata!.Arn!, client };
      const deaf = new KMS({ region, endpoint: blackHole, credentials, maxAttempts: 1 });
      defer(t, () => {
        deaf.destroy();
      });
      return { region, keyArn: KeyMetadata!.Arn!, client: deaf };
    }),
  );
}

function onCall(listener: (call: RegionCall) => void): () => void {
  const heard = (event: unknown): void => {
    if ((event as KmsEvent).kind === "call") listener(event as RegionCall);
  };
  subscribe(KMS_CHANNEL, heard);
  return () => {
    unsubscribe(KMS_CHANNEL, heard);
  };
}

async function newToken(tokens: FileTokens, scope: Scope): Promise<string> {
  return (await tokens.create({ name: `test ${scope}`, scopes: [scope] })).token;
}
