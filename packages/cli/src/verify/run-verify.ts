// What `strongroom verify` does: the vault opened as one process more, verified, and told as it goes on.
import {
  isVaultError,
  VAULT_ERRORS,
  type VerifyOptions,
  type VerifyProgress,
  type VerifyReport,
} from "@strongroom/vault";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { prepareDataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { withVault } from "../installation/with-vault.ts";
import { startPartsBar } from "./parts-bar.ts";
import { type LogFindings, reportView } from "./report.ts";

/** What the command was given. */
export interface VerifyRequest {
  readonly collection: string | undefined;
  readonly sample: number | undefined;
  readonly seed: string | undefined;
  readonly regions: "any" | "each";
  readonly repairWraps: boolean;
  readonly rate: number | undefined;
  readonly after: string | undefined;
  readonly all: boolean;
}

/** Between two events that tell a program how far it is, in milliseconds. */
const TELL_EVERY_MS = 2000;

/** Throws what opening the vault does, and a CliError with the vault's code for what ends the verification. */
export async function runVerify(
  context: CommandContext,
  config: Config,
  { all, ...request }: VerifyRequest,
): Promise<VerifyReport["verdict"]> {
  const { folder } = await prepareDataFolder(config.dataDir);
  return withVault(context, { config, folder }, async ({ vault }) => {
    const told = tellerOf(context);
    try {
      const report = await vault.verify({ ...given(request), ...told.listeners, signal: context.signal });
      told.end();
      const log: LogFindings | null = all ? ((await vault.audit?.verify({ signal: context.signal })) ?? null) : null;
      const { terminal } = context;
      terminal.result({ event: "report", ...report, ...(log === null ? {} : { log }) }, () => reportView(report, log));
      return log !== null && log.problems.length > 0 ? "problems" : report.verdict;
    } catch (cause) {
      told.end();
      throw ended(cause, told.cursor());
    }
  });
}

/** Without what was left out. */
function given(request: Omit<VerifyRequest, "all">): VerifyOptions {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
}

interface Teller {
  readonly listeners: Pick<VerifyOptions, "onFinding" | "onProgress">;
  /** Of the last place; null: there was none. */
  readonly cursor: () => string | null;
  readonly end: () => void;
}

function tellerOf({ terminal }: CommandContext): Teller {
  let last: VerifyProgress | null = null;
  const bar = startPartsBar(terminal);
  let toldAt = -Infinity;
  const tellProgram = (progress: VerifyProgress): void => {
    if (performance.now() - toldAt < TELL_EVERY_MS) return;
    toldAt = performance.now();
    terminal.printJson({ event: "progress", ...progress });
  };
  return {
    listeners: {
      onFinding: (finding) => {
        if (terminal.mode === "json") terminal.printJson({ event: "finding", ...finding });
      },
      onProgress: (progress) => {
        last = progress.cursor === null ? last : progress;
        if (terminal.mode === "json") tellProgram(progress);
        else bar.update(progress);
      },
    },
    cursor: () => last?.cursor ?? null,
    end: bar.end,
  };
}

/** What ended it, and where another one goes on. */
function ended(cause: unknown, cursor: string | null): unknown {
  if (!isVaultError(cause)) return cause;
  const { title, remedy } = VAULT_ERRORS[cause.code];
  const goOn = cursor === null ? "" : ` Another one goes on there: strongroom verify --after ${cursor}`;
  if (cause.code === "aborted") return new CliError("interrupted", cursor === null ? {} : { detail: goOn.trim() });
  return new CliError("startup-failed", {
    title,
    detail: `${cause.message}.${goOn}`,
    remedy,
    outcome: VAULT_ERRORS[cause.code].outcome,
    reportedCode: cause.code,
    cause,
  });
}
