// `serve`: the server in the foreground, until Ctrl-C, or for the process that started it.

import { once } from "node:events";
import { join } from "node:path";
import { type CommandSpec, given, option, text } from "@strongroom/base/command";
import { renderTable } from "@strongroom/base/terminal";
import { logDestination } from "@strongroom/base/terminal/log";
import { pino } from "pino";
import { z } from "zod";
import { AdjustableClock } from "../../clock.ts";
import { KmsError } from "../../errors.ts";
import type * as kms from "../../kms.ts";
import type { KmsOptions } from "../../options.ts";
import type * as seed from "../../seed/apply-seed.ts";
import { makeFolder } from "../folder.ts";
import { hasParent, serveUnderParent } from "../parent.ts";
import { givenRootKey, rootKeyOf } from "../root-key-options.ts";
import type { KmsSettings } from "../settings.ts";
import { command } from "../spec.ts";

/** The options of this command alone. */
interface ServeOptions {
  readonly principals: string | undefined;
  readonly seed: string | undefined;
  readonly temporary: boolean;
  readonly clock: string | undefined;
}

export const serveCommand: CommandSpec = command({
  name: "serve",
  heading: "Commands",
  summary: "run the KMS alone: several regions, each on a port of its own",
  description: [
    "Every region takes requests signed by AWS Signature Version 4. The access key pair is made at first start, in",
    "credentials.json of the KMS's folder. Each port answers GET /healthz. Point any AWS SDK or the AWS CLI at a " +
      "region's endpoint.",
  ].join(" "),
  options: {
    principals: option(
      "--principals <file>",
      "users and roles with their access keys and policies (JSON, mode 600)",
      text(),
    ),
    seed: option("--seed <file>", "keys to start with (YAML or JSON); for tests", text()),
    temporary: option(
      "--temporary",
      "keep everything in a temporary folder and remove it at the end; for tests",
      given(),
    ),
    clock: option(
      "--clock <time>",
      "start at this time, which must not be past; needs --allow-faults",
      z.iso.datetime({ offset: true, error: "must be a time such as 2030-01-01T00:00:00Z" }).optional(),
    ),
  },
  flagGroups: ["folder", "regions", "host", "root-key", "account", "faults", "log"],
  examples: [
    { line: "npx @strongroom/kms serve", meaning: "three regions on ports 8201 to 8203" },
    {
      line: "npx @strongroom/kms serve --region us-east-1=4599 --seed seed.yaml --temporary",
      meaning: "one region with known keys, for a test run",
    },
    {
      line: "npx @strongroom/kms serve --data-dir /srv/kms --passphrase-file /run/secrets/kms",
      meaning: "keys sealed under a passphrase",
    },
  ],
  async run({ options, loaded, context: { terminal, signal } }) {
    const start = async (): Promise<kms.Kms> => {
      if (!options.temporary) makeFolder(loaded.dataDir);
      const { createKms, warningOf } = await loadServer();
      const kms = await createKms(optionsOfKms(options, loaded));
      const warning = kms.seeded === null ? null : warningOf(kms.seeded);
      if (warning !== null) terminal.stderr.write(`\n*** ${warning} ***\n\n`);
      return kms;
    };
    if (hasParent()) {
      await serveUnderParent(start);
      return;
    }
    await using kms = await start();
    const { endpoints, faultsEndpoint, dataDir } = kms;
    const credentialsFile = join(dataDir, "credentials.json");
    terminal.result({ endpoints, faultsEndpoint, credentialsFile, pid: process.pid }, () =>
      announcement(kms, credentialsFile),
    );
    if (!signal.aborted) await once(signal, "abort");
  },
});

function optionsOfKms({ principals, seed, temporary, clock }: ServeOptions, settings: KmsSettings): KmsOptions {
  const { dataDir, regions, host, accountId, allowFaults, faultsPort, logLevel } = settings;
  if (clock !== undefined && !allowFaults) throw new KmsError("option-invalid", "--clock needs --allow-faults.");
  const rootKey = temporary ? givenRootKey(settings.rootKey) : rootKeyOf(settings);
  return {
    ...(!temporary && { dataDir }),
    ...(rootKey !== null && { rootKey }),
    regions,
    host,
    accountId,
    ...(principals !== undefined && { principalsFile: principals }),
    ...(seed !== undefined && { seed }),
    ...(allowFaults && { allowFaults: "loopback" as const }),
    ...(allowFaults && faultsPort !== undefined && { faultsPort }),
    ...(clock !== undefined && { clock: clockAt(clock) }),
    logger: pino({ level: logLevel, name: "kms" }, logDestination(2)),
  };
}

function clockAt(time: string): AdjustableClock {
  const clock = new AdjustableClock();
  const ahead = Date.parse(time) - clock.now();
  if (ahead < 0) throw new KmsError("option-invalid", "--clock is in the past: time never goes back.");
  clock.advance(ahead);
  return clock;
}

function announcement({ endpoints, faultsEndpoint }: kms.Kms, credentialsFile: string): string {
  const [first = ""] = Object.keys(endpoints);
  return [
    renderTable([{ heading: "REGION" }, { heading: "ENDPOINT" }], Object.entries(endpoints)),
    "",
    `Access key pair: ${credentialsFile}`,
    ...(faultsEndpoint === null
      ? []
      : [`Take a region away: curl -X POST ${faultsEndpoint}/_strongroom/regions/${first}/stop`]),
    "Ctrl-C ends it.",
  ].join("\n");
}

/** A function by itself: inside another one the compiler leaves the names of the sources as they are. */
async function loadServer(): Promise<Pick<typeof kms & typeof seed, "createKms" | "warningOf">> {
  const { createKms } = await import("../../kms.ts");
  const { warningOf } = await import("../../seed/apply-seed.ts");
  return { createKms, warningOf };
}
