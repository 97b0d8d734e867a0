// Where everything lies in the data folder. docs/architecture.md describes the same list.
import { join } from "node:path";

/** Absolute paths of the files in one data folder. */
export interface DataFolder {
  readonly path: string;
  /** Records: heads, messages, missing wraps. */
  readonly vault: string;
  /** Hashes and scopes of the API tokens. */
  readonly tokens: string;
  /** The first administrator's token, which the client commands on this machine pick up. */
  readonly token: string;
  /** The same token as an HTTP header, for `curl -H @FILE`. */
  readonly tokenHeader: string;
  /** Region -> key ARN. */
  readonly keys: string;
  /** Where the service and the KMS of a running `strongroom up` listen. */
  readonly running: string;
  readonly log: string;
  /** Held while `strongroom up` runs. */
  readonly lock: string;
  /** Held while `strongroom drill` runs. */
  readonly drillLock: string;
  readonly kms: string;
  readonly kmsDatabase: string;
  readonly kmsRootKey: string;
  readonly kmsCredentials: string;
}

/** The layout under `path`, which must be absolute. */
export function dataFolder(path: string): DataFolder {
  const kms = join(path, "kms");
  return {
    path,
    vault: join(path, "vault.sqlite"),
    tokens: join(path, "tokens.json"),
    token: join(path, "token"),
    tokenHeader: join(path, "token.header"),
    keys: join(path, "keys.json"),
    running: join(path, "running.json"),
    log: join(path, "strongroom.log"),
    lock: join(path, "up.lock"),
    drillLock: join(path, "drill.lock"),
    kms,
    kmsDatabase: join(kms, "kms.sqlite"),
    kmsRootKey: join(kms, "root.key"),
    kmsCredentials: join(kms, "credentials.json"),
  };
}
