// `strongroom kms serve`: the KMS alone, in the foreground; also what `strongroom up` starts as a process of its own. Started with an IPC
// channel, it reports on it, leaves Ctrl-C to its parent, and ends when the channel closes: a killed parent leaves no KMS behind.
import { readFile } from "node:fs/promises";
import { createKms, type Kms, KMS_ERRORS, KmsError } from "@strongroom/kms";
import { pino } from "pino";
import { command, type CommandContext } from "../command/spec.ts";
import type { Config } from "../config/schema.ts";
import { dataFolder } from "../data-folder/layout.ts";
import { prepareDataFolder } from "../data-folder/prepare.ts";
import { CliError } from "../errors.ts";
import type { KmsMessage } from "../installation/kms-messages.ts";
import { whenAborted } from "../installation/when-aborted.ts";
import { renderTable } from "../terminal/table.ts";

export const kmsServeCommand = command({
  name: "kms serve",
  heading: "Start",
  summary: "run the KMS alone: several regions, each on a port of its own",
  description: "It speaks the AWS KMS API, signed requests only. The access key pair is made at first start, in kms/credentials.json of the data folder.",
  flagGroups: ["kms", "log"],
  options: {},
  examples: [
    { line: "npx strongroom kms serve", meaning: "three regions on ports 8201 to 8203" },
    { line: "npx strongroom kms serve --region eu-west-1=9001 --region us-east-1=9002 --data-dir /srv/kms", meaning: "two regions of your choice" },
  ],
  run: async ({ context, loaded }) => {
    const supervised = process.send !== undefined;
    const parentGone = supervised ? whenDisconnected() : null;
    let kms: Kms;
    try {
      kms = await openKms(loaded.config);
    } catch (error) {
      const failure = asCliError(error);
      if (parentGone === null) throw failure;
      await tellParent({ kind: "failed", code: failure.reportedCode, title: failure.title, detail: failure.detail ?? "", remedy: failure.remedy });
      await parentGone;
      return;
    }
    if (parentGone === null) {
      announce(kms, loaded.config, context);
      await whenAborted(context.signal);
    } else {
      await tellParent({ kind: "ready", endpoints: kms.endpoints, faultsEndpoint: kms.faultsEndpoint });
      await parentGone;
    }
    await kms.close();
  },
});

async function openKms(config: Config): Promise<Kms> {
  const { folder } = await prepareDataFolder(config.dataDir);
  const { regions, rootKey, allowFaults, faultsPort } = config.kms;
  return createKms({
    dataDir: folder.kms,
    regions,
    rootKey:
      rootKey.kind === "file"
        ? { kind: "file", path: rootKey.path ?? folder.kmsRootKey }
        : { kind: "passphrase", passphrase: await readPassphrase(rootKey.path) },
    logger: pino({ level: config.log.level, name: "kms" }, pino.destination({ fd: 2, sync: true })),
    ...(allowFaults ? { allowFaults: "loopback", faultsPort } : {}),
  });
}

/** The passphrase is the file's first line: editors add a newline that nobody typed. */
async function readPassphrase(path: string): Promise<Buffer> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new CliError("input-unreadable", { detail: `The passphrase file ${path} can not be read.`, cause });
  });
  const end = bytes.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  const passphrase = Buffer.from(end === -1 ? bytes : bytes.subarray(0, end));
  bytes.fill(0);
  if (passphrase.length === 0) throw new CliError("input-unreadable", { detail: `The first line of the passphrase file ${path} is empty.` });
  return passphrase;
}

function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (!(error instanceof KmsError)) return new CliError("unexpected", { detail: error instanceof Error ? `${error.name}: ${error.message}` : "unknown", cause: error });
  const { title, remedy } = KMS_ERRORS[error.code];
  const code = error.code === "port-in-use" ? "port-in-use" : error.code === "store-newer" ? "data-dir-newer" : "kms-not-started";
  return new CliError(code, { title, remedy, detail: error.message, reportedCode: error.code, cause: error });
}

function announce(kms: Kms, config: Config, { terminal }: CommandContext): void {
  const { kmsCredentials } = dataFolder(config.dataDir);
  const endpoints = Object.entries(kms.endpoints);
  terminal.result({ endpoints: kms.endpoints, faultsEndpoint: kms.faultsEndpoint, credentialsFile: kmsCredentials, pid: process.pid }, () =>
    [
      renderTable([{ heading: "REGION" }, { heading: "ENDPOINT" }], endpoints.map(([region, url]) => [region, url])),
      "",
      `Access key pair: ${kmsCredentials}`,
      ...(kms.faultsEndpoint === null ? [] : [`Take a region away: curl -X POST ${kms.faultsEndpoint}/_strongroom/regions/${endpoints[0]?.[0] ?? ""}/stop`]),
      "Ctrl-C ends it.",
    ].join("\n"),
  );
}

function whenDisconnected(): Promise<void> {
  return new Promise((resolve) => {
    process.once("disconnect", resolve);
    if (!process.connected) resolve();
  });
}

async function tellParent(message: KmsMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    // A parent that has gone needs no message; the closed channel ends this process anyway.
    process.send?.(message, () => {
      resolve();
    });
  });
}
