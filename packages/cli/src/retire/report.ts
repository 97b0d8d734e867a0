// The report of a retirement: a statement that the vault has signed, read without the vault, and what a person is told
// of it.
import { isVaultError, openStatement, type OpenedStatement, type SignedStatement } from "@strongroom/vault";
import { z } from "zod";
import { CliError } from "../errors.ts";
import type { RetirementFacts } from "./prove.ts";

/** The kinds of statements about a key's retirement. */
export const REPORT_KINDS = { retired: "key-retired", deletion: "key-deletion-scheduled" } as const;

/** A look at what lies under the key, of a report. */
interface ReportedProbe {
  readonly epochs: Readonly<Record<string, number>>;
  readonly at: string;
}

/** What is looked at of a report. */
export interface ReportFacts extends Omit<RetirementFacts, "first" | "second" | "kms"> {
  readonly first: ReportedProbe;
  readonly second: ReportedProbe;
  readonly kms: {
    readonly last: { readonly operation: string; readonly at: string } | null;
    readonly since: string | null;
  };
}

const probeSchema = z.object({
  epochs: z.record(z.string(), z.int()),
  at: z.string(),
});

/** Of a report that was signed: the vault that signs it writes this form. */
const factsSchema: z.ZodType<ReportFacts> = z.looseObject({
  key: z.string(),
  by: z.string(),
  approval: z.object({ requestedBy: z.string(), approvedBy: z.string().nullable() }).nullable(),
  first: probeSchema,
  deniedAt: z.string(),
  waitedSeconds: z.int(),
  second: probeSchema,
  kms: z.object({
    last: z.object({ operation: z.string(), at: z.string() }).nullable(),
    since: z.string().nullable(),
  }),
  run: z.object({ id: z.string(), endedAt: z.string().nullable() }).nullable(),
  backups: z.array(z.object({ backup: z.string(), at: z.string() })),
  disabledAt: z.string(),
  state: z.object({ state: z.string(), deletionAt: z.string().nullable() }),
  not: z.array(z.string()),
});

/** A report that was opened. */
export interface OpenedReport {
  readonly vault: string;
  readonly facts: ReportFacts;
}

/**
 * Opens a report offline.
 *
 * @param key the verifier key, from elsewhere than the report
 * @throws CliError `report-refused`
 */
export function openReport(note: string, key: string): OpenedReport {
  const { kind, vault, facts } = opened(note, key);
  const parsed = factsSchema.safeParse(facts);
  if (kind === REPORT_KINDS.retired && parsed.success) return { vault, facts: parsed.data };
  throw new CliError("report-refused", { detail: "It is signed, and is no report of a retirement." });
}

function opened(note: string, key: string): OpenedStatement {
  try {
    return openStatement(note, key);
  } catch (cause) {
    if (isVaultError(cause)) throw new CliError("report-refused", { detail: cause.message, cause });
    throw cause;
  }
}

/** What a person reads. */
export function reportView({ vault, facts }: OpenedReport): string {
  const { key, by, approval, first, second, kms, backups, not, state, disabledAt } = facts;
  const last = kms.last === null ? "no use known" : `last used at ${kms.last.at}, for ${kms.last.operation}`;
  const rows: readonly (readonly [string, string])[] = [
    ["Key", key],
    ["Vault", vault],
    [
      "By",
      approval === null ? by : `${by}, asked by ${approval.requestedBy}, approved by ${approval.approvedBy ?? "-"}`,
    ],
    ["Nothing under it", `${first.at} and, after ${facts.waitedSeconds} s, ${second.at}`],
    ["Wrapping denied", facts.deniedAt],
    ["Its KMS says", `${last}${kms.since === null ? "" : ` (looking since ${kms.since})`}`],
    ["State", `${state.state}, since ${disabledAt}`],
    ["Backups", backups.length === 0 ? "none of before is known" : `${backups.length} need it while they are kept:`],
  ];
  const width = rows.reduce((widest, [name]) => Math.max(widest, name.length), 0) + 2;
  return [
    ...rows.map(([name, text]) => `${name.padEnd(width)}${text}`),
    ...backups.map(({ backup, at }) => `${" ".repeat(width)}${backup}, made ${at}`),
    "It does not prove anything of:",
    ...not.map((text) => `  ${text}`),
  ].join("\n");
}

/** A signed report as it is given out. */
export interface GivenReport extends SignedStatement {
  readonly facts: RetirementFacts;
}
