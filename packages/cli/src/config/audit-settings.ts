// The settings of the audit: where its log lies, who remembers its checkpoints apart from it, and how long it is kept.
import {
  asInteger,
  asListOf,
  asPath,
  asPathOrUrl,
  asText,
  isUrl,
  type Reading,
  type SettingGroup,
} from "@strongroom/base/settings";
import { z } from "zod";
import type { AuditSettings, AuditWitnessSetting } from "./config.ts";
import { databaseSettings } from "./database-settings.ts";
import { readStoreUrl } from "./store-url.ts";

const DATABASE = databaseSettings({
  env: "AUDIT_STORE",
  flag: "audit-store",
  schema: "strongroom_audit",
  url: "",
  absent: "",
  tables: "the tables of the audit's log",
  exposed: "which principal did what",
});

/** A path, or the URL of a database. */
const place = z
  .string()
  .min(1, "must not be empty")
  .superRefine((text, context) => {
    if (!isUrl(text)) return;
    const read = readStoreUrl(text);
    if ("problem" in read) context.addIssue(read.problem.replaceAll(/\b(?:store\.|STRONGROOM_STORE)/g, inAudit));
  });

const inAudit = (name: string): string => (name === "store." ? "audit." : "STRONGROOM_AUDIT_STORE");

/** Days for which an object is locked where a URL does not say it. */
const LOCK_DAYS = 400;
const RULE = "must be a file, http(s)://HOST/…#KEY, or s3://BUCKET/PREFIX?region=REGION&days=DAYS";

const witness: z.ZodType<AuditWitnessSetting> = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("file"), path: z.string().min(1, "must not be empty") }),
    z.strictObject({ kind: z.literal("url"), url: z.string().regex(/^https?:\/\/./, RULE) }),
    z.strictObject({
      kind: z.literal("s3"),
      bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be a bucket's name"),
      prefix: z.string().max(512),
      region: z
        .string()
        .regex(/^[a-z0-9-]{1,32}$/, "must be a region")
        .optional(),
      days: z.int().min(1).max(36_500),
    }),
  ],
  `${RULE}; in a configuration file { kind: "file", path }, { kind: "url", url } or { kind: "s3", bucket, prefix, days }`,
);

/** What a flag or a variable says of a witness. */
function asWitness(text: string, cwd: string): unknown {
  if (/^https?:\/\//.test(text)) return { kind: "url", url: text };
  if (!text.startsWith("s3://")) return { kind: "file", path: asPath(text, cwd) };
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return text;
  const { region, days = String(LOCK_DAYS), ...others } = Object.fromEntries(url.searchParams);
  if (Object.keys(others).length > 0 || url.hash !== "" || url.username !== "") return text;
  return {
    kind: "s3",
    bucket: url.hostname,
    prefix: url.pathname.slice(1),
    ...(region === undefined ? {} : { region }),
    days: asInteger(days, cwd),
  };
}

const asWitnesses: Reading = (text, cwd) => (text === "none" ? [] : asListOf(asWitness)(text, cwd));

/** The rows. */
export const AUDIT_SETTINGS: SettingGroup<AuditSettings> = {
  store: {
    group: "store",
    schema: place,
    standard: "audit.sqlite in the data folder; with store.url, the same database in a schema of its own",
    meaning:
      "where the audit's log lies: the path of a SQLite file, or a URL as store.url; better in another place than " +
      "records and keys, and backed up apart from them",
    paths: [[]],
    urls: true,
    ways: [{ env: "STRONGROOM_AUDIT_STORE", flag: "--audit-store <path|url>", reading: asPathOrUrl }],
  },
  passwordFile: DATABASE.passwordFile,
  caFile: DATABASE.caFile,
  schema: DATABASE.schema,
  poolSize: DATABASE.poolSize,
  allowUnauthenticatedStore: DATABASE.allowUnauthenticatedStore,
  witness: {
    group: "audit-log",
    schema: z.array(witness).max(8, "must be 8 at most"),
    standard: "a file of this user's own, outside of the data folder (~/.local/state/strongroom/witness)",
    meaning:
      "where the audit's newest checkpoint is kept as well, apart from the stores: a file, the address of a witness " +
      "(c2sp.org/tlog-witness) with its verifier key after a #, or s3://BUCKET/PREFIX?region=…&days=… with object " +
      "lock; several with commas; none for none",
    paths: [["*", "path"]],
    ways: [{ env: "STRONGROOM_AUDIT_WITNESS", flag: "--audit-witness <places>", reading: asWitnesses }],
  },
  principal: {
    group: "audit-log",
    schema: z
      .string()
      .regex(
        /^(?!strongroom:|token:|anonymous$)[A-Za-z0-9._:@/+=-]{1,128}$/,
        "must be 1 to 128 characters of A-Za-z0-9._:@/+=- and neither anonymous, token:… nor strongroom:…",
      ),
    default: "local",
    meaning: "who the audit says does what no token asked for: an id that never changes, and nobody's name",
    ways: [{ env: "STRONGROOM_AUDIT_PRINCIPAL", flag: "--audit-principal <id>", reading: asText }],
  },
  retention: {
    group: "audit-log",
    schema: z
      .int("must be a whole number of days")
      .min(0, "must be at least 0")
      .max(36_500, "must be at most 36500 days (100 years)"),
    default: 0,
    standard: "0: for ever",
    meaning: "days for which the audit keeps the texts of its entries; what is hashed of them stays",
    ways: [{ env: "STRONGROOM_AUDIT_RETENTION", flag: "--audit-retention <days>", reading: asInteger }],
  },
  acceptTailMs: {
    schema: z
      .int("must be a whole number of milliseconds")
      .min(0, "must be at least 0")
      .max(600_000, "must be at most 600000"),
    default: 0,
    standard: "0: none",
    meaning:
      "how much of the newest a store may lack after a standby without synchronous replication took over, in " +
      "milliseconds, and is taken all the same; it is an entry of the audit, and an alarm",
    ways: [{ env: "STRONGROOM_AUDIT_ACCEPT_TAIL_MS", reading: asInteger }],
  },
};
