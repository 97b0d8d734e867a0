// Who remembers the audit's newest checkpoint apart from the stores: as configured, else a file of the user's own.
import { dirname } from "node:path";
import type { Environment } from "@strongroom/base/settings";
import {
  fileWitness,
  isVaultError,
  type ObjectStoreClient,
  objectWitness,
  urlWitness,
  type Witness,
} from "@strongroom/vault";
import type { AuditWitnessSetting, Config } from "../config/config.ts";
import { CliError } from "../errors.ts";
import { ALL_ROLES, placeSettings, sqlitePath } from "../store/which.ts";
import { witnessFile } from "./witness-file.ts";

/** The client of an object store is no part of this package: whoever has such a witness installs it. */
const S3_MODULE = "@aws-sdk/client-s3";

/**
 * Makes them, of the vault with this id.
 *
 * @throws CliError `config-invalid`: a file that lies with what it is to be apart from, no client for an object store
 */
export async function openWitnesses(config: Config, vaultId: string, env: Environment): Promise<readonly Witness[]> {
  const apartFrom = storeFolders(config);
  try {
    if (config.audit.witness !== undefined)
      return await Promise.all(config.audit.witness.map((setting) => witnessOf(setting, apartFrom)));
    const path = witnessFile(vaultId, config.dataDir, env);
    return path === null ? [] : [fileWitness({ path, apartFrom, folder: "is-made" })];
  } catch (cause) {
    if (!isVaultError(cause)) throw cause;
    throw new CliError("config-invalid", { detail: `audit.witness: ${cause.message}.`, cause });
  }
}

async function witnessOf(setting: AuditWitnessSetting, apartFrom: readonly string[]): Promise<Witness> {
  switch (setting.kind) {
    case "file":
      return fileWitness({ path: setting.path, apartFrom });
    case "url":
      return urlWitness(setting.url);
    case "s3": {
      const { bucket, prefix, days, region } = setting;
      return objectWitness({ client: await objectClient(region), bucket, prefix, days });
    }
  }
}

interface S3Module {
  readonly S3: new (options: { readonly region?: string; readonly maxAttempts: number }) => ObjectStoreClient;
}

async function objectClient(region: string | undefined): Promise<ObjectStoreClient> {
  try {
    const { S3 } = (await import(S3_MODULE)) as S3Module;
    return new S3({ ...(region === undefined ? {} : { region }), maxAttempts: 1 });
  } catch (cause) {
    throw new CliError("config-invalid", {
      detail: `audit.witness names a bucket, and ${S3_MODULE} is not installed.`,
      remedy: `Install it beside strongroom: npm install ${S3_MODULE}.`,
      cause,
    });
  }
}

/** Where stores lie that are files: what copies one of these folders copies a witness in it, too. */
function storeFolders(config: Config): readonly string[] {
  const files = ALL_ROLES.filter((role) => placeSettings(config, role).settings.url === undefined);
  return [...new Set([config.dataDir, ...files.map((role) => dirname(sqlitePath(config, role)))])];
}
