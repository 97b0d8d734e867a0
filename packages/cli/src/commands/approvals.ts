// `strongroom approvals …`: what two principals must agree on. Each acts by the token that is theirs.
import { oneOf } from "@strongroom/base/command";
import { printableCopy, renderTable, type Terminal } from "@strongroom/base/terminal";
import type { Approval, ApprovedAct } from "@strongroom/client";
import { command, type CommandSpec, option, withService } from "../command.ts";
import { CliError } from "../errors.ts";
import { WHY_OPTIONS } from "./audit-options.ts";

/** What may be asked for. */
const ACTIONS = ["retire-key", "lift-hold", "shred", "export"] as const;

const does = option("--action <action>", "what is to be done (default: retire-key)", oneOf(ACTIONS));

/** `strongroom approvals list`. */
export const approvalsListCommand: CommandSpec = command({
  name: "approvals list",
  heading: "Looking after it",
  summary: "list what is asked for and must be approved by somebody else",
  description:
    "With keys.fourEyes a key is retired, people's keys are shredded, a hold is lifted and a collection is exported " +
    "only if one principal has asked for it and another one has approved: each by the token that is theirs. A " +
    "request counts for seven days.",
  flagGroups: ["client"],
  options: { ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom approvals list", meaning: "what waits, and what may be done" }],
  run: withService(async (client, { context: { terminal } }) => {
    const approvals = await client.approvals.list();
    terminal.result({ approvals }, () => approvalsView(printableCopy(approvals), terminal));
  }),
});

/** `strongroom approvals request`. */
export const approvalsRequestCommand: CommandSpec = command({
  name: "approvals request",
  args: "<target>",
  heading: "Looking after it",
  summary: "ask for what another principal must approve: the retirement of a key, by its ARN",
  description: "What was asked for before stays as it is.",
  flagGroups: ["client"],
  options: { action: does, ...WHY_OPTIONS },
  examples: [
    { line: "npx strongroom approvals request ARN", meaning: "that the key is retired" },
    {
      line: "npx strongroom approvals request customers --action export",
      meaning: "that the collection is exported, as often as is wanted until it is out of date",
    },
  ],
  run: withService(async (client, { context: { terminal }, args, options }) => {
    const approval = await client.approvals.request(actOf(args, options.action));
    terminal.result(approval, (found) =>
      found.approvedBy === null
        ? "Asked for. Another principal approves it: strongroom approvals approve."
        : "It is approved already.",
    );
  }),
});

/** `strongroom approvals approve`. */
export const approvalsApproveCommand: CommandSpec = command({
  name: "approvals approve",
  args: "<target>",
  heading: "Looking after it",
  summary: "approve what another principal has asked for",
  description: "Who asks for it does not approve it: the token must be another one.",
  flagGroups: ["client"],
  options: { action: does, ...WHY_OPTIONS },
  examples: [
    { line: "npx strongroom approvals approve ARN --token-file other.token", meaning: "as the second of the two" },
  ],
  run: withService(async (client, { context: { terminal }, args, options }) => {
    const approval = await client.approvals.approve(actOf(args, options.action));
    terminal.result(approval, (found) => `Approved: it may be done until ${found.until}.`);
  }),
});

/** `strongroom approvals withdraw`. */
export const approvalsWithdrawCommand: CommandSpec = command({
  name: "approvals withdraw",
  args: "<target>",
  heading: "Looking after it",
  summary: "take a request back, approved or not",
  description: "Done when there is none.",
  flagGroups: ["client"],
  options: { action: does, ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom approvals withdraw ARN", meaning: "nobody is to retire the key" }],
  run: withService(async (client, { context: { terminal }, args, options }) => {
    const approvals = await client.approvals.withdraw(actOf(args, options.action));
    terminal.result({ approvals }, () => "It counts no more.");
  }),
});

function actOf([target = ""]: readonly string[], action: ApprovedAct["action"] = ACTIONS[0]): ApprovedAct {
  if (target === "")
    throw new CliError("usage", {
      detail: "What it is about is missing: of a key, its ARN; of an export, the collection.",
    });
  return { action, target };
}

function approvalsView(approvals: readonly Approval[], { width }: Terminal): string {
  if (approvals.length === 0) return "Nothing is asked for.";
  return renderTable(
    [
      { heading: "ACTION" },
      { heading: "ON" },
      { heading: "ASKED BY" },
      { heading: "APPROVED BY" },
      { heading: "UNTIL" },
    ],
    approvals.map(({ action, target, requestedBy, approvedBy, until }) => [
      action,
      target,
      requestedBy,
      approvedBy ?? "-",
      until.slice(0, 16),
    ]),
    width,
  );
}
