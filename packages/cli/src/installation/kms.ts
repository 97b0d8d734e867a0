// What `strongroom kms serve` does. Started by `strongroom up`, with an IPC channel, it reports on the channel, leaves
// Ctrl-C to its parent, and ends when the channel closes: a killed parent leaves no KMS behind.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createKms, type Kms, KMS_ERRORS, KmsError, type KmsErrorCode, type KmsOptions } from "@strongroom/kms";
import type { CommandContext } from "../command/spec.ts";
import type { Config } from "../config/schema.ts";
import { dataFolder } from "../data-folder/layout.ts";
import { prepareDataFolder } from "../data-folder/prepare.ts";
import { CliError } from "../errors.ts";
import type { Outcome } from "../exit-codes.ts";
import { renderTable } from "../terminal/table.ts";
import type { KmsMessage } from "./kms-process.ts";
import { jsonLog } from "./log.ts";

/**
 * Serves until the context's signal is aborted, or, under a parent, until the parent is gone. Throws a CliError that
 * says why it could not start.
 */
export async function runKms(context: CommandContext, config: Config): Promise<void> {
  if (process.send !== undefined) {
    await runUnderParent(config);
    return;
  }
  await using kms = await openKms(config);
  announce(kms, config, context);
  if (!context.signal.aborted) await once(context.signal, "abort");
}

async function runUnderParent(config: Config): Promise<void> {
  const parentGone = whenDisconnected();
  try {
    await using kms = await openKms(config);
    await tellParent({ kind: "ready", endpoints: kms.endpoints, faultsEndpoint: kms.faultsEndpoint });
    await parentGone;
  } catch (error) {
    const { code, outcome, reportedCode, title, detail, remedy } = asCliError(error);
    await tellParent({ kind: "failed", code, outcome, reportedCode, title, detail: detail ?? "", remedy });
    await parentGone;
  }
}

async function openKms(config: Config): Promise<Kms> {
  try {
    return await createKms(await kmsOptions(config));
  } catch (error) {
    throw asCliError(error);
  }
}

async function kmsOptions(config: Config): Promise<KmsOptions> {
  const { folder } = await prepareDataFolder(config.dataDir);
  const { regions, rootKey, allowFaults, faultsPort } = config.kms;
  return {
    dataDir: folder.kms,
    regions,
    rootKey:
      rootKey.kind === "file"
        ? { kind: "file", path: rootKey.path ?? folder.kmsRootKey }
        : { kind: "passphrase", passphrase: await readPassphrase(rootKey.path) },
    logger: jsonLog("kms", config.log, 2),
    ...(allowFaults ? { allowFaults: "loopback", faultsPort } : {}),
  };
}

/** The passphrase is the file's first line: editors add a newline that nobody typed. */
async function readPassphrase(path: string): Promise<Buffer> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new CliError("input-unreadable", { detail: `The passphrase file ${path} cannot be read.`, cause });
  });
  const end = bytes.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  const passphrase = Buffer.from(end === -1 ? bytes : bytes.subarray(0, end));
  bytes.fill(0);
  if (passphrase.length === 0)
    throw new CliError("input-unreadable", { detail: `The first line of the passphrase file ${path} is empty.` });
  return passphrase;
}

/** What a person has to set right is a matter of usage; data that does not verify is refused. The rest is a failure. */
const START_OUTCOMES: Readonly<Partial<Record<KmsErrorCode, Outcome>>> = {
  "option-invalid": "usage",
  "data-dir-in-use": "usage",
  "file-permissions": "usage",
  "root-key-missing": "usage",
  "root-key-wrong": "usage",
  "root-key-malformed": "usage",
  "credentials-malformed": "usage",
  "store-corrupt": "refused",
  "audit-broken": "refused",
};

function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (!(error instanceof KmsError))
    return new CliError("unexpected", {
      detail: error instanceof Error ? `${error.name}: ${error.message}` : "unknown",
      cause: error,
    });
  const { title, remedy } = KMS_ERRORS[error.code];
  const said = { title, detail: error.message, reportedCode: error.code, cause: error };
  if (error.code === "port-in-use") return new CliError("port-in-use", said);
  if (error.code === "store-newer") return new CliError("data-dir-newer", said);
  return new CliError("kms-not-started", { ...said, remedy, outcome: START_OUTCOMES[error.code] ?? "failure" });
}

function announce(kms: Kms, config: Config, { terminal }: CommandContext): void {
  const { kmsCredentials } = dataFolder(config.dataDir);
  const endpoints = Object.entries(kms.endpoints);
  terminal.result(
    { endpoints: kms.endpoints, faultsEndpoint: kms.faultsEndpoint, credentialsFile: kmsCredentials, pid: process.pid },
    () =>
      [
        renderTable(
          [{ heading: "REGION" }, { heading: "ENDPOINT" }],
          endpoints.map(([region, url]) => [region, url]),
        ),
        "",
        `Access key pair: ${kmsCredentials}`,
        ...(kms.faultsEndpoint === null
          ? []
          : [
              `Take a region away: curl -X POST ${kms.faultsEndpoint}/_strongroom/regions/${endpoints[0]?.[0] ?? ""}/stop`,
            ]),
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
