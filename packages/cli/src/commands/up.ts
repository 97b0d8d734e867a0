// `strongroom up`: everything on one machine in one command. The KMS runs as a process of its own, the service in this one; keys, tokens and
// folders are made at first start and found again at every later one.
import { pino } from "pino";
import { command, type CommandContext, type Invocation } from "../command/spec.ts";
import { type Config, wrapPolicy } from "../config/schema.ts";
import type { DataFolder } from "../data-folder/layout.ts";
import { lockDataFolder } from "../data-folder/lock.ts";
import { type LogFile, openLogFile } from "../data-folder/log-file.ts";
import { prepareDataFolder } from "../data-folder/prepare.ts";
import { removeRunning, writeRunning } from "../data-folder/running.ts";
import { CliError } from "../errors.ts";
import { ensureFirstToken } from "../installation/first-token.ts";
import { installedKeyring } from "../installation/keyring.ts";
import { kmsClient } from "../installation/kms-clients.ts";
import { type KmsEvent, type KmsProcess, startKmsProcess } from "../installation/kms-process.ts";
import { type EnsuredKeys, ensureRegionKeys, type RegionClient } from "../installation/region-keys.ts";
import { type RegionChange, watchRegions } from "../installation/region-watch.ts";
import { startService } from "../installation/service.ts";
import { openTokens } from "../installation/tokens.ts";
import { whenAborted } from "../installation/when-aborted.ts";
import { welcomePage } from "./up-page.ts";

export const upCommand = command({
  name: "up",
  heading: "Start",
  summary: "run everything on this machine: a KMS with three regions, and the service",
  description: "Keys, an access token and the data folder are made at first start. Ctrl-C ends it; the next start finds everything again.",
  flagGroups: ["service", "kms", "keys", "log"],
  options: {},
  examples: [
    { line: "npx strongroom up", meaning: "service on port 8200, data in ./strongroom-data" },
    { line: "npx strongroom up --port 9200 --data-dir /srv/strongroom", meaning: "another port and folder" },
    { line: "npx strongroom up --allow-faults", meaning: "to try what happens when a region is lost" },
  ],
  run: async (invocation) => {
    const { config } = invocation.loaded;
    if (config.keys.regions !== undefined) {
      throw new CliError("usage", {
        detail: "keys.regions is configured, and `up` runs a KMS of its own.",
        remedy: "Run strongroom serve: the service alone, with the configured regions. Or remove keys.regions from the configuration.",
      });
    }
    const { folder, tightened } = await prepareDataFolder(config.dataDir);
    if (tightened) invocation.context.terminal.say(`${folder.path} was open to other users of this machine; now it is yours alone (0700).`);
    const lock = lockDataFolder(folder.lock, folder.path);
    const log = openLogFile(folder.log);
    try {
      await runInstallation(invocation, folder, log);
    } finally {
      log.close();
      lock.release();
    }
  },
});

async function runInstallation({ context, loaded: { config } }: Invocation, folder: DataFolder, log: LogFile): Promise<void> {
  const logger = pino({ level: config.log.level, name: "service" }, pino.destination({ fd: log.fd, sync: true }));
  const kms = await startKmsProcess({
    dataDir: folder.path,
    regions: config.kms.regions,
    rootKey: { kind: config.kms.rootKey.kind, path: config.kms.rootKey.path ?? folder.kmsRootKey },
    faultsPort: config.kms.allowFaults ? config.kms.faultsPort : null,
    logFd: log.fd,
    logLevel: config.log.level,
    signal: context.signal,
    onEvent: (event) => {
      logger.warn(event, "the KMS process");
      say(context, kmsNews(event));
    },
  });
  try {
    const clients = await regionClients(config, folder, kms);
    const ensured = await ensureRegionKeys(folder.keys, clients);
    const keyring = installedKeyring(config, withKeys(clients, ensured));
    const tokens = await openTokens(folder);
    await ensureFirstToken(folder, tokens);
    const service = await startService({ config, folder, keyring, tokens, logger });
    const stopWatching = watchRegions(() => keyring.health(), (change) => {
      say(context, regionNews(change));
    });
    try {
      await writeRunning(folder.running, { url: service.url, kms: kms.endpoints });
      await announce(context, { config, folder, kms, ensured, url: service.url });
      await whenAborted(context.signal);
      say(context, "Ending: requests under way are finished first.");
    } finally {
      stopWatching();
      await service.close();
      await removeRunning(folder.running);
    }
  } finally {
    await kms.close();
  }
}

async function regionClients(config: Config, folder: DataFolder, kms: KmsProcess): Promise<readonly RegionClient[]> {
  return Promise.all(
    config.kms.regions.map(async ({ name }) => ({
      region: name,
      client: await kmsClient({ region: name, endpoint: kms.endpoints[name], credentialsFile: folder.kmsCredentials }, config.keys),
    })),
  );
}

function withKeys(clients: readonly RegionClient[], { keys }: EnsuredKeys): { region: string; keyArn: string; client: RegionClient["client"] }[] {
  return clients.map(({ region, client }) => ({ region, client, keyArn: keys[region] ?? "" }));
}

interface Announced {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly kms: KmsProcess;
  readonly ensured: EnsuredKeys;
  readonly url: string;
}

async function announce({ terminal, cwd }: CommandContext, { config, folder, kms, ensured, url }: Announced): Promise<void> {
  const data = {
    url,
    regions: kms.endpoints,
    keys: ensured.keys,
    keysMade: ensured.made,
    dataDir: folder.path,
    tokenFile: folder.token,
    faultsEndpoint: kms.faultsEndpoint,
    pid: process.pid,
    kmsPid: kms.pid(),
  };
  const page = welcomePage(terminal, {
    url,
    endpoints: kms.endpoints,
    faultsEndpoint: kms.faultsEndpoint,
    folder,
    cwd,
    policy: wrapPolicy(config, config.kms.regions.length),
    made: ensured.made,
  });
  terminal.result(data, () => page);
}

function say({ terminal }: CommandContext, text: string): void {
  terminal.say(`${terminal.styleError("dim", new Date().toTimeString().slice(0, 8))}  ${text}`);
}

function kmsNews(event: KmsEvent): string {
  switch (event.kind) {
    case "ended":
      return `The KMS process ended (${event.how}); starting it again in ${event.nextStartInMs / 1000} s.`;
    case "restarted":
      return "The KMS process serves again.";
    case "restart-failed":
      return `The KMS process did not start (${event.detail}); trying again in ${event.nextStartInMs / 1000} s.`;
  }
}

function regionNews({ region, state, reason }: RegionChange): string {
  return state === "up" ? `Region ${region} is back.` : `Region ${region} does not answer${reason === null ? "" : ` (${reason})`}.`;
}
