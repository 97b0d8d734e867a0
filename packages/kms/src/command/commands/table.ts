// All commands, in the order of the help page.

import type { CommandSpec } from "../spec.ts";
import { auditVerifyCommand } from "./audit-verify.ts";
import { backupCommand, restoreCommand } from "./backup.ts";
import { healthCommand } from "./health.ts";
import { policyTestCommand } from "./policy-test.ts";
import { rekeyCommand } from "./rekey.ts";
import { seedCommand } from "./seed.ts";
import { serveCommand } from "./serve.ts";

export const COMMANDS: readonly CommandSpec[] = [
  serveCommand,
  healthCommand,
  seedCommand,
  backupCommand,
  restoreCommand,
  rekeyCommand,
  auditVerifyCommand,
  policyTestCommand,
];
