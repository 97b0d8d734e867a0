// What `strongroom serve` does: the service against the configured regions. Logs go to standard error as JSON lines.
import { once } from "node:events";
import { logDestination } from "@strongroom/base/terminal/log";
import { pino } from "pino";
import type { CommandContext } from "../command.ts";
import type { Config, WrappingRegion } from "../config/config.ts";
import { type DataFolder, prepareDataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { moveInLog } from "../store/moving.ts";
import {
  generationsOf,
  hasOwnKeys,
  type InstalledKeySet,
  installedKeySet,
  type InstalledKeySets,
  keyOf,
  type KnownKeySets,
} from "./key-sets.ts";
import { type InstalledRegion, KmsClients } from "./keyring.ts";
import { type KmsPlace, openRegions, requireAuthenticated } from "./kms-transport.ts";
import { type InstallationKeys, type KeyPurpose, readInstallationKeys } from "./installed-keys.ts";
import { startService } from "./service.ts";
import { openTokens } from "./tokens.ts";

/** A region of the configuration, with whether it may be reached over plain HTTP. */
type ConfiguredRegion = WrappingRegion & Pick<KmsPlace, "allowUnauthenticated">;

/** Serves until the context's signal is aborted. Throws a CliError that says why it could not start. */
export async function runServe(
  { terminal, env, signal }: CommandContext,
  config: Config,
  acceptRestore?: string,
): Promise<void> {
  const regions = configuredRegions(config);
  const { folder } = await prepareDataFolder(config.dataDir);
  const keySets = await configuredKeySets(config, folder);
  const logger = pino({ level: config.log.level, name: "service" }, logDestination(2));
  const tokens = await openTokens(folder);
  const moving = moveInLog(logger);
  const parts = { config, folder, env, keySets, tokens, logger, moving };
  const service = await startService({ ...parts, unprepared: "refuse", acceptRestore });
  try {
    const open = openRegions([...regions, ...withPolicy(config.keys.next, config)]);
    if (open.length > 0)
      logger.warn(
        { regions: open },
        "these regions are reached over plain HTTP, as keys.allowUnauthenticatedKms allows: whoever takes their " +
          "address is sent data keys in plaintext",
      );
    if (keySets.keys === null)
      logger.warn(
        "the keys of people are wrapped by the keys of records (generation 0: shared, and never shredded): name keys " +
          "of their own in every region, keys.regions[].keyStoreKeyArn",
      );
    const { url, store, keyStore, auditLog } = service;
    logger.info(
      { url, store, keyStore, auditLog, regions: regions.map(({ region }) => region) },
      "the service listens",
    );
    if (terminal.mode === "json")
      terminal.result({ url: service.url, dataDir: folder.path, pid: process.pid }, () => "");
    if (!signal.aborted) await once(signal, "abort");
    logger.info("ending; requests under way are finished first");
  } finally {
    await service.close();
  }
}

/**
 * The key sets that the configuration names. Throws `config-invalid`, `kms-unauthenticated`, and what reading the keys
 * of the folder and the credentials does.
 */
export async function configuredKeySets(config: Config, folder: DataFolder): Promise<InstalledKeySets> {
  const regions = configuredRegions(config);
  const next = withPolicy(config.keys.next, config);
  requireAuthenticated([...regions, ...next]);
  const remembered = await readInstallationKeys(folder.keys);
  requireAllOrNone(regions, remembered);
  const clients = new KmsClients();
  const { generation, nextGeneration } = generationsOf(config, remembered);
  const setsOf = async (purpose: KeyPurpose): Promise<KnownKeySets> => {
    const install = async (setting: "regions" | "next", list: readonly ConfiguredRegion[]): Promise<InstalledKeySet> =>
      installedKeySet(
        config,
        await installRegions(`keys.${setting}`, list, { purpose, remembered, clients }),
        purpose === "records" ? undefined : setting === "next" ? nextGeneration : generation,
      );
    return {
      current: await install("regions", regions),
      next: next.length === 0 ? null : await install("next", next),
    };
  };
  return {
    records: await setsOf("records"),
    keys: hasOwnKeys(regions, remembered) ? await setsOf("keyStore") : null,
  };
}

/** Of what is configured and what is remembered together. */
function requireAllOrNone(regions: readonly WrappingRegion[], remembered: InstallationKeys): void {
  const without = regions.filter((region) => keyOf(region, "keyStore", remembered) === undefined);
  if (without.length === 0 || without.length === regions.length) return;
  throw new CliError("config-invalid", {
    detail: "The keys of people need a wrapping key of their own in every region, or in none:",
    problems: without.map(({ region }) => `keys.regions: ${region} has no keyStoreKeyArn`),
    remedy: "Name one for each region. `aws kms create-key --region REGION --query KeyMetadata.Arn` makes a key.",
  });
}

function configuredRegions(config: Config): readonly ConfiguredRegion[] {
  if (config.keys.regions !== undefined) return withPolicy(config.keys.regions, config);
  throw new CliError("config-invalid", {
    detail: "keys.regions is needed: the regions whose keys wrap every record.",
    remedy:
      "Add them to strongroom.config.json; strongroom serve --help shows the form. To try Strongroom without any " +
      "cloud, run strongroom up.",
  });
}

function withPolicy(regions: readonly WrappingRegion[] = [], { keys }: Config): readonly ConfiguredRegion[] {
  return regions.map((region) => ({ ...region, allowUnauthenticated: keys.allowUnauthenticatedKms }));
}

interface InstallParts {
  readonly purpose: KeyPurpose;
  readonly remembered: InstallationKeys;
  readonly clients: KmsClients;
}

async function installRegions(
  setting: "keys.regions" | "keys.next",
  regions: readonly ConfiguredRegion[],
  { purpose, remembered, clients }: InstallParts,
): Promise<readonly InstalledRegion[]> {
  const member = purpose === "records" ? "keyArn" : "keyStoreKeyArn";
  const unknown = regions.filter((region) => keyOf(region, purpose, remembered) === undefined);
  if (unknown.length > 0) {
    throw new CliError("config-invalid", {
      detail: "The key of each region must be known:",
      problems: unknown.map(({ region }) => `${setting}: ${region} has no ${member}`),
      remedy: "`aws kms create-key --region REGION --query KeyMetadata.Arn` makes a key and prints its ARN.",
    });
  }
  return Promise.all(
    regions.map(async (one) => ({
      region: one.region,
      keyArn: keyOf(one, purpose, remembered) ?? "",
      client: await clients.of(one),
    })),
  );
}
