// The page docs/errors.md, made from the error tables of the packages, so that what a code stands for is written once.
import { EXIT_CODES } from "@strongroom/base/errors";
import type { ErrorRow } from "@strongroom/base/errors";
import { CLIENT_ERRORS } from "@strongroom/client";
import { ENVELOPE_ERRORS } from "@strongroom/envelope";
import { KMS_ERRORS } from "@strongroom/kms";
import { SERVER_ERRORS } from "@strongroom/server";
import { VAULT_ERRORS } from "@strongroom/vault";
import { CLI_ERRORS } from "strongroom";

/** A row of a package's table. Not every package says how its errors end a command or a request. */
type Row = Pick<ErrorRow, "title" | "remedy"> & Partial<ErrorRow>;

interface Section {
  readonly heading: string;
  readonly about: string;
  readonly errors: Readonly<Record<string, Row>>;
}

interface Column {
  readonly heading: string;
  /** Null: the row does not say. */
  readonly cell: (code: string, row: Row) => string | null;
}

/** A column is shown where some row of the section has it. */
const COLUMNS: readonly Column[] = [
  { heading: "code", cell: (code) => `\`${code}\`` },
  { heading: "what happened", cell: (_code, { title }) => title },
  { heading: "what to do", cell: (_code, { remedy }) => remedy },
  { heading: "exit code", cell: (_code, { outcome }) => (outcome === undefined ? null : exitCode(outcome)) },
  { heading: "HTTP status", cell: (_code, { status }) => (status === undefined ? null : String(status)) },
];

const sections: readonly Section[] = [
  {
    heading: "strongroom (the command)",
    about: "Printed to standard error with its code; with `--json` as an object. The exit codes are below.",
    errors: CLI_ERRORS,
  },
  {
    heading: "@strongroom/client",
    about:
      "`code` of a `ClientError`: those that no service answered with. The service's own come through as they are.",
    errors: Object.fromEntries(
      Object.entries(CLIENT_ERRORS).flatMap(([code, { status, ...row }]) => (status === 0 ? [[code, row]] : [])),
    ),
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
    "Every error has a `code` that does not change between versions, and a remedy. The exit code is what a command ends " +
      "with, the HTTP status what the service answers with. Made by `npm run docs:errors` from the tables in the sources.",
    "",
    ...sections.flatMap(sectionLines),
    "## Exit codes of the command",
    "",
    ...tableLines(
      ["exit code", "meaning"],
      Object.values(EXIT_CODES).map(({ code, meaning }) => [String(code), meaning]),
    ),
  ];
  return `${parts.join("\n")}\n`;
}

function sectionLines({ heading, about, errors }: Section): readonly string[] {
  const rows = Object.entries(errors);
  const columns = COLUMNS.filter(({ cell }) => rows.some(([code, row]) => cell(code, row) !== null));
  const cells = rows.map(([code, row]) => columns.map(({ cell }) => cell(code, row) ?? ""));
  return [
    `## ${heading}`,
    "",
    about,
    "",
    ...tableLines(
      columns.map((column) => column.heading),
      cells,
    ),
    "",
  ];
}

function tableLines(headings: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)];
}

function exitCode(outcome: ErrorRow["outcome"]): string {
  return String(EXIT_CODES[outcome].code);
}
