// @strongroom/kms/command: the table of commands, for a program that mounts it; the settings whose rows it shares; and
// what `serve` says to a process that started it.

export { KMS_COMMANDS } from "./commands/table.ts";
export { KMS_COMMAND_GROUPS, KMS_PROGRAM } from "./program.ts";
export type { RootKeySetting } from "./root-key-setting.ts";
export { KMS_SETTINGS, LOCAL_REGIONS, loadKmsSettings, localRegions } from "./settings.ts";
export type { GivenKmsSettings, KmsLogLevel, KmsSettings, LocalRegion, WitnessSetting } from "./settings.ts";
export { fitsSockets, socketPath } from "../http/local-socket.ts";
export { STRONGROOM_USERS } from "../auth/strongroom-users.ts";
export { parseKmsMessage } from "./parent.ts";
export type { KmsMessage } from "./parent.ts";
