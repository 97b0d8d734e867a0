// `strongroom keys retire`: the proof that a key is needed no more, and `strongroom keys report`, which reads its
// report anywhere.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { given, text, wholeNumber } from "@strongroom/base/command";
import { systemReason } from "@strongroom/base/files";
import { command, type CommandContext, type CommandSpec, option } from "../../command.ts";
import { CliError } from "../../errors.ts";

/** `strongroom keys retire`. */
export const keysRetireCommand: CommandSpec = command({
  name: "keys retire",
  args: "<arn>",
  heading: "Looking after it",
  summary: "prove that a key is needed no more, disable it, and sign a report of it",
  description:
    "In this order: no key set in force names it, and every write of before has ended; nothing lies under it; its " +
    "KMS is told to wrap nothing under it, and is seen to refuse; a wait, for whatever was on its way; nothing lies " +
    "under it still; the KMS's own word of its last use; the backups that need it; then it is disabled, which --undo " +
    "takes back. A report of all that is signed by the vault and can be verified offline (strongroom keys report). " +
    "Its deletion is another command, a week later at the earliest: --schedule-deletion. With keys.fourEyes it needs " +
    "two principals (strongroom approvals).",
  flagGroups: ["store", "audit-log", "root-key", "audit"],
  options: {
    report: option(
      "-r, --report <file>",
      "where the signed report goes, or comes from; without it, it is printed",
      text(),
    ),
    wait: option(
      "--wait <seconds>",
      "wait so long between the two looks (default: the longest of key cache, write deadline and a minute)",
      wholeNumber(0, 86_400),
    ),
    credentials: option(
      "--credentials <file>",
      "the access key of whoever may change and disable keys (default: the operator's of strongroom up, or the " +
        "service's)",
      text(),
    ),
    undo: option(
      "--undo",
      "enable a retired key again, and let its KMS wrap under it; until the day of its deletion",
      given(),
    ),
    scheduleDeletion: option(
      "--schedule-deletion",
      "of a key that was retired at least a week ago, by its report: have its KMS delete it",
      given(),
    ),
    days: option("--days <n>", "with --schedule-deletion: in so many days, 7 to 30 (default: 30)", wholeNumber(7, 30)),
    yes: option("-y, --yes", "do it without asking", given()),
  },
  examples: [
    { line: "npx strongroom keys retire ARN --report retired.note", meaning: "prove it, disable it, keep the report" },
    { line: "npx strongroom keys retire ARN --undo", meaning: "somebody missed it: take that back" },
    {
      line: "npx strongroom keys retire ARN --schedule-deletion --report retired.note",
      meaning: "a week later: have it deleted in 30 days",
    },
  ],
  run: async ({ context, loaded: { config }, args, options }) => {
    const retire = await import("../../retire/retire.ts");
    const [keyArn = ""] = args;
    const { report, credentials } = options;
    const request = { keyArn, credentials, how: options.yes ? "yes" : "ask" } as const;
    if (options.undo) {
      const state = await retire.undoRetirement(context, config, request);
      context.terminal.result({ key: keyArn, ...state }, () => `${keyArn} is ${state.state.toLowerCase()}.`);
      return;
    }
    if (options.scheduleDeletion) {
      if (report === undefined)
        throw new CliError("usage", {
          detail: "--schedule-deletion needs the report of the retirement: --report FILE.",
        });
      const note = await readText(context, report);
      const state = await retire.deleteRetiredKey(context, config, { ...request, note, days: options.days ?? 30 });
      context.terminal.result({ key: keyArn, ...state }, () => `${keyArn} will be gone at ${state.deletionAt ?? "?"}.`);
      return;
    }
    const path = report === undefined ? undefined : resolve(context.cwd, report);
    const waitMs = options.wait === undefined ? undefined : options.wait * 1000;
    const given = await retire.retireKey(context, config, { ...request, report: path, waitMs });
    context.terminal.result({ report: given.note, verifierKey: given.key, ...given.facts }, () =>
      [
        ...(path === undefined ? [given.note] : []),
        `It is retired.${path === undefined ? "" : ` The report is in ${path}.`}`,
        `Its verifier key, to be kept elsewhere: ${given.key}`,
      ].join("\n"),
    );
  },
});

/** `strongroom keys report`. */
export const keysReportCommand: CommandSpec = command({
  name: "keys report",
  args: "<file>",
  heading: "Looking after it",
  summary: "verify and show the report of a key's retirement, offline",
  description:
    "It needs the report and the verifier key, and neither the vault nor a KMS. Take the key from where it was kept " +
    "when the report was made, and not from beside the report: whoever changes one changes both.",
  flagGroups: [],
  options: {
    key: option("-k, --key <vkey>", "the verifier key, as strongroom keys retire has printed it", text()),
  },
  examples: [
    {
      line: "npx strongroom keys report retired.note --key VKEY",
      meaning: "is it what the vault has signed, and what says it?",
    },
  ],
  run: async ({ context, args, options }) => {
    const { openReport, reportView } = await import("../../retire/report.ts");
    const [file = ""] = args;
    if (options.key === undefined)
      throw new CliError("usage", {
        detail: "The verifier key is needed: --key VKEY. Without one a report says nothing.",
      });
    const report = openReport(await readText(context, file), options.key);
    context.terminal.result(report, (shown) => reportView(shown));
  },
});

async function readText({ cwd }: CommandContext, file: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, file), "utf8");
  } catch (cause) {
    throw new CliError("input-unreadable", { detail: `${file}: ${systemReason(cause)}.`, cause });
  }
}
