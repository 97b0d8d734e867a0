// `strongroom person …`: what people may ask of whoever keeps their data, and what that comes to.
import { given, oneOfOr, option, text } from "@strongroom/base/command";
import { printable } from "@strongroom/base/terminal";
import { z } from "zod";
import { command, type CommandSpec, withService } from "../command.ts";
import { CliError } from "../errors.ts";
import { TENANT_OPTION, WHY_OPTIONS } from "./audit-options.ts";
import { subjectOf } from "./person-name.ts";
import { consentsView, heldView, recipientsView, toTellView } from "./person-view.ts";

const WHOSE = {
  tenant: TENANT_OPTION,
  ...WHY_OPTIONS,
};

const CODE = /^[a-z0-9.-]{1,64}$/;
const NAME = "SUBJECT is the name that writers use; - reads it from standard input, out of others' sight.";

/** `strongroom person show`. */
export const personShowCommand: CommandSpec = command({
  name: "person show",
  args: "<subject>",
  heading: "People",
  summary: "show what is held of a person, without content",
  description: `${NAME} Also of who is restricted. Needs a token with the scope read.`,
  flagGroups: ["client"],
  options: { ...WHOSE, cursor: option("--cursor <cursor>", "continue where the last page ended", text()) },
  examples: [{ line: "npx strongroom person show people/ada", meaning: "records, since when, for what" }],
  run: withService(async (client, { context, args, options }) => {
    const { tenant, cursor } = options;
    const held = await client.people.show(await subjectOf(args, context), { tenant, cursor });
    context.terminal.result(held, (found) => heldView(found, context.terminal));
    if (held.next !== null)
      context.terminal.say(`There are more: strongroom person show SUBJECT --cursor ${printable(held.next)}`);
  }),
});

/** `strongroom person export`. */
export const personExportCommand: CommandSpec = command({
  name: "person export",
  args: "<subject> [file]",
  heading: "People",
  summary: "give a person's records out: one JSON object a line (- or nothing: standard output), or a zip",
  description:
    `${NAME} The audit has to whom it was given, sealed. What is about others too is named without content, unless ` +
    "its collection declares thirdParties: include. With --zip: the records, who read them with proofs, to whom they " +
    "were given, and a page for a person to read. A file has mode 0600 and appears whole or not at all. Needs a " +
    "token with " +
    "the scope read, and with --zip audit too.",
  flagGroups: ["client"],
  options: {
    recipient: option("--recipient <name>", "to whom it is given, such as 'the person' (needed)", text()),
    versions: option("--versions <which>", "newest or all (default: newest)", oneOfOr("newest", ["newest", "all"])),
    zip: option("--zip <file>", "write a zip in the place of lines", text()),
    ...WHOSE,
  },
  examples: [
    { line: "npx strongroom person export people/ada ada.ndjson --recipient 'Ada herself'", meaning: "for programs" },
    { line: "npx strongroom person export people/ada --zip ada.zip --recipient Ada", meaning: "to hand out" },
  ],
  run: withService(async (client, { context, args, options }) => {
    const { recipient, versions, tenant, zip } = options;
    if (recipient === undefined || recipient.trim() === "")
      throw new CliError("usage", { detail: "--recipient says to whom it is given.", remedy: "Name the recipient." });
    const [, path] = args;
    if (zip !== undefined && path !== undefined)
      throw new CliError("usage", { detail: "--zip names the file already.", remedy: "Leave the second name out." });
    const { exportPerson } = await import("../transfer/export-person.ts");
    const job = { subject: await subjectOf(args, context), tenant, recipient, versions };
    await exportPerson({ ...job, path: zip ?? path ?? "-", isZip: zip !== undefined }, client, context);
  }),
});

/** `strongroom person restrict`. */
export const personRestrictCommand: CommandSpec = command({
  name: "person restrict",
  args: "<subject>",
  heading: "People",
  summary: "refuse reads and writes about a person, but for named purposes",
  description:
    `${NAME} It holds in every process at once. What is held stays, and retention does not remove it. Of an earlier ` +
    "restriction the purposes are replaced. Needs a token with the scope write.",
  flagGroups: ["client"],
  options: {
    except: option("--except <codes>", "purposes for which they are read all the same, with commas", codes()),
    ...WHOSE,
  },
  examples: [{ line: "npx strongroom person restrict people/ada --except legal-claims", meaning: "for those alone" }],
  run: withService(async (client, { context, args, options }) => {
    const { tenant, except } = options;
    const state = await client.people.restrict(await subjectOf(args, context), { tenant, except });
    const but = except === undefined ? "" : `, but for ${except.join(", ")}`;
    context.terminal.result({ ...state, except: except ?? [] }, () => `Nothing about them is read or written${but}.`);
  }),
});

function codes(): z.ZodType<string[] | undefined> {
  return z
    .string()
    .transform((given) => given.split(","))
    .pipe(z.array(z.string().regex(CODE, "must be codes of 1 to 64 characters of a-z 0-9 . -, with commas")).max(8))
    .optional();
}

/** `strongroom person release`. */
export const personReleaseCommand: CommandSpec = command({
  name: "person release",
  args: "<subject>",
  heading: "People",
  summary: "lift a restriction",
  description: `${NAME} Needs a token with the scope write.`,
  flagGroups: ["client"],
  options: WHOSE,
  examples: [{ line: "npx strongroom person release people/ada", meaning: "as before" }],
  run: withService(async (client, { context, args, options }) => {
    const state = await client.people.release(await subjectOf(args, context), { tenant: options.tenant });
    context.terminal.result(state, () => "They are read and written about as before.");
  }),
});

/** `strongroom person rectify`. */
export const personRectifyCommand: CommandSpec = command({
  name: "person rectify",
  args: "<subject> <collection> <id> [file]",
  heading: "People",
  summary: "correct a record of a person by a JSON merge patch (- or nothing: standard input)",
  description:
    `${NAME.replace("; - reads it from standard input, out of others' sight", "")} Members of the patch replace those of the record, null takes one away ` +
    "(RFC 7396). Says who was given the record before, and is to be told. Needs a token with the scope write.",
  flagGroups: ["client"],
  options: { reason: option("--reason <code>", "why, as a code (default: data-subject-request)", text()), ...WHOSE },
  examples: [
    { line: `echo '{"born":1815}' | npx strongroom person rectify people/ada people ada`, meaning: "one member" },
  ],
  run: withService(async (client, { context, args, options }) => {
    const [subject = "", collection = "", id = "", path = "-"] = args;
    const { tenant, reason = "data-subject-request" } = options;
    const { readPatch } = await import("../transfer/read-patch.ts");
    const changes = await readPatch(path, context);
    const done = await client.people.rectify(subject, { collection, id }, changes, { tenant, reason });
    context.terminal.result(done, (found) => toTellView(found, context.terminal));
  }),
});

/** `strongroom person consent`. */
export const personConsentCommand: CommandSpec = command({
  name: "person consent",
  args: "<subject> <purpose>",
  heading: "People",
  summary: "note that a person has consented to a purpose, or with --withdraw no longer does",
  description:
    `${NAME} Where a collection declares that the purpose needs it ({ code, consent: true }), nothing is read or ` +
    "written for it without. A withdrawal holds in every process at once. Needs a token with the scope write.",
  flagGroups: ["client"],
  options: {
    withdraw: option("--withdraw", "it is withdrawn", given()),
    evidence: option("--evidence <text>", "which wording was agreed to, or where that is kept; sealed", text()),
    ...WHOSE,
  },
  examples: [{ line: "npx strongroom person consent people/ada marketing --withdraw", meaning: "from now on" }],
  run: withService(async (client, { context, args, options }) => {
    const [, purpose = ""] = args;
    const { tenant, evidence, withdraw } = options;
    const consent = { purpose, state: withdraw ? "withdrawn" : "given", evidence } as const;
    const is = await client.people.setConsent(await subjectOf(args, context), consent, { tenant });
    context.terminal.result(is, (found) => `${printable(found.purpose)}: ${found.state}, ${printable(found.at)}`);
  }),
});

/** `strongroom person consents`. */
export const personConsentsCommand: CommandSpec = command({
  name: "person consents",
  args: "<subject>",
  heading: "People",
  summary: "list what a person has consented to",
  description: `${NAME} Needs a token with the scope read.`,
  flagGroups: ["client"],
  options: WHOSE,
  examples: [{ line: "npx strongroom person consents people/ada", meaning: "given and withdrawn" }],
  run: withService(async (client, { context, args, options }) => {
    const consents = await client.people.consents(await subjectOf(args, context), { tenant: options.tenant });
    context.terminal.result({ consents }, (found) => consentsView(found.consents, context.terminal));
  }),
});

/** `strongroom person recipients`. */
export const personRecipientsCommand: CommandSpec = command({
  name: "person recipients",
  args: "<subject>",
  heading: "People",
  summary: "list to whom a person's records were given",
  description: `${NAME} Every export that had something about them in it, by the audit. Needs a token with the scope audit.`,
  flagGroups: ["client"],
  options: WHOSE,
  examples: [{ line: "npx strongroom person recipients people/ada", meaning: "the oldest first" }],
  run: withService(async (client, { context, args, options }) => {
    const recipients = await client.people.recipients(await subjectOf(args, context), { tenant: options.tenant });
    context.terminal.result({ recipients }, (found) => recipientsView(found.recipients, context.terminal));
  }),
});
