// `strongroom kms …`: the commands of `strongroom-kms`, on the KMS of the installation: the one that `strongroom up`
// made. A flag or a variable of the KMS's own goes before the configuration.
import { type CommandTable, mount, type SettingsGiven } from "@strongroom/base/command";
import type { GivenValue, SettingTable } from "@strongroom/base/settings";
import {
  KMS_COMMAND_GROUPS,
  KMS_COMMANDS,
  KMS_SETTINGS,
  type GivenKmsSettings,
  loadKmsSettings,
} from "@strongroom/kms/command";
import { CONFIG_FLAG, loadConfig } from "../config/load.ts";
import { SETTINGS } from "../config/settings.ts";
import { dataFolder } from "../data-folder.ts";

/** The KMS's settings, with what holds here where nothing is given. */
const table: SettingTable = {
  ...KMS_SETTINGS,
  dataDir: { ...KMS_SETTINGS.dataDir, standard: "kms in the data folder" },
  faultsPort: { ...KMS_SETTINGS.faultsPort, standard: String(SETTINGS.kms.faultsPort.default) },
  logLevel: { ...KMS_SETTINGS.logLevel, standard: SETTINGS.log.level.default },
};

/** The commands. */
export const KMS_TABLE: CommandTable<GivenKmsSettings> = mount(
  KMS_COMMANDS,
  KMS_COMMAND_GROUPS,
  {
    table,
    always: [],
    heading: "Settings (also in the environment and a file)",
    configFile: CONFIG_FLAG,
    load: loadKmsOfInstallation,
  },
  {
    prefix: "kms",
    group: { summary: "the key management server that speaks the AWS KMS API", heading: "Start" },
    examples: { from: "npx @strongroom/kms", to: "npx strongroom kms" },
  },
);

async function loadKmsOfInstallation(given: SettingsGiven): Promise<GivenKmsSettings> {
  // What is wrong with a flag of the KMS is said as `strongroom-kms` says it, and before the configuration's problems.
  loadKmsSettings(given);
  const { config } = await loadConfig({ ...given, flags: given.flags.flatMap(asConfiguration) });
  const { regions, rootKey, witness, auditDays, allowFaults, faultsPort } = config.kms;
  return loadKmsSettings(given, {
    dataDir: dataFolder(config.dataDir).kms,
    regions,
    rootKey,
    auditDays,
    ...(witness !== undefined && { witness }),
    allowFaults,
    ...(allowFaults && { faultsPort }),
    logLevel: config.log.level,
  });
}

/** The same value for the configuration, where that has the setting too: `regions` is `kms.regions` there. */
function asConfiguration(flag: GivenValue): GivenValue[] {
  return Object.hasOwn(SETTINGS.kms, flag.path) ? [{ ...flag, path: `kms.${flag.path}` }] : [];
}
