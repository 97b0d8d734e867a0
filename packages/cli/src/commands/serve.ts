// `strongroom serve`: the service alone, against the regions of the configuration: AWS KMS, or a KMS of one's own. Logs go to standard
// error as JSON lines.
import { pino } from "pino";
import { command } from "../command/spec.ts";
import type { Config, WrappingRegion } from "../config/schema.ts";
import type { DataFolder } from "../data-folder/layout.ts";
import { prepareDataFolder } from "../data-folder/prepare.ts";
import { CliError } from "../errors.ts";
import { readRegionKeys } from "../installation/key-file.ts";
import { installedKeyring, type InstalledRegion } from "../installation/keyring.ts";
import { kmsClient } from "../installation/kms-clients.ts";
import { startService } from "../installation/service.ts";
import { openTokens } from "../installation/tokens.ts";
import { whenAborted } from "../installation/when-aborted.ts";

export const serveCommand = command({
  name: "serve",
  heading: "Start",
  summary: "run the service alone, with the KMS keys of the configuration (AWS KMS)",
  description:
    "keys.regions in the configuration lists the regions, nearest first, each with the ARN of its key:\n" +
    '  { "keys": { "regions": [{ "region": "eu-west-1", "keyArn": "arn:aws:kms:eu-west-1:111122223333:key/…" }] } }\n' +
    "Without an endpoint a region is AWS's own, with the credentials that the AWS SDK finds. Tokens: strongroom token create.",
  flagGroups: ["service", "keys", "log"],
  options: {},
  examples: [
    { line: "npx strongroom serve --config strongroom.config.json", meaning: "logs go to standard error as JSON lines" },
    { line: "AWS_PROFILE=vault npx strongroom serve --host 0.0.0.0 --minimum 2", meaning: "behind a proxy that ends TLS" },
  ],
  run: async ({ context, loaded }) => {
    const { config } = loaded;
    const regions = configuredRegions(config);
    const { folder } = await prepareDataFolder(config.dataDir);
    const keyring = installedKeyring(config, await installRegions(regions, config, folder));
    const logger = pino({ level: config.log.level, name: "service" }, pino.destination({ fd: 2, sync: true }));
    const service = await startService({ config, folder, keyring, tokens: await openTokens(folder), logger });
    try {
      logger.info({ url: service.url, regions: regions.map(({ region }) => region) }, "the service listens");
      if (context.terminal.mode === "json") context.terminal.result({ url: service.url, dataDir: folder.path, pid: process.pid }, () => "");
      await whenAborted(context.signal);
      logger.info("ending; requests under way are finished first");
    } finally {
      await service.close();
    }
  },
});

function configuredRegions(config: Config): readonly WrappingRegion[] {
  if (config.keys.regions !== undefined) return config.keys.regions;
  throw new CliError("config-invalid", {
    detail: "keys.regions is needed: the regions whose keys wrap every record.",
    remedy: "Add them to strongroom.config.json; strongroom serve --help shows the form. To try Strongroom without any cloud, run strongroom up.",
  });
}

async function installRegions(regions: readonly WrappingRegion[], config: Config, folder: DataFolder): Promise<readonly InstalledRegion[]> {
  const remembered = await readRegionKeys(folder.keys);
  const unknown = regions.filter(({ region, keyArn }) => keyArn === undefined && remembered[region] === undefined);
  if (unknown.length > 0) {
    throw new CliError("config-invalid", {
      detail: "The key of each region must be known:",
      problems: unknown.map(({ region }) => `keys.regions: ${region} has no keyArn`),
      remedy: "`aws kms create-key --region REGION --query KeyMetadata.Arn` makes a key and prints its ARN.",
    });
  }
  return Promise.all(
    regions.map(async (one) => ({
      region: one.region,
      keyArn: one.keyArn ?? remembered[one.region] ?? "",
      client: await kmsClient(one, config.keys),
    })),
  );
}
