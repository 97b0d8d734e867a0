// Loads the configuration: file, environment and flags, later ones winning, validated once, with what must hold
// between settings. A mistake in any of them is refused, never replaced by a default, and every problem is listed with
// where its value came from.
import { resolve } from "node:path";
import type { SettingsSource } from "@strongroom/base/command";
import {
  type Environment,
  givenByEnvironment,
  isUrl,
  type GivenValue,
  mistypedVariables,
  problemLine,
  type SettingProblem,
  type SettingTable,
  settingsIn,
  settle,
} from "@strongroom/base/settings";
import { LOCAL_REGIONS, localRegions } from "@strongroom/kms/command";
import { z } from "zod";
import { CliError } from "../errors.ts";
import type { Config, WrappingRegion } from "./config.ts";
import { loadNormalisers } from "./fields.ts";
import { findConfigFile, readConfigFile, requireBelieved } from "./file.ts";
import { configSchema, OTHER_VARIABLES, SETTINGS } from "./settings.ts";
import { isOnThisMachine, type PostgresPlace, readStoreUrl } from "./store-url.ts";
import { wrappingRegions } from "./wrapping-regions.ts";

/** What the configuration is made from. */
export interface ConfigSources {
  readonly cwd: string;
  readonly env: Environment;
  /** The file named by --config; else STRONGROOM_CONFIG; else the one in the working folder. */
  readonly file?: string | undefined;
  readonly flags?: readonly GivenValue[];
}

/** The configuration and the file that it came from, if any. */
export interface LoadedConfig {
  readonly config: Config;
  readonly file: string | null;
  /** Dotted path -> where its value came from: a file, a variable or a flag. Settings at their default are absent. */
  readonly origins: ReadonlyMap<string, string>;
}

const table: SettingTable = { ...SETTINGS };

/** What help says of --config. */
export const CONFIG_FLAG = "configuration file (default: strongroom.config.json, .js or .ts here)";

/** The settings of the commands of an installation. */
export const INSTALLATION_SETTINGS: SettingsSource<LoadedConfig> = {
  table,
  always: ["files"],
  heading: "Settings (also in the environment and a file)",
  configFile: CONFIG_FLAG,
  load: loadConfig,
};

/**
 * Loads the configuration. Throws `config-unreadable`, `config-invalid` with every problem listed, and
 * `config-not-trusted`.
 */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const { cwd, env, flags = [] } = sources;
  const named = sources.file ?? (env["STRONGROOM_CONFIG"] === "" ? undefined : env["STRONGROOM_CONFIG"]);
  const source = findConfigFile(cwd, named, env);
  const file = source === null ? null : { path: source.path, value: await readConfigFile(source, table) };
  // No flag and no variable declares any.
  const read: unknown = file?.value;
  if (typeof read === "object" && read !== null && "collections" in read) await loadNormalisers();
  const { values, problems, raw, origins } = settle({
    schema: configSchema,
    raw: file?.value ?? {},
    rawOrigin: file?.path,
    given: [...givenByEnvironment(table, env, cwd), ...flags],
  });
  const lines = [
    ...[...problems, ...relationProblems(raw)].map((problem) => problemLine(problem, origins)),
    ...mistypedVariables({ prefix: "STRONGROOM_", table, others: OTHER_VARIABLES }, env),
  ];
  if (values === null || lines.length > 0) {
    throw new CliError("config-invalid", {
      detail: lines.length === 1 ? "There is 1 problem:" : `There are ${lines.length} problems:`,
      problems: lines,
    });
  }
  if (source !== null) requireBelieved(source, powersOf(file?.path ?? "", origins));
  return { config: { ...values, dataDir: resolve(cwd, values.dataDir) }, file: file?.path ?? null, origins };
}

/** The settings that a file gives, that nothing later replaced, and that a file must be believed for. */
function powersOf(file: string, origins: LoadedConfig["origins"]): readonly string[] {
  const settings = settingsIn(table);
  const powers = [...origins].flatMap(([path, origin]) => {
    const row = settings.find((one) => path === one.path || path.startsWith(`${one.path}.`));
    return origin === file && row?.setting.harmless !== true ? [path.replace(SCHEMA, "$1")] : [];
  });
  return [...new Set(powers)];
}

/** A schema is one thing, however much there is in it, and so are the fields of a collection. */
const SCHEMA = /^(collections\.[^.]+\.(?:schema|fields|indexes))\..*/;

const lenientLogin = {
  passwordFile: z.string().optional().catch(undefined),
  caFile: z.string().optional().catch(undefined),
  schema: z.string().optional().catch(undefined),
  allowUnauthenticatedStore: z.boolean().optional().catch(undefined),
};

const lenientStore = z
  .object({ url: z.string().optional().catch(""), ...lenientLogin })
  .optional()
  .catch(undefined);

const lenientAudit = z
  .object({ store: z.string().optional().catch(""), ...lenientLogin })
  .optional()
  .catch(undefined);

const lenient = z.object({
  store: lenientStore,
  keyStore: lenientStore,
  audit: lenientAudit,
  kms: z
    .object({ regions: localRegions.optional().catch(undefined) })
    .optional()
    .catch(undefined),
  keys: z
    .object({
      regions: wrappingRegions.optional().catch(undefined),
      next: wrappingRegions.optional().catch(undefined),
      minimum: z.int().optional().catch(undefined),
      target: z.int().optional().catch(undefined),
      attemptTimeoutMs: z.number().optional().catch(undefined),
      deadlineMs: z.number().optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

/**
 * What does not hold between settings whose own form is right; those that are wrong themselves are left to the schema.
 * Checked on the raw values, beside the schema and not after it, so that one run lists every problem.
 */
function relationProblems(raw: unknown): SettingProblem[] {
  const { kms, keys, store, keyStore, audit } = lenient.catch({}).parse(raw);
  const count = (keys?.regions ?? kms?.regions ?? LOCAL_REGIONS).length;
  const target = keys?.target ?? count;
  return [
    ...duplicates(
      ["kms", "regions"],
      kms?.regions?.map(({ name }) => name),
      "region",
    ),
    ...duplicates(
      ["kms", "regions"],
      kms?.regions?.map(({ port }) => port).filter((port) => port !== 0),
      "port",
    ),
    ...duplicates(
      ["keys", "regions"],
      keys?.regions?.map(({ region }) => region),
      "region",
    ),
    ...duplicates(
      ["keys", "next"],
      keys?.next?.map(({ region }) => region),
      "region",
    ),
    ...(["regions", "next"] as const).flatMap((list) => [
      ...foreignKeys(list, keys?.[list]),
      ...mixedKeys(list, keys?.[list]),
    ]),
    ...otherGeneration(keys),
    ...storeProblems(["store", "url"], store),
    ...storeProblems(["keyStore", "url"], keyStore),
    ...storeProblems(["audit", "store"], auditUrl(audit)),
    ...sharedPlaces(store, keyStore, audit),
    ...when(
      (keys?.target ?? 0) > count,
      ["keys", "target"],
      `asks for ${target} wraps, but there are ${count} regions`,
    ),
    ...when(
      (keys?.minimum ?? 0) > target,
      ["keys", "minimum"],
      `asks for ${keys?.minimum ?? 0} wraps, but at most ${target} are made (keys.target, or the number of regions)`,
    ),
    ...when(
      (keys?.attemptTimeoutMs ?? 0) > (keys?.deadlineMs ?? Infinity),
      ["keys", "attemptTimeoutMs"],
      "is longer than keys.deadlineMs, so a second region would never be tried",
    ),
  ];
}

function when(holds: boolean, path: SettingProblem["path"], message: string): SettingProblem[] {
  return holds ? [{ path, message }] : [];
}

function duplicates(
  path: SettingProblem["path"],
  values: readonly (string | number)[] | undefined,
  what: string,
): SettingProblem[] {
  const twice = new Set(values?.filter((value, index) => values.indexOf(value) !== index));
  return [...twice].map((value) => ({ path, message: `names the ${what} ${value} twice` }));
}

/** A key is used through the endpoint of its own region: the signature's scope names it. */
function foreignKeys(list: "regions" | "next", regions: readonly WrappingRegion[] = []): SettingProblem[] {
  return regions.flatMap((one, index) =>
    (["keyArn", "keyStoreKeyArn"] as const).flatMap((name) => {
      const keyRegion = one[name]?.split(":")[3] ?? one.region;
      return when(
        keyRegion !== one.region,
        ["keys", list, index, name],
        `is a key of ${keyRegion}, but the region is ${one.region}`,
      );
    }),
  );
}

/**
 * Keys of people are wrapped in all regions by keys that wrap nothing else, or in none: where one wraps other things
 * too, destroying it destroys those.
 */
function mixedKeys(list: "regions" | "next", regions: readonly WrappingRegion[] = []): SettingProblem[] {
  const without = regions.filter(({ keyStoreKeyArn }) => keyStoreKeyArn === undefined).map(({ region }) => region);
  const shared = regions.findIndex(({ keyArn, keyStoreKeyArn }) => keyArn !== undefined && keyArn === keyStoreKeyArn);
  return [
    ...when(
      without.length > 0 && without.length < regions.length,
      ["keys", list],
      `must have a keyStoreKeyArn in every region or in none; lacking: ${without.join(", ")}`,
    ),
    ...when(
      shared >= 0,
      ["keys", list, shared, "keyStoreKeyArn"],
      "is the keyArn too: the keys of people need a key that wraps nothing else. Make one, or leave it out",
    ),
  ];
}

/** What is wrapped by a key of its own stays so: the next set replaces the keys, and not what they are for. */
function otherGeneration(
  keys: Readonly<Partial<Record<"regions" | "next", readonly WrappingRegion[] | undefined>>> = {},
) {
  const hasOwn = (regions: readonly WrappingRegion[] = []): boolean =>
    regions.some(({ keyStoreKeyArn }) => keyStoreKeyArn !== undefined);
  return when(
    keys.regions !== undefined && keys.next !== undefined && hasOwn(keys.regions) !== hasOwn(keys.next),
    ["keys", "next"],
    "must have a keyStoreKeyArn where keys.regions has them, and none where it has none",
  );
}

/** What is said of a database, where the audit's log lies in one; of a file nothing is. */
function auditUrl(audit: GivenAudit | undefined): GivenStore | undefined {
  if (audit === undefined) return undefined;
  const { store, ...login } = audit;
  return { ...login, url: store !== undefined && isUrl(store) ? store : undefined };
}

/** A server is proven by TLS, or is on this machine, or somebody said that it need not be. */
function storeProblems(at: readonly [group: string, name: string], store: GivenStore | undefined): SettingProblem[] {
  if (store?.url === undefined) return [];
  const place = readStoreUrl(store.url);
  if ("problem" in place) return [];
  const [group] = at;
  return [
    ...when(
      place.tls === "plain" && !isOnThisMachine(place) && store.allowUnauthenticatedStore !== true,
      at,
      `says sslmode=disable of another machine: leave that out, and say in ${group}.caFile who signed the server's ` +
        `certificate. Where nobody else can be on the way: ${group}.allowUnauthenticatedStore`,
    ),
    ...when(
      place.tls === "plain" && store.caFile !== undefined,
      [group, "caFile"],
      "is of no use with sslmode=disable",
    ),
    ...when(
      place.tls === "verified" && place.host.startsWith("/"),
      at,
      "asks for TLS over a socket, which PostgreSQL does not offer: leave sslmode out",
    ),
  ];
}

/** Each lies in a schema of its own, and what is said of a server says which one it is. */
function sharedPlaces(store: GivenStore = {}, keyStore: GivenStore = {}, audit: GivenAudit = {}): SettingProblem[] {
  const placeOf = (url: string | undefined, schema: string): string | null => {
    const place = url === undefined || !isUrl(url) ? null : readStoreUrl(url);
    return place === null || "problem" in place ? null : `${whereText(place)} ${schema}`;
  };
  const records = placeOf(store.url, store.schema ?? "strongroom");
  const keys = placeOf(keyStore.url ?? store.url, keyStore.schema ?? "strongroom_keys");
  const log = placeOf(audit.store ?? store.url, audit.schema ?? "strongroom_audit");
  const same = (one: string | null, other: string | null): boolean => one !== null && one === other;
  return [
    ...(["passwordFile", "caFile"] as const).flatMap((name) => [
      ...when(
        store.url !== undefined && keyStore.url === undefined && keyStore[name] !== undefined,
        ["keyStore", name],
        "is of no use without keyStore.url: the keys lie where the records do, and the same login reaches them",
      ),
      ...when(
        store.url !== undefined && audit.store === undefined && audit[name] !== undefined,
        ["audit", name],
        "is of no use without audit.store: the log lies where the records do, and the same login reaches it",
      ),
    ]),
    ...when(
      same(records, keys),
      ["keyStore", "schema"],
      `is the schema of the records (${store.schema ?? "strongroom"}) in the same database: the keys need one of their own`,
    ),
    ...when(
      same(log, records) || same(log, keys),
      ["audit", "schema"],
      "is the schema of the records or of the keys in the same database: the log needs one of its own",
    ),
  ];
}

/** Whoever logs in, a schema is the database's. */
const whereText = ({ host, port, database }: PostgresPlace): string => `${host}:${port}/${database}`;

interface GivenStore {
  readonly url?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly caFile?: string | undefined;
  readonly schema?: string | undefined;
  readonly allowUnauthenticatedStore?: boolean | undefined;
}

interface GivenAudit extends Omit<GivenStore, "url"> {
  readonly store?: string | undefined;
}
