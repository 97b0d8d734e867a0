// What `strongroom serve` does: the service against the configured regions. Logs go to standard error as JSON lines.
import { once } from "node:events";
import { logDestination } from "@strongroom/base/terminal/log";
import { pino } from "pino";
import type { CommandContext } from "../command.ts";
import type { Config, WrappingRegion } from "../config/config.ts";
import { type DataFolder, prepareDataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { moveInLog } from "../store/moving.ts";
import { installedKeySet } from "./key-sets.ts";
import { type InstalledRegion, kmsClient } from "./keyring.ts";
import { type KmsPlace, openRegions, requireAuthenticated } from "./kms-transport.ts";
import { readRegionKeys } from "./region-keys.ts";
import { startService } from "./service.ts";
import { openTokens } from "./tokens.ts";

/** A region of the configuration, with whether it may be reached over plain HTTP. */
type ConfiguredRegion = WrappingRegion & Pick<KmsPlace, "allowUnauthenticated">;

/** Serves until the context's signal is aborted. Throws a CliError that says why it could not start. */
export async function runServe({ terminal, env, signal }: CommandContext, config: Config): Promise<void> {
  const regions = configuredRegions(config);
  const next = withPolicy(config.keys.next, config);
  requireAuthenticated([...regions, ...next]);
  const { folder } = await prepareDataFolder(config.dataDir);
  const keySets = {
    current: installedKeySet(config, await installRegions("keys.regions", regions, folder)),
    next: next.length === 0 ? null : installedKeySet(config, await installRegions("keys.next", next, folder)),
  };
  const logger = pino({ level: config.log.level, name: "service" }, logDestination(2));
  const tokens = await openTokens(folder);
  const moving = moveInLog(logger);
  const parts = { config, folder, env, keySets, tokens, logger, moving };
  const service = await startService({ ...parts, unprepared: "refuse" });
  try {
    const open = openRegions([...regions, ...next]);
    if (open.length > 0)
      logger.warn(
        { regions: open },
        "these regions are reached over plain HTTP, as keys.allowUnauthenticatedKms allows: whoever takes their " +
          "address is sent data keys in plaintext",
      );
    logger.info(
      { url: service.url, store: service.store, regions: regions.map(({ region }) => region) },
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

async function installRegions(
  setting: "keys.regions" | "keys.next",
  regions: readonly ConfiguredRegion[],
  folder: DataFolder,
): Promise<readonly InstalledRegion[]> {
  const remembered = await readRegionKeys(folder.keys);
  const unknown = regions.filter(({ region, keyArn }) => keyArn === undefined && remembered[region] === undefined);
  if (unknown.length > 0) {
    throw new CliError("config-invalid", {
      detail: "The key of each region must be known:",
      problems: unknown.map(({ region }) => `${setting}: ${region} has no keyArn`),
      remedy: "`aws kms create-key --region REGION --query KeyMetadata.Arn` makes a key and prints its ARN.",
    });
  }
  return Promise.all(
    regions.map(async (one) => ({
      region: one.region,
      keyArn: one.keyArn ?? remembered[one.region] ?? "",
      client: await kmsClient(one),
    })),
  );
}
