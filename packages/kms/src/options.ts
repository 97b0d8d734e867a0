// The options of a KMS, checked once: every problem is named in one error.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasMethods, ownOptions } from "@strongroom/base/options";
import { pino } from "pino";
import type { Logger } from "pino";
import { z } from "zod";
import { AdjustableClock, systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { ACCOUNT_ID, ACCOUNT_ID_RULE } from "./auth/principal-arn.ts";
import type { PrincipalsFile } from "./auth/principals.ts";
import type { RootKeySource } from "./crypto/root-key.ts";
import { KmsError } from "./errors.ts";
import { LOOPBACK_HOSTS } from "./http/loopback.ts";
import { REGION_NAME, REGION_NAME_RULE } from "./keys/region-name.ts";
import type { SeedSource } from "./seed/read-seed.ts";
import type { TlsSource } from "./tls/tls-identity.ts";
import type { WitnessSource } from "./witnesses/witness.ts";

/** How a KMS is made. All defaults together make one for a test: in a temporary directory, on a free port. */
export interface KmsOptions {
  /**
   * Made if it does not exist. Holds kms.sqlite, credentials.json and, by default, root.key. If it is not given, a
   * temporary directory, which `close` removes.
   */
  readonly dataDir?: string;
  /** At least one; port 0 takes a free port. One, eu-west-1, by default. */
  readonly regions?: readonly { readonly name: string; readonly port: number }[];
  /** Where the regions listen. */
  readonly host?: string;
  /** The regions' ports speak TLS alone: with a certificate of the server's own, or with one of yours. */
  readonly tls?: TlsSource;
  /** A folder in which each region has a Unix socket as well, REGION.sock, which its owner alone can reach. */
  readonly socketDir?: string;
  /** By default the file root.key in the data directory, made at first start. */
  readonly rootKey?: RootKeySource;
  /** Twelve digits. */
  readonly accountId?: string;
  /** A principals file with users, roles and their access keys. */
  readonly principalsFile?: string;
  /** Takes a principals file that others on this machine may read, as orchestrators mount secrets. */
  readonly allowReadablePrincipals?: boolean;
  /**
   * `made`: two users of least privilege get access keys as well, in service-credentials.json and
   * operator-credentials.json of the data directory: the service of a Strongroom, and who makes its keys.
   */
  readonly strongroomUsers?: "made";
  /** Keys to start with: a YAML or JSON file, or the seed itself. For tests. */
  readonly seed?: SeedSource;
  /** Opens the control port, through which whoever has its token can stop regions and inject faults. */
  readonly allowFaults?: "loopback";
  /** Port of the control server; 0 takes a free one. Needs `allowFaults`. */
  readonly faultsPort?: number;
  /** Where the newest checkpoint of the audit is kept as well: the KMS starts only if its audit goes on from there. */
  readonly witness?: WitnessSource;
  /**
   * The reason for going on with an audit that is not whole, or not as the witness saw it, as after the restore of a
   * backup: it is an entry of the audit for ever. Refused where there is nothing to accept.
   */
  readonly acceptRestore?: string;
  /**
   * Makes an emulator of it, for test suites that were written for one: a single port for all regions, which takes the
   * region from the signature and lets in everyone on this machine, whatever the signature, or without any. It never
   * opens the data directory of a server, nor a server that of an emulator.
   */
  readonly emulator?: "loopback";
  /** Port of the emulator; 0 takes a free one. Needs `emulator`. */
  readonly emulatorPort?: number;
  /**
   * What becomes of a region whose port is in use: by default nothing starts; `retried`: the other regions serve, and
   * its port is tried again until it is free. That all ports are in use is an error either way, unless the regions have
   * sockets.
   */
  readonly takenPorts?: "refused" | "retried";
  /**
   * Keeps room on the volume of the data directory, in `kms.sqlite.reserve`, so that what reads and what removes goes
   * on when it is full. Everything else is refused before that.
   */
  readonly reserve?: boolean;
  /**
   * How many days the audit keeps the texts of its entries: older ones become hashes, once a day, and an entry says so.
   * For ever by default.
   */
  readonly auditDays?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** What options are when they are not given. */
export const KMS_DEFAULTS = {
  regions: [{ name: "eu-west-1", port: 0 }],
  host: "127.0.0.1",
  accountId: "000000000000",
  rootKeyFile: "root.key",
  faultsPort: 0,
  emulatorRegion: "us-east-1",
  /** Not a server's `rootKeyFile`: the emulator reads none that it has not made. */
  emulatorRootKeyFile: "emulator-root.key",
} as const;

/** The options with their defaults in place. */
export interface SettledOptions {
  readonly dataDir: string;
  /** Whether the data directory is for this KMS only. */
  readonly dataDirLife: "kept" | "removed-on-close";
  readonly regions: readonly { readonly name: string; readonly port: number }[];
  readonly host: string;
  /** Null: plain HTTP. */
  readonly tls: TlsSource | null;
  /** Null: no sockets. */
  readonly socketDir: string | null;
  readonly rootKey: RootKeySource;
  readonly accountId: string;
  readonly principalsFile: PrincipalsFile | null;
  readonly strongroomUsers: "made" | null;
  readonly seed: SeedSource | null;
  /** Null: no control server. */
  readonly faultsPort: number | null;
  readonly witness: WitnessSource | null;
  readonly acceptRestore: string | null;
  /** Null: a server, with a port for each region. */
  readonly emulatorPort: number | null;
  readonly takenPorts: "refused" | "retried";
  readonly reserve: boolean;
  /** Null: for ever. */
  readonly auditDays: number | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

const port = z.int().min(0).max(65535);
const rootKey = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("file"), path: z.string().min(1) }),
  z.object({ kind: z.literal("passphrase"), passphrase: z.instanceof(Uint8Array) }),
  z.object({ kind: z.literal("command"), command: z.tuple([z.string().min(1)], z.string()) }),
]);
const witness = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("file"), path: z.string().min(1) }),
  z.object({ kind: z.literal("url"), url: z.string().min(1) }),
]);
const tls = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("own") }),
  z.object({ kind: z.literal("files"), certFile: z.string().min(1), keyFile: z.string().min(1) }),
]);
const schema = z.object({
  dataDir: z.string().min(1).optional(),
  regions: z
    .array(z.object({ name: z.string().regex(REGION_NAME, REGION_NAME_RULE), port }))
    .min(1)
    .refine(
      (regions) => new Set(regions.map((region) => region.name)).size === regions.length,
      "must not name a region twice",
    )
    .optional(),
  host: z.string().min(1).optional(),
  tls: tls.optional(),
  socketDir: z.string().min(1).optional(),
  rootKey: rootKey.optional(),
  accountId: z.string().regex(ACCOUNT_ID, ACCOUNT_ID_RULE).optional(),
  principalsFile: z.string().min(1).optional(),
  strongroomUsers: z.literal("made").optional(),
  allowFaults: z.literal("loopback").optional(),
  faultsPort: port.optional(),
  witness: witness.optional(),
  acceptRestore: z
    .string()
    .refine((reason) => reason.trim() !== "" && reason.length <= 1000, "must be a reason of at most 1000 characters")
    .optional(),
  allowReadablePrincipals: z.boolean().optional(),
  emulator: z.literal("loopback").optional(),
  emulatorPort: port.optional(),
  takenPorts: z.enum(["refused", "retried"]).optional(),
  reserve: z.boolean().optional(),
  auditDays: z.int().min(1).max(36_500).optional(),
});

const NAMES = [...Object.keys(schema.shape), "seed", "clock", "logger"];

/** What an emulator does not take, and why. */
function emulatorProblems(options: KmsOptions): readonly string[] {
  if (options.emulator === undefined) return options.emulatorPort === undefined ? [] : ["emulatorPort: needs emulator"];
  const problems: string[] = [];
  if (options.host !== undefined && !Object.hasOwn(LOOPBACK_HOSTS, options.host))
    problems.push(`host: an emulator listens on ${Object.keys(LOOPBACK_HOSTS).join(", ")} and nowhere else`);
  if (options.rootKey !== undefined) problems.push("rootKey: an emulator has one of its own, and is given no other");
  for (const name of ["tls", "socketDir", "strongroomUsers"] as const)
    if (options[name] !== undefined)
      problems.push(`${name}: an emulator lets in everyone on this machine, and has none`);
  if (options.allowFaults !== undefined)
    problems.push("allowFaults: an emulator has one port for all regions, and none can be taken away");
  return problems;
}

/** @throws KmsError `option-invalid`, naming every problem. */
export function settleOptions(given: KmsOptions): SettledOptions {
  const { values, problems: found } = ownOptions(given, NAMES, "the options of a KMS");
  const options = values as KmsOptions;
  const checked = schema.safeParse({ ...values });
  const problems = [
    ...found,
    ...(checked.error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`) ?? []),
    ...emulatorProblems(options),
  ];
  if (options.clock !== undefined && !hasMethods(options.clock, "now")) problems.push("clock: must be a clock");
  if (options.logger !== undefined && !hasMethods(options.logger, "info", "warn", "error"))
    problems.push("logger: must be a pino logger");
  if ("seed" in values && !["string", "object"].includes(typeof (values["seed"] ?? 0)))
    problems.push("seed: must be a file's name or a seed");
  if (options.faultsPort !== undefined && options.allowFaults === undefined)
    problems.push("faultsPort: needs allowFaults");
  if (problems.length > 0) throw new KmsError("option-invalid", `${problems.join("; ")}.`);
  const emulates = options.emulator !== undefined;
  const host = options.host ?? KMS_DEFAULTS.host;
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "strongroom-kms-"));
  return {
    dataDir,
    dataDirLife: options.dataDir === undefined ? "removed-on-close" : "kept",
    regions: options.regions ?? (emulates ? [{ name: KMS_DEFAULTS.emulatorRegion, port: 0 }] : KMS_DEFAULTS.regions),
    host: emulates ? (LOOPBACK_HOSTS[host] ?? KMS_DEFAULTS.host) : host,
    tls: options.tls ?? null,
    socketDir: options.socketDir ?? null,
    rootKey: options.rootKey ?? {
      kind: "file",
      path: join(dataDir, emulates ? KMS_DEFAULTS.emulatorRootKeyFile : KMS_DEFAULTS.rootKeyFile),
    },
    accountId: options.accountId ?? KMS_DEFAULTS.accountId,
    principalsFile:
      options.principalsFile === undefined
        ? null
        : {
            path: options.principalsFile,
            others: options.allowReadablePrincipals === true ? "may-read" : "may-not-read",
          },
    strongroomUsers: options.strongroomUsers ?? null,
    seed: options.seed ?? null,
    witness: options.witness ?? null,
    acceptRestore: options.acceptRestore ?? null,
    faultsPort: options.allowFaults === undefined ? null : (options.faultsPort ?? KMS_DEFAULTS.faultsPort),
    emulatorPort: emulates ? (options.emulatorPort ?? 0) : null,
    takenPorts: options.takenPorts ?? "refused",
    reserve: options.reserve ?? false,
    auditDays: options.auditDays ?? null,
    // A clock that can be put forward comes with the permission to inject faults only.
    clock: options.clock ?? (options.allowFaults === undefined ? systemClock : new AdjustableClock()),
    logger: options.logger ?? pino({ enabled: false }),
  };
}
