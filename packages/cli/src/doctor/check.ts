// What a check of `strongroom doctor` is given, and what it says.
import type { Terminal } from "@strongroom/base/terminal";
import type { LoadedConfig } from "../config/load.ts";
import type { DataFolder } from "../data-folder.ts";
import type { StoreParts } from "../store/open.ts";

/** How bad a finding is: a warning does not fail the run. */
export type Severity = "ok" | "warning" | "failure";

/** One line of the doctor's table. */
export interface Finding {
  readonly what: string;
  readonly severity: Severity;
  readonly detail: string;
  /** What to do; absent where nothing is to be done. */
  readonly remedy?: string;
}

/** What a check looks at. */
export interface CheckSubject {
  readonly loaded: LoadedConfig;
  readonly folder: DataFolder;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** For what takes its time: a check shows how far it is. */
  readonly terminal: Terminal;
}

/** A check gives one finding or several; it does not throw for what it is there to find. */
export type Check = (subject: CheckSubject) => Promise<readonly Finding[]>;

/** Longest wait for an answer of a region or of the service, in milliseconds. */
export const PATIENCE_MS = 5000;

/** What its stores are opened with. */
export function partsOf({ loaded, folder, env }: CheckSubject): StoreParts {
  return { config: loaded.config, folder, env };
}
