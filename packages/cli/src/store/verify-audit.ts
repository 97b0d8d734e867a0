// `strongroom audit verify`: opens the log where it lies, and nothing else, and verifies it with the public key alone;
// or verifies a person's access log, which needs no log.
import {
  type AccessLog,
  isVaultError,
  type LogReport,
  VAULT_ERRORS,
  verifyAccessLog,
  verifyAuditLog,
} from "@strongroom/vault";
import { printable } from "@strongroom/base/terminal";
import { startProgress } from "@strongroom/base/terminal/progress";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { type DataFolder, dataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { readWhole } from "../input-output.ts";
import { readVerifierKey } from "../installation/audit-key.ts";
import { openToRead } from "./open.ts";

/** What is asked for. */
export interface AskedVerification {
  /** Files. */
  readonly checkpoint: string | undefined;
  readonly accessLog: string | undefined;
  readonly key: string | undefined;
}

/** The result, as JSON. */
export interface VerifiedAudit extends LogReport {
  /** The verifier key, and whether it was given or found beside the log. */
  readonly key: string;
  readonly keyIs: "given" | "found";
}

/** A note has a few lines; an access log one of a person's life. */
const LONGEST_NOTE = 64 * 1024;
const LONGEST_ACCESS_LOG = 512 * 1024 * 1024;

/** Verifies and says what it comes to. Throws `startup-failed`, `input-unreadable`, `input-invalid`. */
export async function verifyAudit(
  context: CommandContext,
  config: Config,
  asked: AskedVerification,
): Promise<VerifiedAudit> {
  const folder = dataFolder(config.dataDir);
  const found = asked.key ?? readVerifierKey(folder.auditKey);
  if (found === null)
    throw new CliError("usage", {
      detail: `There is no ${folder.auditKey}: the key of the audit is not known.`,
      remedy: "Give the one that you have kept: --key NAME+ID+KEY; strongroom audit checkpoint --json prints it.",
    });
  const report = await told(
    asked.accessLog === undefined
      ? verifyLog(context, { config, folder, key: found, checkpoint: asked.checkpoint })
      : verifyFile(context, asked.accessLog, found),
  );
  const result: VerifiedAudit = { ...report, key: found, keyIs: asked.key === undefined ? "found" : "given" };
  context.terminal.result(result, () => reportText(result, asked));
  return result;
}

interface LogPlace {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly key: string;
  readonly checkpoint: string | undefined;
}

async function verifyLog(context: CommandContext, { config, folder, key, checkpoint }: LogPlace): Promise<LogReport> {
  const { env, signal, terminal } = context;
  const checkpoints = checkpoint === undefined ? [] : [await readText(checkpoint, "checkpoint", LONGEST_NOTE, context)];
  const log = await openToRead({ config, folder, env }, "audit");
  if (log === null)
    throw new CliError("startup-failed", {
      title: "There is no log of an audit",
      detail: "Where it is configured there is none yet, or one of another version.",
      remedy: "Check --data-dir and --audit-store; strongroom store status shows where it should be.",
      outcome: "absent",
    });
  const progress = startProgress(terminal, { label: "verify the audit", total: (await log.store.state()).size });
  try {
    return await verifyAuditLog(log.store, {
      key,
      checkpoints,
      signal,
      progress: (done) => {
        progress.update(done, done);
      },
    });
  } finally {
    progress.stop();
    await log.close();
  }
}

async function verifyFile(context: CommandContext, path: string, key: string): Promise<LogReport> {
  const text = await readText(path, "access log", LONGEST_ACCESS_LOG, context);
  try {
    return verifyAccessLog(JSON.parse(text) as AccessLog, { key });
  } catch (cause) {
    if (isVaultError(cause)) throw cause;
    throw new CliError("input-invalid", { detail: `${path} is no file of strongroom audit access-log.`, cause });
  }
}

async function readText(path: string, what: string, longest: number, context: CommandContext): Promise<string> {
  return (await readWhole(path, context, { what, longest })).toString("utf8");
}

async function told(verifying: Promise<LogReport>): Promise<LogReport> {
  try {
    return await verifying;
  } catch (cause) {
    if (!isVaultError(cause)) throw cause;
    if (cause.code === "aborted") throw new CliError("interrupted", { cause });
    const { title, remedy } = VAULT_ERRORS[cause.code];
    throw new CliError(cause.code === "vault-option-invalid" ? "usage" : "startup-failed", {
      title,
      detail: cause.message,
      remedy: cause.code === "vault-option-invalid" ? "Give the verifier key as it was printed: --key." : remedy,
      reportedCode: cause.code,
      cause,
    });
  }
}

function reportText(
  { size, forgotten, problems, keyIs }: VerifiedAudit,
  { checkpoint, accessLog }: AskedVerification,
): string {
  const what = accessLog === undefined ? "The audit" : "The access log";
  if (problems.length > 0)
    return [
      `${what} is NOT whole: ${problems.length} ${problems.length === 1 ? "thing does" : "things do"} not fit.`,
      ...problems.map(({ code, position, message }) =>
        printable(`  ${code}${position === null ? "" : ` at entry ${position}`}: ${message}`, 600),
      ),
    ].join("\n");
  return [
    `${what} is whole: ${size.toLocaleString("en")} ${size === 1 ? "entry" : "entries"}.`,
    ...(forgotten === 0 ? [] : [`${forgotten.toLocaleString("en")} of them are kept as hashes alone.`]),
    ...(accessLog === undefined
      ? [
          checkpoint === undefined
            ? "No checkpoint was given: a log that was set back as a whole would not be noticed."
            : "It goes on from the checkpoint that was given.",
        ]
      : []),
    ...(keyIs === "found"
      ? ["The key was found beside it: who wrote it could have written both. --key gives yours."]
      : []),
  ].join("\n");
}
