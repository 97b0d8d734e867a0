// The settings of a database, which are alike for the records and for the keys: where it is, who logs in, and by what
// its server is known.
import { asBoolean, asInteger, asPath, asText, type SettingGroup } from "@strongroom/base/settings";
import { z } from "zod";
import type { StoreSettings } from "./config.ts";
import { storeUrl } from "./store-url.ts";

/** What the settings of one database are made of: their names, and what is said of them. */
interface DatabaseRows {
  /** In variables: STRONGROOM_`env`. */
  readonly env: string;
  /** In flags: --`flag`. */
  readonly flag: string;
  /** Default of the schema. */
  readonly schema: string;
  /** Meaning of the URL, and what there is without one. */
  readonly url: string;
  readonly absent: string;
  readonly tables: string;
  /** What whoever is on the way reads of a connection without TLS. */
  readonly exposed: string;
}

const text = z.string().min(1, "must not be empty");
const schemaName = z
  .string()
  .regex(/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/, "must be a lower-case name of a schema, and no pg_…");
const connections = z.int("must be a whole number").min(2, "must be at least 2").max(500, "must be at most 500");

/** The rows. */
export function databaseSettings({ env, flag, ...rows }: DatabaseRows): SettingGroup<StoreSettings> {
  const variable = (name: string): string => `STRONGROOM_${env}${name}`;
  return {
    url: {
      group: "store",
      schema: storeUrl,
      standard: rows.absent,
      meaning: rows.url,
      ways: [{ env: variable(""), flag: `--${flag} <url>`, reading: asText }],
    },
    passwordFile: {
      group: "store",
      schema: text,
      standard: `${variable("_PASSWORD")}, or none`,
      meaning: "file that holds the password of the database's user",
      paths: [[]],
      ways: [{ env: variable("_PASSWORD_FILE"), flag: `--${flag}-password-file <file>`, reading: asPath }],
    },
    caFile: {
      group: "store",
      schema: text,
      standard: "the authorities that Node and this machine believe",
      meaning: "PEM file of the authorities that may have signed the certificate of the PostgreSQL server",
      paths: [[]],
      ways: [{ env: variable("_CA_FILE"), flag: `--${flag}-ca-file <file>`, reading: asPath }],
    },
    schema: {
      schema: schemaName,
      default: rows.schema,
      meaning: `schema of ${rows.tables} in PostgreSQL`,
      ways: [{ env: variable("_SCHEMA"), reading: asText }],
    },
    poolSize: {
      harmless: true,
      schema: connections,
      default: 10,
      meaning: "connections to PostgreSQL of one process, at most",
      ways: [{ env: variable("_POOL_SIZE"), reading: asInteger }],
    },
    allowUnauthenticatedStore: {
      schema: z.boolean("must be true or false"),
      default: false,
      meaning:
        "DANGEROUS: let PostgreSQL on another machine be reached without TLS, where whoever is on the way reads " +
        `${rows.exposed}, and takes the server's place`,
      ways: [{ env: `STRONGROOM_ALLOW_UNAUTHENTICATED_${env}`, reading: asBoolean }],
    },
  };
}
