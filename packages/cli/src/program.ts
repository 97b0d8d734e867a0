// The command `strongroom`: the table of its commands, with the settings of an installation.
import type { CommandGroup, CommandTable, ProgramSpec } from "@strongroom/base/command";
import packageJson from "../package.json" with { type: "json" };
import type { CommandSpec } from "./command.ts";
import {
  auditAccessLogCommand,
  auditCheckpointCommand,
  auditExportCommand,
  auditTailCommand,
  auditVerifyCommand,
  auditWhatDidCommand,
  auditWhoReadCommand,
} from "./commands/audit.ts";
import { backupCommand } from "./commands/backup.ts";
import { collectionLeakageCommand, collectionListCommand, collectionPlanCommand } from "./commands/collection/look.ts";
import {
  collectionApplyCommand,
  collectionDropCommand,
  collectionRotateKeyCommand,
} from "./commands/collection/work.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { drillCommand } from "./commands/drill.ts";
import {
  certificateCompleteCommand,
  certificateShowCommand,
  certificateVerifyCommand,
  eraseCommand,
  erasuresExportCommand,
  holdLiftCommand,
  holdListCommand,
  holdSetCommand,
} from "./commands/erase.ts";
import { exportCommand } from "./commands/export.ts";
import { findCommand } from "./commands/find.ts";
import { getCommand } from "./commands/get.ts";
import { historyCommand } from "./commands/history.ts";
import { importCommand } from "./commands/import.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { jobsCommand } from "./commands/jobs.ts";
import {
  approvalsApproveCommand,
  approvalsListCommand,
  approvalsRequestCommand,
  approvalsWithdrawCommand,
} from "./commands/approvals.ts";
import { keysApplyCommand } from "./commands/keys/apply.ts";
import { keysCostCommand } from "./commands/keys/cost.ts";
import { keysDrillCommand } from "./commands/keys/drill.ts";
import { keysFailuresCommand, keysInventoryCommand } from "./commands/keys/listings.ts";
import { keysPlanCommand } from "./commands/keys/plan.ts";
import {
  keysCancelCommand,
  keysPauseCommand,
  keysResumeCommand,
  keysStatusCommand,
  keysUndoCommand,
} from "./commands/keys/run.ts";
import { keysReportCommand, keysRetireCommand } from "./commands/keys/retire.ts";
import { keysRotateCommand, keysShredCommand } from "./commands/keys/rotate.ts";
import { KMS_TABLE } from "./commands/kms.ts";
import {
  personConsentCommand,
  personConsentsCommand,
  personExportCommand,
  personRecipientsCommand,
  personRectifyCommand,
  personReleaseCommand,
  personRestrictCommand,
  personShowCommand,
} from "./commands/person.ts";
import {
  auditExposureCommand,
  processingReportCommand,
  retentionPlanCommand,
  retentionRunCommand,
} from "./commands/retention.ts";
import { listCommand } from "./commands/list.ts";
import { policyShowCommand, policyTestCommand } from "./commands/policy.ts";
import { MOVE_COMMANDS } from "./commands/move.ts";
import { putCommand } from "./commands/put.ts";
import { regionsCommand, regionsDebtCommand } from "./commands/regions.ts";
import { restoreCommand } from "./commands/restore.ts";
import { rmCommand } from "./commands/rm.ts";
import { serveCommand } from "./commands/serve.ts";
import { storeFlipCommand, storeMigrateCommand, storeStatusCommand } from "./commands/store.ts";
import { tokenCreateCommand, tokenListCommand, tokenRevokeCommand } from "./commands/token.ts";
import { TRUST_TABLE } from "./commands/trust.ts";
import { upCommand } from "./commands/up.ts";
import { verifyCommand } from "./commands/verify.ts";
import { INSTALLATION_SETTINGS, type LoadedConfig } from "./config/load.ts";

/** The commands of an installation, in the order in which help lists them. Those of its KMS are in kms.ts. */
const COMMANDS: readonly CommandSpec[] = [
  upCommand,
  serveCommand,
  putCommand,
  getCommand,
  rmCommand,
  historyCommand,
  listCommand,
  findCommand,
  importCommand,
  exportCommand,
  ...MOVE_COMMANDS,
  auditTailCommand,
  auditWhoReadCommand,
  auditWhatDidCommand,
  auditVerifyCommand,
  auditCheckpointCommand,
  auditAccessLogCommand,
  auditExportCommand,
  auditExposureCommand,
  personShowCommand,
  personExportCommand,
  personRestrictCommand,
  personReleaseCommand,
  personRectifyCommand,
  personConsentCommand,
  personConsentsCommand,
  personRecipientsCommand,
  retentionPlanCommand,
  retentionRunCommand,
  processingReportCommand,
  regionsCommand,
  regionsDebtCommand,
  jobsCommand,
  collectionListCommand,
  collectionPlanCommand,
  collectionApplyCommand,
  collectionLeakageCommand,
  collectionRotateKeyCommand,
  collectionDropCommand,
  keysRotateCommand,
  keysShredCommand,
  keysPlanCommand,
  keysApplyCommand,
  keysStatusCommand,
  keysPauseCommand,
  keysResumeCommand,
  keysCancelCommand,
  keysUndoCommand,
  keysFailuresCommand,
  keysInventoryCommand,
  keysCostCommand,
  keysRetireCommand,
  keysReportCommand,
  keysDrillCommand,
  approvalsListCommand,
  approvalsRequestCommand,
  approvalsApproveCommand,
  approvalsWithdrawCommand,
  eraseCommand,
  holdSetCommand,
  holdLiftCommand,
  holdListCommand,
  certificateVerifyCommand,
  certificateShowCommand,
  certificateCompleteCommand,
  erasuresExportCommand,
  storeStatusCommand,
  storeMigrateCommand,
  storeFlipCommand,
  tokenCreateCommand,
  tokenListCommand,
  tokenRevokeCommand,
  policyTestCommand,
  policyShowCommand,
  backupCommand,
  restoreCommand,
  verifyCommand,
  inspectCommand,
  doctorCommand,
  drillCommand,
];

/** What help says of the words before a command's last one. */
const COMMAND_GROUPS: Readonly<Record<string, CommandGroup>> = {
  approvals: { summary: "what two principals must agree on", heading: "Looking after it" },
  audit: { summary: "who did what: entries, proofs, and whether the log is whole", heading: "Audit" },
  collection: {
    summary: "what records are found by: what is declared, what there is, what it tells",
    heading: "Looking after it",
  },
  hold: { summary: "legal holds: who may not be erased for now", heading: "People" },
  certificate: { summary: "certificates of erasures", heading: "People" },
  erasures: { summary: "the ledger of erasures and holds", heading: "People" },
  keys: {
    summary: "the keys that records hang on: under which keys they lie, other keys, what they cost",
    heading: "Looking after it",
  },
  person: { summary: "what people may ask of whoever keeps their data", heading: "People" },
  retention: { summary: "what has stayed as long as is declared, and its removal", heading: "People" },
  policy: { summary: "what roles may, and which rule decides", heading: "Looking after it" },
  move: { summary: "an application's table into the vault, in stages", heading: "Moving data" },
  store: {
    summary: "where the records, the keys and the audit lie: their state, their schemas, their key sets",
    heading: "Looking after it",
  },
  token: { summary: "the tokens that programs show to the service", heading: "Looking after it" },
};

const table: CommandTable<LoadedConfig> = {
  commands: COMMANDS,
  groups: COMMAND_GROUPS,
  settings: INSTALLATION_SETTINGS,
};

/** The program, as `runProgram` runs it. */
export const PROGRAM: ProgramSpec = {
  name: "strongroom",
  version: packageJson.version,
  description: "A vault for personal data: sealed under a key for each person, which KMS keys in several regions wrap.",
  startHere: "strongroom up",
  tables: [table, TRUST_TABLE, KMS_TABLE],
  completionHeading: "Looking after it",
};
