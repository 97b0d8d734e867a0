// The commands of an installation, in the order in which help lists them. Those of its KMS are in kms.ts.
import type { CommandGroup } from "@strongroom/base/command";
import type { CommandSpec } from "../command/spec.ts";
import { doctorCommand } from "./doctor.ts";
import { drillCommand } from "./drill.ts";
import { exportCommand } from "./export.ts";
import { getCommand } from "./get.ts";
import { historyCommand } from "./history.ts";
import { importCommand } from "./import.ts";
import { inspectCommand } from "./inspect.ts";
import { listCommand } from "./list.ts";
import { putCommand } from "./put.ts";
import { regionsCommand } from "./regions.ts";
import { regionsDebtCommand } from "./regions-debt.ts";
import { rmCommand } from "./rm.ts";
import { serveCommand } from "./serve.ts";
import { tokenCreateCommand, tokenListCommand, tokenRevokeCommand } from "./token.ts";
import { upCommand } from "./up.ts";

/** Every command. */
export const COMMANDS: readonly CommandSpec[] = [
  upCommand,
  serveCommand,
  putCommand,
  getCommand,
  rmCommand,
  historyCommand,
  listCommand,
  importCommand,
  exportCommand,
  regionsCommand,
  regionsDebtCommand,
  tokenCreateCommand,
  tokenListCommand,
  tokenRevokeCommand,
  inspectCommand,
  doctorCommand,
  drillCommand,
];

/** What help says of the words before a command's last one. */
export const COMMAND_GROUPS: Readonly<Record<string, CommandGroup>> = {
  token: { summary: "the tokens that programs show to the service", heading: "Looking after it" },
};
