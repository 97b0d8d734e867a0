// `strongroom audit …`: who did what, as the service's audit has it, and whether its log is whole.
import { given, option, text, wholeNumberOr, oneOfOr } from "@strongroom/base/command";
import { printable } from "@strongroom/base/terminal";
import type { AuditQuery } from "@strongroom/client";
import { command, type CommandSpec, withService } from "../command.ts";
import { writeOutput } from "../input-output.ts";
import { eventsResult, eventsView, newestEvents, nextLine } from "./audit-view.ts";
import { moment, TENANT_OPTION } from "./audit-options.ts";

const PAGE = {
  since: option("--since <time>", "from this time on: 2026-03-04, 2026-03-04T05:06:07Z, or 90m, 24h, 7d ago", moment()),
  until: option("--until <time>", "before this time", moment()),
  limit: option("--limit <n>", "entries shown (default: 100)", wholeNumberOr(100, 1, 500)),
  cursor: option("--cursor <cursor>", "continue where the last page ended", text()),
};

/** `strongroom audit tail`. */
export const auditTailCommand: CommandSpec = command({
  name: "audit tail",
  heading: "Audit",
  summary: "show the newest entries of the audit",
  description:
    "With --follow each new entry is shown as it comes, as one line, or as one JSON object a line with --json. " +
    "Ctrl-C ends it. Needs a token with the scope audit.",
  flagGroups: ["client"],
  options: {
    follow: option("-f, --follow", "keep showing new ones, until Ctrl-C", given()),
    limit: option("--limit <n>", "entries shown first (default: 20)", wholeNumberOr(20, 1, 500)),
  },
  examples: [
    { line: "npx strongroom audit tail", meaning: "the newest 20" },
    { line: "npx strongroom audit tail --follow --json | jq .principal", meaning: "as they come, for a program" },
  ],
  run: withService(async (client, { context, options }) => {
    const { terminal } = context;
    if (options.follow) {
      const { followEvents } = await import("./audit-follow.ts");
      await followEvents(client, options.limit, context);
      return;
    }
    const events = await newestEvents(client, options.limit);
    terminal.result({ events }, (shown) => eventsView(shown.events, terminal));
  }),
});

/** `strongroom audit who-read`. */
export const auditWhoReadCommand: CommandSpec = command({
  name: "audit who-read",
  args: "<subject>",
  heading: "Audit",
  summary: "show who read, wrote or asked for what is about a person",
  description:
    "SUBJECT is the name that writers use. The question is an entry of the audit itself. Needs a token with the " +
    "scope audit.",
  flagGroups: ["client"],
  options: { ...PAGE, tenant: TENANT_OPTION },
  examples: [
    { line: "npx strongroom audit who-read people/ada", meaning: "the newest first" },
    { line: "npx strongroom audit who-read C000127 --since 30d --json", meaning: "of the last 30 days, for programs" },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [subject = ""] = args;
    const { limit, cursor, since, until, tenant } = options;
    const page = await client.audit.events({ subject, tenant, since, until }).page({ limit, cursor });
    context.terminal.result(eventsResult(page), (shown) => eventsView(shown.events, context.terminal));
    if (page.next !== null) context.terminal.say(nextLine("audit who-read SUBJECT", page.next));
  }),
});

/** `strongroom audit what-did`. */
export const auditWhatDidCommand: CommandSpec = command({
  name: "audit what-did",
  args: "<principal>",
  heading: "Audit",
  summary: "show what a principal did",
  description:
    "PRINCIPAL is token:ID, as strongroom token list shows the id; anonymous for requests without a known token; " +
    "strongroom:repair and strongroom:audit for the vault itself. Needs a token with the scope audit.",
  flagGroups: ["client"],
  options: {
    ...PAGE,
    action: option("--action <action>", "only this: read, write, remove, list, history, …", text()),
    collection: option("--collection <name>", "only in this collection", text()),
  },
  examples: [
    { line: "npx strongroom audit what-did token:4f0c2a91b7de --since 24h", meaning: "since this time yesterday" },
    { line: "npx strongroom audit what-did anonymous", meaning: "requests that were refused without a token" },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [principal = ""] = args;
    const { limit, cursor, since, until, action, collection } = options;
    // The service says which actions there are.
    const query = { principal, since, until, collection, action } as AuditQuery;
    const page = await client.audit.events(query).page({ limit, cursor });
    context.terminal.result(eventsResult(page), (shown) => eventsView(shown.events, context.terminal));
    if (page.next !== null) context.terminal.say(nextLine(`audit what-did ${printable(principal)}`, page.next));
  }),
});

/** `strongroom audit export`. */
export const auditExportCommand: CommandSpec = command({
  name: "audit export",
  args: "[file]",
  heading: "Audit",
  summary: "write the entries of the audit to a file, one JSON object a line (- or nothing: standard output)",
  description:
    "Oldest first. --format ocsf: API Activity (class 6003) of the Open Cybersecurity Schema Framework; ecs: fields " +
    "of the Elastic Common Schema. What they have no field for is under unmapped, or labels.",
  flagGroups: ["client"],
  options: {
    since: PAGE.since,
    until: PAGE.until,
    format: option(
      "--format <format>",
      "events, ocsf or ecs (default: events)",
      oneOfOr("events", ["events", "ocsf", "ecs"]),
    ),
  },
  examples: [
    { line: "npx strongroom audit export march.ndjson --since 2026-03-01 --until 2026-04-01", meaning: "a month" },
    { line: "npx strongroom audit export --format ecs --since 24h", meaning: "to a pipe" },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [path = "-"] = args;
    const { exportEvents } = await import("../transfer/export-events.ts");
    await exportEvents({ path, ...options }, client, context);
  }),
});

/** `strongroom audit checkpoint`. */
export const auditCheckpointCommand: CommandSpec = command({
  name: "audit checkpoint",
  heading: "Audit",
  summary: "print the newest signed checkpoint of the audit",
  description:
    "A signed note (c2sp.org/tlog-checkpoint): which log, how many entries, which root. Kept elsewhere, it shows " +
    "later whether the log goes on from here. Needs a token with the scope audit.",
  flagGroups: ["client"],
  options: {},
  examples: [{ line: "npx strongroom audit checkpoint > /mnt/other/today.checkpoint", meaning: "for audit verify" }],
  run: withService(async (client, { context }) => {
    const [checkpoint, { key }] = [await client.audit.checkpoint(), await client.audit.status()];
    context.terminal.result({ checkpoint, key }, () => checkpoint.replace(/\n$/, ""));
  }),
});

/** `strongroom audit access-log`. */
export const auditAccessLogCommand: CommandSpec = command({
  name: "audit access-log",
  args: "<subject>",
  heading: "Audit",
  summary: "write everything that the audit has about a person to a file, with proofs",
  description:
    "For the person: each entry as it is hashed into the log, what it says, and a proof that it is in the tree of " +
    "the checkpoint (c2sp.org/tlog-proof). strongroom audit verify --access-log FILE verifies it without the vault.",
  flagGroups: ["client"],
  options: {
    out: option(
      "-o, --out <file>",
      "the file (mode 0600), which appears whole or not at all (default: standard output)",
      text(),
    ),
    since: PAGE.since,
    tenant: TENANT_OPTION,
  },
  examples: [{ line: "npx strongroom audit access-log people/ada --out ada-access.json", meaning: "to hand out" }],
  run: withService(async (client, { context, args, options }) => {
    const [subject = ""] = args;
    const { since, tenant, out = "-" } = options;
    const log = await client.audit.accessLog(subject, { since, tenant });
    await writeOutput(out, `${JSON.stringify(log, null, 2)}\n`, context);
    if (out !== "-") context.terminal.say(`${log.entries.length} entries written to ${printable(out)}`);
  }),
});

/** `strongroom audit verify`. */
export const auditVerifyCommand: CommandSpec = command({
  name: "audit verify",
  heading: "Audit",
  summary: "check that no entry of the audit was changed, removed or inserted",
  description:
    "Reads the log itself, where this configuration says that it lies, and needs neither a KMS nor the service, " +
    "which may be running. Every entry is hashed anew and compared with the signed checkpoint, and what is derived " +
    "from the entries with the entries. A log that was set back as a whole agrees with itself: a checkpoint that was " +
    "kept elsewhere, or a witness, tells. Exit code 5 if something does not fit.",
  flagGroups: ["store"],
  options: {
    checkpoint: option(
      "--checkpoint <file>",
      "a checkpoint that was kept elsewhere: the log must go on from it",
      text(),
    ),
    key: option("--key <key>", "the verifier key that you have kept (default: audit.key in the data folder)", text()),
    accessLog: option("--access-log <file>", "verify this file of audit access-log in the place of the log", text()),
  },
  examples: [
    { line: "npx strongroom audit verify", meaning: "how many entries there are, or which does not fit" },
    { line: "npx strongroom audit verify --checkpoint /mnt/other/today.checkpoint", meaning: "and goes on from there" },
    { line: "npx strongroom audit verify --access-log ada-access.json --key NAME+ID+KEY", meaning: "anywhere" },
  ],
  run: async ({ context, loaded, options, endWith }) => {
    const { verifyAudit } = await import("../store/verify-audit.ts");
    const { problems } = await verifyAudit(context, loaded.config, options);
    if (problems.length > 0) endWith("refused");
  },
});
