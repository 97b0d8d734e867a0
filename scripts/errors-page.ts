// The page docs/errors.md, made from the error tables of the packages, so that a code and its remedy are written once.
import { ENVELOPE_ERRORS } from "@strongroom/envelope";
import { KMS_ERRORS } from "@strongroom/kms";
import { SERVER_ERRORS } from "@strongroom/server";
import { VAULT_ERRORS } from "@strongroom/vault";
import { CLI_ERRORS, EXIT_CODES } from "strongroom";

type Catalogue = Readonly<Record<string, { readonly title: string; readonly remedy: string }>>;

const sections: readonly { readonly heading: string; readonly about: string; readonly errors: Catalogue }[] = [
  {
    heading: "strongroom (the command)",
    about: "Printed to standard error with its code; with `--json` as an object. The exit codes are below.",
    errors: CLI_ERRORS,
  },
  {
    heading: "@strongroom/server",
    about: "`code` of a problem+json answer. Errors of the vault come through with their own code.",
    errors: SERVER_ERRORS,
  },
  {
    heading: "@strongroom/vault",
    about: "`code` of a `VaultError`.",
    errors: VAULT_ERRORS,
  },
  {
    heading: "@strongroom/envelope",
    about:
      "`code` of an `EnvelopeError`. Every cryptographic failure is the one code `decryption-failed`; what each " +
      "region said is in `attempts`.",
    errors: ENVELOPE_ERRORS,
  },
  {
    heading: "@strongroom/kms",
    about: "`code` of a `KmsError`: running the KMS. What its API answers are AWS's own error types.",
    errors: KMS_ERRORS,
  },
];

/** The whole page, as Markdown. */
export function errorsPage(): string {
  const parts = [
    "# Errors",
    "",
    "Every error has a `code` that does not change between versions, and a remedy. Made by `npm run docs:errors` " +
      "from the tables in the sources.",
    "",
  ];
  for (const { heading, about, errors } of sections) {
    parts.push(`## ${heading}`, "", about, "", "| code | what happened | what to do |", "| --- | --- | --- |");
    for (const [code, { title, remedy }] of Object.entries(errors)) {
      parts.push(`| \`${code}\` | ${cell(title)} | ${cell(remedy)} |`);
    }
    parts.push("");
  }
  parts.push("## Exit codes of the command", "", "| exit code | meaning |", "| --- | --- |");
  for (const { code, meaning } of Object.values(EXIT_CODES)) parts.push(`| ${code} | ${cell(meaning)} |`);
  return `${parts.join("\n")}\n`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
