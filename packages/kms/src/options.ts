// The options of a KMS, checked once: every problem is named in one error.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { Logger } from "pino";
import { z } from "zod";
import { AdjustableClock, systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import type { RootKeySource } from "./crypto/root-key.ts";
import { KmsError } from "./errors.ts";
import type { SeedSource } from "./seed/read-seed.ts";

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
  /** By default the file root.key in the data directory, made at first start. */
  readonly rootKey?: RootKeySource;
  /** Twelve digits. */
  readonly accountId?: string;
  /** A principals file with users, roles and their access keys. */
  readonly principalsFile?: string;
  /** Keys to start with: a YAML or JSON file, or the seed itself. For tests. */
  readonly seed?: SeedSource;
  /** Opens the control port, through which anyone on this machine can stop regions and inject faults. */
  readonly allowFaults?: "loopback";
  /** Port of the control server; 0 takes a free one. Needs `allowFaults`. */
  readonly faultsPort?: number;
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
} as const;

/** The options with their defaults in place. */
export interface SettledOptions {
  readonly dataDir: string;
  /** Whether the data directory is for this KMS only. */
  readonly dataDirLife: "kept" | "removed-on-close";
  readonly regions: readonly { readonly name: string; readonly port: number }[];
  readonly host: string;
  readonly rootKey: RootKeySource;
  readonly accountId: string;
  readonly principalsFile: string | null;
  readonly seed: SeedSource | null;
  /** Null: no control server. */
  readonly faultsPort: number | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

const port = z.int().min(0).max(65535);
const rootKey = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("file"), path: z.string().min(1) }),
  z.object({ kind: z.literal("passphrase"), passphrase: z.instanceof(Uint8Array) }),
  z.object({ kind: z.literal("command"), command: z.tuple([z.string().min(1)], z.string()) }),
]);
const schema = z.object({
  dataDir: z.string().min(1).optional(),
  regions: z
    .array(
      z.object({ name: z.string().regex(/^(?:[a-z]+-){2,3}\d+$/, "must be a region's name such as eu-west-1"), port }),
    )
    .min(1)
    .refine(
      (regions) => new Set(regions.map((region) => region.name)).size === regions.length,
      "must not name a region twice",
    )
    .optional(),
  host: z.string().min(1).optional(),
  rootKey: rootKey.optional(),
  accountId: z
    .string()
    .regex(/^\d{12}$/, "must have twelve digits")
    .optional(),
  principalsFile: z.string().min(1).optional(),
  allowFaults: z.literal("loopback").optional(),
  faultsPort: port.optional(),
});

/** @throws KmsError `option-invalid`, naming every problem. */
export function settleOptions(options: KmsOptions): SettledOptions {
  const checked = schema.safeParse(options);
  const problems = checked.error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`) ?? [];
  if (options.faultsPort !== undefined && options.allowFaults === undefined)
    problems.push("faultsPort: needs allowFaults");
  if (problems.length > 0) throw new KmsError("option-invalid", `${problems.join("; ")}.`);
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "strongroom-kms-"));
  return {
    dataDir,
    dataDirLife: options.dataDir === undefined ? "removed-on-close" : "kept",
    regions: options.regions ?? KMS_DEFAULTS.regions,
    host: options.host ?? KMS_DEFAULTS.host,
    rootKey: options.rootKey ?? { kind: "file", path: join(dataDir, KMS_DEFAULTS.rootKeyFile) },
    accountId: options.accountId ?? KMS_DEFAULTS.accountId,
    principalsFile: options.principalsFile ?? null,
    seed: options.seed ?? null,
    faultsPort: options.allowFaults === undefined ? null : (options.faultsPort ?? KMS_DEFAULTS.faultsPort),
    // A clock that can be put forward comes with the permission to inject faults only.
    clock: options.clock ?? (options.allowFaults === undefined ? systemClock : new AdjustableClock()),
    logger: options.logger ?? pino({ enabled: false }),
  };
}
