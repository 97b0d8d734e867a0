// `serve`: the server in the foreground, until Ctrl-C, or for the process that started it.

import { once } from "node:events";
import { join } from "node:path";
import { type CommandSpec, given, option, text, wholeNumber } from "@strongroom/base/command";
import { renderTable } from "@strongroom/base/terminal";
import { z } from "zod";
import { STRONGROOM_USERS } from "../../auth/strongroom-users.ts";
import type * as port from "../../emulator/emulator-port.ts";
import { KmsError } from "../../errors.ts";
import type * as kms from "../../kms.ts";
import type * as seed from "../../seed/apply-seed.ts";
import { makeFolder } from "../folder.ts";
import { hasParent, serveUnderParent } from "../parent.ts";
import { allowReadablePrincipals } from "../principals-option.ts";
import { command } from "../spec.ts";
import { isTemporary, optionsOfKms } from "./serve-options.ts";

export const serveCommand: CommandSpec = command({
  name: "serve",
  heading: "Commands",
  summary: "run the KMS alone: several regions, each on a port of its own",
  description: [
    "Every region takes requests signed by AWS Signature Version 4. Three access key pairs are made at first start, " +
      "in the KMS's folder: the account's root in credentials.json, and users for a Strongroom's service and its " +
      "operator in service-credentials.json and operator-credentials.json. Each port answers GET /healthz. Point any " +
      "AWS SDK or " +
      "the AWS CLI at a region's endpoint. Without --tls a client cannot tell this server from another program that " +
      "takes its port.",
  ].join(" "),
  options: {
    principals: option(
      "--principals <file>",
      "users and roles with their access keys and policies (JSON, mode 600)",
      text(),
    ),
    allowReadablePrincipals,
    seed: option("--seed <file>", "keys to start with (YAML or JSON); for tests", text()),
    temporary: option(
      "--temporary",
      "keep everything in a temporary folder and remove it at the end; for tests",
      given(),
    ),
    acceptRestore: option(
      "--accept-restore <reason>",
      "go on with an audit that is broken or was set back, as after a restore; the reason is on record for ever",
      text(),
    ),
    tls: option(
      "--tls",
      "speak TLS, with a certificate that is made at first start; its fingerprint is for clients to pin",
      given(),
    ),
    tlsCertFile: option("--tls-cert-file <file>", "speak TLS with this certificate (PEM)", text()),
    tlsKeyFile: option("--tls-key-file <file>", "its private key (PEM, mode 600)", text()),
    socketDir: option(
      "--socket-dir <dir>",
      "a folder, yours alone, in which each region has a Unix socket as well: REGION.sock",
      text(),
    ),
    emulator: option(
      "--emulator",
      "for tests: one port for all regions that checks no signature, on loopback, in a temporary folder unless " +
        "--data-dir names one of its own",
      given(),
    ),
    port: option("--port <n>", "port of --emulator (default: 4566; 0 takes a free one)", wholeNumber(0, 65_535)),
    clock: option(
      "--clock <time>",
      "start at this time, which must not be past; needs --allow-faults",
      z.iso.datetime({ offset: true, error: "must be a time such as 2030-01-01T00:00:00Z" }).optional(),
    ),
  },
  flagGroups: ["folder", "regions", "host", "root-key", "witness", "audit", "account", "faults", "log"],
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
    {
      line: "npx @strongroom/kms serve --host 10.0.0.5 --tls",
      meaning: "for services on other machines, which pin its certificate",
    },
    {
      line: "npx @strongroom/kms serve --emulator",
      meaning: "in place of LocalStack or moto, for a test suite as it is: http://127.0.0.1:4566",
    },
  ],
  async run({ options, loaded, context: { terminal, signal } }) {
    const start = async (): Promise<kms.Kms> => {
      const kmsOptions = optionsOfKms(options, loaded);
      if (!isTemporary(options, loaded)) makeFolder(loaded.dataDir);
      const { createKms, warningOf, EMULATOR_WARNING } = await loadServer();
      const kms = await createKms(kmsOptions);
      if (kms.emulatorEndpoint !== null) terminal.sayAlways(`\n*** ${EMULATOR_WARNING} ***\n\n`);
      const warning = kms.seeded === null ? null : warningOf(kms.seeded);
      if (warning !== null) terminal.sayAlways(`\n*** ${warning} ***\n\n`);
      return kms;
    };
    if (hasParent()) {
      await serveUnderParent(start);
      return;
    }
    await using kms = await start();
    const { endpoints, sockets, tls, emulatorEndpoint, notServing, faultsEndpoint, faultsHeaderFile, dataDir } = kms;
    const credentialsFile = emulatorEndpoint === null ? join(dataDir, "credentials.json") : null;
    for (const [region, reason] of Object.entries(notServing))
      terminal.sayAlways(`\n*** ${region} DOES NOT SERVE: its port is in use, ${reason} It is tried again. ***\n\n`);
    const credentials = { credentialsFile, faultsEndpoint, faultsHeaderFile };
    const users = credentialsFile === null ? null : usersIn(dataDir);
    const listening = { endpoints, sockets, tls, emulatorEndpoint, notServing };
    const result = { ...listening, ...credentials, users, pid: process.pid };
    terminal.result(result, () =>
      credentialsFile === null
        ? emulatorAnnouncement(emulatorEndpoint ?? "")
        : announcement(kms, credentialsFile, terminal.width),
    );
    if (!signal.aborted) await once(signal, "abort");
    const never = Object.values(kms.notServing);
    if (never.length > 0) throw new KmsError("port-in-use", `never free while this server ran: ${never.join(" ")}`);
  },
});

function announcement(kms: kms.Kms, credentialsFile: string, width: number): string {
  const { endpoints, sockets, tls, notServing, faultsEndpoint, faultsHeaderFile, dataDir } = kms;
  const [first = ""] = Object.keys(endpoints);
  const rows = Object.entries(endpoints).map(([region, url]) => [
    region,
    region in notServing ? `${url} (in use: does not serve)` : url,
  ]);
  return [
    renderTable([{ heading: "REGION" }, { heading: "ENDPOINT" }], rows, width),
    "",
    ...Object.values(sockets).map((path) => `Socket: ${path}`),
    ...(tls === null ? [] : [`Certificate: ${tls.certificateFile}`, `SHA-256 fingerprint: ${tls.fingerprint}`]),
    `Access key pair of the root: ${credentialsFile}`,
    ...Object.entries(usersIn(dataDir)).map(([user, file]) => `Of a Strongroom's ${user}: ${file}`),
    ...(faultsEndpoint === null
      ? []
      : [
          `Take a region away: curl -H '@${faultsHeaderFile ?? ""}' -X POST ` +
            `${faultsEndpoint}/_strongroom/regions/${first}/stop`,
        ]),
    "Ctrl-C ends it.",
  ].join("\n");
}

/** User -> the file of its access key. */
const usersIn = (dataDir: string): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(STRONGROOM_USERS).map(([user, file]) => [user, join(dataDir, file)]));

const emulatorAnnouncement = (endpoint: string): string =>
  [
    `AWS_ENDPOINT_URL=${endpoint}`,
    "Every region, any access key. Back to the start: curl -X POST " + `${endpoint}/_strongroom/reset`,
    "Ctrl-C ends it.",
  ].join("\n");

/** A function by itself: inside another one the compiler leaves the names of the sources as they are. */
async function loadServer(): Promise<
  Pick<typeof kms & typeof seed & typeof port, "createKms" | "warningOf" | "EMULATOR_WARNING">
> {
  const { createKms } = await import("../../kms.ts");
  const { warningOf } = await import("../../seed/apply-seed.ts");
  const { EMULATOR_WARNING } = await import("../../emulator/emulator-port.ts");
  return { createKms, warningOf, EMULATOR_WARNING };
}
