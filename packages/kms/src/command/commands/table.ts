// All commands, in the order of the help page.

import type { CommandSpec } from "@strongroom/base/command";
import {
  auditCheckpointCommand,
  auditKeyCommand,
  auditProveCommand,
  auditPruneCommand,
  auditVerifyCommand,
} from "./audit.ts";
import { backupCommand, restoreCommand } from "./backup.ts";
import { healthCommand } from "./health.ts";
import { policyTemplateCommand } from "./policy-template.ts";
import { policyTestCommand } from "./policy-test.ts";
import { rekeyCommand } from "./rekey.ts";
import { rowsAcceptCommand } from "./rows-accept.ts";
import { seedCommand } from "./seed.ts";
import { serveCommand } from "./serve.ts";

/** Every command of the KMS. */
export const KMS_COMMANDS: readonly CommandSpec[] = [
  serveCommand,
  healthCommand,
  seedCommand,
  backupCommand,
  restoreCommand,
  rekeyCommand,
  auditVerifyCommand,
  auditCheckpointCommand,
  auditKeyCommand,
  auditProveCommand,
  auditPruneCommand,
  rowsAcceptCommand,
  policyTestCommand,
  policyTemplateCommand,
];
