// What `serve` was given, as options of the KMS.

import { logDestination } from "@strongroom/base/terminal/log";
import { pino } from "pino";
import { AdjustableClock } from "../../clock.ts";
import { KmsError } from "../../errors.ts";
import type { KmsOptions } from "../../options.ts";
import { givenRootKey, rootKeyOf } from "../root-key-options.ts";
import type { GivenKmsSettings } from "../settings.ts";

/** The options of `serve` alone. */
export interface ServeOptions {
  readonly principals: string | undefined;
  readonly allowReadablePrincipals: boolean;
  readonly seed: string | undefined;
  readonly temporary: boolean;
  readonly emulator: boolean;
  readonly port: number | undefined;
  readonly clock: string | undefined;
  readonly acceptRestore: string | undefined;
  readonly tls: boolean;
  readonly tlsCertFile: string | undefined;
  readonly tlsKeyFile: string | undefined;
  readonly socketDir: string | undefined;
}

/** Where LocalStack and its like listen. */
const EMULATOR_PORT = 4566;

/** Whether everything goes when the server ends: an emulator keeps only what it was given a folder for. */
export const isTemporary = ({ temporary, emulator }: ServeOptions, { given }: GivenKmsSettings): boolean =>
  temporary || (emulator && !given.has("dataDir"));

/** @throws KmsError `option-invalid`, and those of reading a passphrase. */
export function optionsOfKms(options: ServeOptions, settings: GivenKmsSettings): KmsOptions {
  const { principals, allowReadablePrincipals, seed, emulator, port, clock, acceptRestore } = options;
  if (clock !== undefined && !settings.allowFaults)
    throw new KmsError("option-invalid", "--clock needs --allow-faults.");
  if (port !== undefined && !emulator)
    throw new KmsError("option-invalid", "--port needs --emulator: a region's port is given by --region NAME=PORT.");
  const temporary = isTemporary(options, settings);
  return {
    ...(!temporary && { dataDir: settings.dataDir }),
    host: settings.host,
    accountId: settings.accountId,
    ...(principals !== undefined && { principalsFile: principals, allowReadablePrincipals }),
    ...(seed !== undefined && { seed }),
    ...(emulator ? emulatorOptions(settings, port) : serverOptions(settings, temporary)),
    ...tlsOptions(options),
    ...(options.socketDir !== undefined && { socketDir: options.socketDir }),
    ...(acceptRestore !== undefined && { acceptRestore }),
    ...(clock !== undefined && { clock: clockAt(clock) }),
    logger: pino({ level: settings.logLevel, name: "kms" }, logDestination(2)),
  };
}

function serverOptions(settings: GivenKmsSettings, temporary: boolean): KmsOptions {
  const { regions, witness, allowFaults, faultsPort } = settings;
  const rootKey = temporary ? givenRootKey(settings.rootKey) : rootKeyOf(settings);
  return {
    regions,
    takenPorts: "retried",
    strongroomUsers: "made",
    reserve: !temporary,
    ...(settings.auditDays > 0 && { auditDays: settings.auditDays }),
    ...(rootKey !== null && { rootKey }),
    ...(witness !== undefined && !temporary && { witness }),
    ...(allowFaults && { allowFaults: "loopback" as const }),
    ...(allowFaults && faultsPort !== undefined && { faultsPort }),
  };
}

function tlsOptions({ tls, tlsCertFile: certFile, tlsKeyFile: keyFile }: ServeOptions): Pick<KmsOptions, "tls"> {
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new KmsError("option-invalid", "--tls-cert-file and --tls-key-file go together.");
  if (certFile !== undefined && keyFile !== undefined) return { tls: { kind: "files", certFile, keyFile } };
  return tls ? { tls: { kind: "own" } } : {};
}

function emulatorOptions({ given, regions, allowFaults }: GivenKmsSettings, port = EMULATOR_PORT): KmsOptions {
  // Before it is read: the emulator opens no root key but its own.
  if (given.has("rootKey"))
    throw new KmsError("option-invalid", "--emulator makes a root key of its own: give it no other.");
  return {
    emulator: "loopback",
    emulatorPort: port,
    ...(given.has("regions") && { regions }),
    ...(allowFaults && { allowFaults: "loopback" as const }),
  };
}

function clockAt(time: string): AdjustableClock {
  const clock = new AdjustableClock();
  const ahead = Date.parse(time) - clock.now();
  if (ahead < 0) throw new KmsError("option-invalid", "--clock is in the past: time never goes back.");
  try {
    clock.advance(ahead);
  } catch (cause) {
    throw new KmsError("option-invalid", `--clock: ${(cause as Error).message}.`, { cause });
  }
  return clock;
}
