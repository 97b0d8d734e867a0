// Every setting that an environment variable or a flag can give, as one table: its path in the configuration, the
// variable's name, and how its text is read. Text that can not be read stays text, so that the schema refuses it by
// name.

/** How the text of a setting is read. */
type Reading = "text" | "path" | "integer" | "boolean" | "regions" | "root-key-file" | "passphrase-file";

/** One setting as a person gives it outside the configuration file. */
export interface Setting {
  /** Its path in the configuration, dotted. */
  readonly path: string;
  readonly env: string;
  readonly reading: Reading;
  readonly meaning: string;
}

/** The settings; each flag of the same meaning uses the same row (see command/config-flags.ts). */
export const SETTINGS: readonly Setting[] = [
  { path: "dataDir", env: "STRONGROOM_DATA_DIR", reading: "path", meaning: "the data folder" },
  { path: "service.host", env: "STRONGROOM_HOST", reading: "text", meaning: "address the service listens on" },
  { path: "service.port", env: "STRONGROOM_PORT", reading: "integer", meaning: "port of the service" },
  {
    path: "kms.regions",
    env: "STRONGROOM_KMS_REGIONS",
    reading: "regions",
    meaning: "regions of the local KMS: NAME=PORT,NAME=PORT",
  },
  {
    path: "kms.rootKey",
    env: "STRONGROOM_ROOT_KEY_FILE",
    reading: "root-key-file",
    meaning: "file of the local KMS's root key",
  },
  {
    path: "kms.rootKey",
    env: "STRONGROOM_PASSPHRASE_FILE",
    reading: "passphrase-file",
    meaning: "file that holds the passphrase of the root key",
  },
  {
    path: "kms.allowFaults",
    env: "STRONGROOM_ALLOW_FAULTS",
    reading: "boolean",
    meaning: "whether regions of the local KMS can be taken away",
  },
  {
    path: "kms.faultsPort",
    env: "STRONGROOM_FAULTS_PORT",
    reading: "integer",
    meaning: "port that takes regions away",
  },
  { path: "keys.minimum", env: "STRONGROOM_MINIMUM", reading: "integer", meaning: "wraps that a write must have" },
  { path: "keys.target", env: "STRONGROOM_TARGET", reading: "integer", meaning: "wraps that a write should have" },
  {
    path: "keys.attemptTimeoutMs",
    env: "STRONGROOM_ATTEMPT_TIMEOUT_MS",
    reading: "integer",
    meaning: "longest wait for one region",
  },
  {
    path: "keys.deadlineMs",
    env: "STRONGROOM_DEADLINE_MS",
    reading: "integer",
    meaning: "longest wait for all regions together",
  },
  {
    path: "keys.stragglerMinMs",
    env: "STRONGROOM_STRAGGLER_MIN_MS",
    reading: "integer",
    meaning: "shortest wait for wraps beyond the minimum",
  },
  {
    path: "repair.enabled",
    env: "STRONGROOM_REPAIR",
    reading: "boolean",
    meaning: "whether owed wraps are paid in the background",
  },
  {
    path: "repair.itemsPerSecond",
    env: "STRONGROOM_REPAIR_ITEMS_PER_SECOND",
    reading: "integer",
    meaning: "versions repaired per second, at most",
  },
  {
    path: "repair.atOnce",
    env: "STRONGROOM_REPAIR_AT_ONCE",
    reading: "integer",
    meaning: "versions under repair at the same time",
  },
  {
    path: "repair.intervalMs",
    env: "STRONGROOM_REPAIR_INTERVAL_MS",
    reading: "integer",
    meaning: "longest time between two looks for what is owed",
  },
  {
    path: "repair.leaseMs",
    env: "STRONGROOM_REPAIR_LEASE_MS",
    reading: "integer",
    meaning: "how long a process keeps what it claimed if it dies",
  },
  { path: "client.url", env: "STRONGROOM_URL", reading: "text", meaning: "URL of the service" },
  { path: "client.tokenFile", env: "STRONGROOM_TOKEN_FILE", reading: "path", meaning: "file that holds the token" },
  {
    path: "client.timeoutMs",
    env: "STRONGROOM_TIMEOUT_MS",
    reading: "integer",
    meaning: "longest wait for an answer of the service",
  },
  {
    path: "client.allowPlainHttp",
    env: "STRONGROOM_ALLOW_PLAIN_HTTP",
    reading: "boolean",
    meaning: "whether a token may travel over http://",
  },
  {
    path: "log.level",
    env: "STRONGROOM_LOG_LEVEL",
    reading: "text",
    meaning: "trace, debug, info, warn, error or fatal",
  },
];

/**
 * Variables of the same prefix that are no settings: the token itself (a secret, read where it is used) and the
 * configuration's path.
 */
export const OTHER_VARIABLES: readonly string[] = ["STRONGROOM_CONFIG", "STRONGROOM_TOKEN"];

/** Reads a setting's text; `resolve` makes a path absolute. */
export function readSetting(reading: Reading, value: string, resolve: (path: string) => string): unknown {
  switch (reading) {
    case "text":
      return value;
    case "path":
      return value === "" ? value : resolve(value);
    case "integer":
      return /^-?\d{1,15}$/.test(value) ? Number(value) : value;
    case "boolean":
      return BOOLEANS.get(value.toLowerCase()) ?? value;
    case "regions":
      return value.split(",").map((part) => readRegion(part.trim()));
    case "root-key-file":
      return { kind: "file", path: value === "" ? value : resolve(value) };
    case "passphrase-file":
      return { kind: "passphrase", path: value === "" ? value : resolve(value) };
  }
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["1", true],
  ["true", true],
  ["yes", true],
  ["0", false],
  ["false", false],
  ["no", false],
]);

/** "eu-west-1=8201" as `{ name, port }`. */
function readRegion(part: string): { name: string; port: unknown } {
  const [name = "", port = ""] = part.split("=", 2);
  return { name, port: /^\d{1,5}$/.test(port) ? Number(port) : port };
}
