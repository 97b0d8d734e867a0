// `strongroom-kms serve`: the server in the foreground, until Ctrl-C.

import { once } from "node:events";
import { join } from "node:path";
import { pino } from "pino";
import { z } from "zod";
import { AdjustableClock } from "../../clock.ts";
import { KmsError } from "../../errors.ts";
import { createKms } from "../../kms.ts";
import type { Kms } from "../../kms.ts";
import { KMS_DEFAULTS } from "../../options.ts";
import type { KmsOptions } from "../../options.ts";
import { warningOf } from "../../seed/apply-seed.ts";
import {
  accountOptions,
  dataDirOptions,
  optionsOf,
  regionOptions,
  rootKeyOf,
  rootKeyOptions,
  rootKeySource,
  wholeNumber,
} from "../options.ts";
import { command } from "../spec.ts";
import type { CommandSpec } from "../spec.ts";

const schema = z.object({
  ...dataDirOptions.shape,
  ...rootKeyOptions.shape,
  ...regionOptions.shape,
  ...accountOptions.shape,
  host: z.string().default(KMS_DEFAULTS.host),
  principals: z.string().optional(),
  seed: z.string().optional(),
  temporary: z.boolean().default(false),
  allowFaults: z.boolean().default(false),
  faultsPort: wholeNumber(0, 65_535).optional(),
  clock: z.iso.datetime({ offset: true, error: "must be a time such as 2030-01-01T00:00:00Z" }).optional(),
  logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).default("warn"),
});
type Values = z.infer<typeof schema>;

export const serveCommand: CommandSpec = command<Values>({
  name: "serve",
  summary: "run the server",
  description: [
    "Every region has a port of its own and takes requests signed by AWS Signature Version 4. The access key pair " +
      "is made at first start, in",
    "credentials.json of the data folder. Each port answers GET /healthz. Point any AWS SDK or the AWS CLI at a " +
      "region's endpoint.",
  ].join(" "),
  options: [
    ...optionsOf(dataDirOptions, regionOptions),
    { flags: "--host <address>", description: `where to listen (default: ${KMS_DEFAULTS.host})` },
    ...optionsOf(rootKeyOptions, accountOptions),
    {
      flags: "--principals <file>",
      description: "users and roles with their access keys and policies (JSON, mode 600)",
    },
    { flags: "--seed <file>", description: "keys to start with (YAML or JSON); for tests" },
    { flags: "--temporary", description: "keep everything in a temporary folder and remove it at the end; for tests" },
    {
      flags: "--allow-faults",
      description:
        "open a control port through which anyone on this machine can stop regions, inject faults and put the " +
        "clock forward",
    },
    { flags: "--faults-port <port>", description: "the control port (default: a free one)" },
    { flags: "--clock <time>", description: "start at this time, which must not be past; needs --allow-faults" },
    {
      flags: "--log-level <level>",
      description: "debug, info, warn, error or silent (default: warn); the log goes to standard error",
    },
  ],
  schema,
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
  async run({ values, io, result }) {
    const kms = await createKms(optionsOfKms(values));
    const warning = kms.seeded === null ? null : warningOf(kms.seeded);
    if (warning !== null) io.stderr.write(`\n*** ${warning} ***\n\n`);
    const { endpoints, faultsEndpoint, dataDir } = kms;
    const credentialsFile = join(dataDir, "credentials.json");
    result({ endpoints, faultsEndpoint, credentialsFile, pid: process.pid }, () => announcement(kms, credentialsFile));
    if (!io.signal.aborted) await once(io.signal, "abort");
    await kms.close();
    return "ok";
  },
});

function optionsOfKms(values: Values): KmsOptions {
  const { allowFaults, faultsPort } = values;
  if (values.clock !== undefined && !allowFaults) throw new KmsError("option-invalid", "--clock needs --allow-faults.");
  const rootKey = values.temporary ? rootKeySource(values) : rootKeyOf(values);
  return {
    ...(!values.temporary && { dataDir: values.dataDir }),
    ...(rootKey !== null && { rootKey }),
    regions: values.region,
    host: values.host,
    accountId: values.accountId,
    ...(values.principals !== undefined && { principalsFile: values.principals }),
    ...(values.seed !== undefined && { seed: values.seed }),
    ...(allowFaults && { allowFaults: "loopback" as const }),
    ...(faultsPort !== undefined && { faultsPort }),
    ...(values.clock !== undefined && { clock: clockAt(values.clock) }),
    logger: pino({ level: values.logLevel, name: "kms" }, pino.destination({ fd: 2, sync: true })),
  };
}

function clockAt(time: string): AdjustableClock {
  const clock = new AdjustableClock();
  const ahead = Date.parse(time) - clock.now();
  if (ahead < 0) throw new KmsError("option-invalid", "--clock is in the past: time never goes back.");
  clock.advance(ahead);
  return clock;
}

function announcement({ endpoints, faultsEndpoint }: Kms, credentialsFile: string): string {
  const width = Math.max(...Object.keys(endpoints).map((name) => name.length));
  return [
    ...Object.entries(endpoints).map(([name, url]) => `${name.padEnd(width)}  ${url}`),
    "",
    `Access key pair: ${credentialsFile}`,
    ...(faultsEndpoint === null ? [] : [`Control port: ${faultsEndpoint}/_strongroom/regions`]),
    "Ctrl-C ends it.",
  ].join("\n");
}
