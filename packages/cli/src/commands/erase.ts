// `strongroom erase`, `hold …`, `certificate …`, `erasures export`: a person's data goes, or is held.
import { given, option, text } from "@strongroom/base/command";
import { printable, renderTable } from "@strongroom/base/terminal";
import type { Hold } from "@strongroom/client";
import { command, type CommandSpec, withService } from "../command.ts";
import { requireYes } from "../confirm.ts";
import { CliError } from "../errors.ts";
import { readWhole, writeOutput } from "../input-output.ts";
import { CODE, TENANT_OPTION, WHY_OPTIONS } from "./audit-options.ts";
import { subjectOf } from "./person-name.ts";

const reason = option("--reason <code>", "why, as a code: the audit has it in clear (must be given)", CODE);
const person = option("--person", "SUBJECT is the person's opaque id, and not a name", given());

/** Most bytes of a name, a certificate. */
const MOST_NAME = 1_024;
const MOST_CERTIFICATE = 65_536;

/** `strongroom erase`. */
export const eraseCommand: CommandSpec = command({
  name: "erase",
  args: "<subject>",
  heading: "People",
  summary: "erase a person: records, search tags, keys and name",
  description:
    "SUBJECT is the name that writers use, or with --person an opaque id; - reads it from standard input, so that " +
    "no other program of the machine sees it. Reads and writes about the person end at once, in every process. The " +
    "answer has a certificate, which says what remains and what it dies with, and a salt, which is for the person " +
    "alone and kept nowhere. When something fails half-way, it says so, and the service goes on with it. A legal " +
    "hold refuses it, and so do records that are about somebody else too. Needs a token with the scope admin.",
  flagGroups: ["client"],
  options: {
    reason,
    tenant: TENANT_OPTION,
    person,
    out: option("--out <file>", "write the certificate to a file", text()),
    yes: option("-y, --yes", "erase without asking", given()),
    ...WHY_OPTIONS,
  },
  examples: [
    { line: "npx strongroom erase C000127 --reason art-17", meaning: "ask, and erase" },
    {
      line: "npx strongroom erase - --reason art-17 --yes --out certificate.txt < name.txt",
      meaning: "a name that no list of processes shows",
    },
  ],
  run: withService(async (client, { context, args, options, endWith }) => {
    const code = requireReason(options.reason);
    const subject = await subjectOf(args, context);
    const of = tenantOf(options);
    if (!options.yes) await requireYes(`Erase ${printable(subject)} for ever?`, context);
    const result = options.person
      ? await client.erasure.erasePerson(subject, code)
      : await client.erasure.erase({ subject, reason: code, ...of });
    // Before a file that may fail: the salt is kept nowhere else.
    context.terminal.result(result, (shown) =>
      shown.state === "erased"
        ? `Erased: ${shown.person}.\n${shown.salt === null ? "" : `Salt, for the person alone: ${shown.salt}\n`}` +
          `Verify its certificate with: strongroom certificate verify FILE --key '${shown.key}'`
        : `Half done: ${shown.person} is closed, and the step ${shown.step ?? "-"} is next. It goes on by itself.`,
    );
    if (options.out !== undefined && result.certificate !== null)
      await writeOutput(options.out, result.certificate, context);
    if (result.state === "erasing") endWith("unavailable");
  }),
});

/** `strongroom hold set`. */
export const holdSetCommand: CommandSpec = command({
  name: "hold set",
  args: "<subject>",
  heading: "People",
  summary: "hold what is stored about a person against erasure, retention and shredding",
  description:
    "SUBJECT is a name, or with --person an opaque id; - reads it from standard input. By name, of somebody who is " +
    "not known yet it holds for what comes. A person may have several holds. Needs a token with the scope admin.",
  flagGroups: ["client"],
  options: { reason, tenant: TENANT_OPTION, person, ...WHY_OPTIONS },
  examples: [
    { line: "npx strongroom hold set C000127 --reason litigation --ticket CASE-9", meaning: "until it is lifted" },
  ],
  run: withService(async (client, { context, args, options }) => {
    const code = requireReason(options.reason);
    const subject = await subjectOf(args, context);
    const of = tenantOf(options);
    const held = options.person
      ? await client.erasure.holdPerson(subject, code)
      : await client.erasure.hold({ subject, reason: code, ...of });
    context.terminal.result(held, ({ id }) => `Held. Lift it with: strongroom hold lift ${id}`);
  }),
});

/** `strongroom hold lift`. */
export const holdLiftCommand: CommandSpec = command({
  name: "hold lift",
  args: "<hold>",
  heading: "People",
  summary: "lift a legal hold",
  description:
    "Where keys.fourEyes is configured, one principal asks for it (strongroom approvals request HOLD --action " +
    "lift-hold) and another one approves first.",
  flagGroups: ["client"],
  options: { reason, ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom hold lift HOLD --reason settled", meaning: "by the id that hold list shows" }],
  run: withService(async (client, { context, args, options }) => {
    const lifted = await client.erasure.liftHold(args[0] ?? "", requireReason(options.reason));
    context.terminal.result(lifted, ({ id }) => `Lifted: ${id}.`);
  }),
});

/** `strongroom hold list`. */
export const holdListCommand: CommandSpec = command({
  name: "hold list",
  heading: "People",
  summary: "list legal holds",
  description: "People are told by their opaque ids.",
  flagGroups: ["client"],
  options: { ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom hold list --json", meaning: "for programs" }],
  run: withService(async (client, { context: { terminal } }) => {
    const holds = await client.erasure.holds();
    terminal.result({ holds }, (shown) => holdsView(shown.holds, terminal.width));
  }),
});

/** `strongroom certificate verify`. */
export const certificateVerifyCommand: CommandSpec = command({
  name: "certificate verify",
  args: "<file>",
  heading: "People",
  summary: "verify a certificate of an erasure, offline, and show what it says",
  description:
    "Needs neither a service nor a network. The key must come from elsewhere than the file: what comes with a " +
    "certificate proves nothing. With --name-file and --salt it says whether the certificate is about whoever has " +
    "that name; the name is read from a file.",
  flagGroups: [],
  options: {
    key: option("--key <vkey>", "the verifier key of the vault's certificates (must be given)", text()),
    nameFile: option("--name-file <file>", "the name that it is to be about; - is standard input", text()),
    salt: option("--salt <salt>", "as whoever was erased was given it", text()),
    tenant: TENANT_OPTION,
  },
  examples: [
    { line: "npx strongroom certificate verify certificate.txt --key KEY", meaning: "is it as it was signed?" },
  ],
  run: async ({ context, args, options }) => {
    const { isAboutName, verifyCertificate } = await import("@strongroom/vault");
    const { vaultSaid } = await import("../installation/vault-said.ts");
    if (options.key === undefined) throw new CliError("usage", { detail: "The verifier key is missing: --key VKEY." });
    if ((options.nameFile === undefined) !== (options.salt === undefined))
      throw new CliError("usage", { detail: "Whose certificate it is takes both: --name-file FILE and --salt SALT." });
    const read = async (path: string, what: string, longest: number): Promise<string> =>
      (await readWhole(path, context, { what, longest })).toString("utf8");
    const certificate = await read(args[0] ?? "-", "certificate", MOST_CERTIFICATE);
    try {
      const verified = verifyCertificate(certificate, options.key);
      let isAbout: boolean | null = null;
      if (options.nameFile !== undefined && options.salt !== undefined) {
        const name = (await read(options.nameFile, "name", MOST_NAME)).replace(/\r?\n$/, "");
        const salt = Buffer.from(options.salt, "base64url");
        isAbout = isAboutName(verified, salt, { name, tenant: options.tenant ?? "default" });
      }
      context.terminal.result({ ...verified, isAbout }, ({ facts, isAbout: about }) =>
        [
          `Verified. Erased: ${facts.person} on ${facts.doneAt}; quiet since ${facts.quietAt}.`,
          facts.holdsFrom === null
            ? "Stage 1: rows and keys are gone; backups of the key store open what is in old copies of it."
            : `Stage 2: no backup of the key store opens anything of it since ${facts.holdsFrom}.`,
          ...facts.remains.map(
            ({ what, diesWith, of }) => `  ${what}: ${diesWith}${of.length === 0 ? "" : ` (${of.join(", ")})`}`,
          ),
          ...(about === null ? [] : [about ? "It is about that name." : "It is not about that name."]),
        ].join("\n"),
      );
    } catch (cause) {
      throw vaultSaid(cause);
    }
  },
});

/** `strongroom certificate show`. */
export const certificateShowCommand: CommandSpec = command({
  name: "certificate show",
  args: "<person>",
  heading: "People",
  summary: "show the certificate of a person who was erased",
  description: "PERSON is the opaque id, as the answer of the erasure had it.",
  flagGroups: ["client"],
  options: { ...WHY_OPTIONS },
  examples: [{ line: "npx strongroom certificate show PERSON > certificate.txt", meaning: "the signed note itself" }],
  run: withService(async (client, { context, args }) => {
    const found = await client.erasure.certificate(args[0] ?? "");
    // As it was signed: each of its lines is a line.
    context.terminal.result(found, () => found.certificate.trimEnd());
  }),
});

/** `strongroom certificate complete`. */
export const certificateCompleteCommand: CommandSpec = command({
  name: "certificate complete",
  args: "<person>",
  heading: "People",
  summary: "ask what old backups open of a person who was erased, and sign that they open nothing",
  description:
    "PERSON is the opaque id. The KMS of every wrapping key up to the erasure's generation is asked what has become " +
    "of it. When all are gone, it signs the certificate of the second stage; before, it says by which keys old " +
    "backups open what, and ends with exit code 1. Gone is proven by AWS alone; of a KMS of your own it is attested " +
    "by whoever runs this, who answers for its backups and old root keys. It opens the stores itself, as one " +
    "process more.",
  flagGroups: ["store", "audit-log", "root-key", "audit"],
  options: {
    out: option("--out <file>", "write the certificate to a file", text()),
    credentials: option(
      "--credentials <file>",
      "the access key of whoever may describe keys (default: the operator's of strongroom up, or the service's)",
      text(),
    ),
  },
  examples: [
    { line: "npx strongroom certificate complete PERSON --out second.txt", meaning: "after the old keys are gone" },
  ],
  run: async ({ context, loaded, args, options, endWith }) => {
    const { completeCertificate } = await import("../retire/complete-certificate.ts");
    const { certificate, ...stage } = await completeCertificate(context, loaded.config, {
      person: args[0] ?? "",
      credentials: options.credentials,
    });
    context.terminal.result({ certificate, ...stage }, ({ state, recoverable }) =>
      certificate === null
        ? [
            state.holdsFrom === null
              ? "Not over: of some keys no deletion is scheduled, or their generation is the present one."
              : `Not over: it holds from ${state.holdsFrom}, when the last key is gone.`,
            ...recoverable.map(({ what, of }) => `  old backups open: ${[what, ...of].join(" ")}`),
            ...state.keys.map(({ key, state: is, deletionAt }) => `  ${key}: ${is} ${deletionAt ?? ""}`.trimEnd()),
          ].join("\n")
        : certificate.trimEnd(),
    );
    if (options.out !== undefined && certificate !== null) await writeOutput(options.out, certificate, context);
    if (certificate === null) endWith("failure");
  },
});

/** `strongroom erasures export`. */
export const erasuresExportCommand: CommandSpec = command({
  name: "erasures export",
  args: "<file>",
  heading: "People",
  summary: "write the ledger of erasures, restrictions and holds, for a restore of an older backup",
  description:
    "NDJSON with opaque ids and codes, nothing personal; - is standard output. Give it to strongroom restore " +
    "--erasures when an older backup is restored: who was erased since stays so. Every backup has one of its moment. " +
    "It opens the stores itself, as one process more.",
  flagGroups: ["store", "audit-log", "root-key", "audit"],
  options: {},
  examples: [{ line: "npx strongroom erasures export ledger.ndjson", meaning: "keep it apart from the backups" }],
  run: async ({ context, loaded, args }) => {
    const { exportErasures } = await import("../backup/erasures-export.ts");
    const lines = await exportErasures(context, loaded.config, args[0] ?? "-");
    if (args[0] !== "-") context.terminal.result({ lines }, () => `${lines} lines written.`);
  },
});

function requireReason(code: string | undefined): string {
  if (code !== undefined) return code;
  throw new CliError("usage", { detail: "Why must be said, as a code: --reason CODE, such as art-17." });
}

function holdsView(holds: readonly Hold[], width: number): string {
  if (holds.length === 0) return "Nobody is held.";
  return renderTable(
    [{ heading: "HOLD" }, { heading: "PERSON" }, { heading: "REASON" }, { heading: "SINCE" }],
    holds.map(({ id, person, reason: why, at }) => [id, person, why, at.slice(0, 16)]),
    width,
  );
}

/** Of a name. @throws CliError `usage`: an opaque id is of no tenant's names */
function tenantOf({ tenant: of, person: isId }: { readonly tenant: string | undefined; readonly person: boolean }): {
  readonly tenant?: string;
} {
  if (of === undefined) return {};
  if (isId) throw new CliError("usage", { detail: "--tenant says whose a name is: an opaque id, --person, is one's." });
  return { tenant: of };
}
