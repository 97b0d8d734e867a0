/**
 * The log of a test installation, line by line.
 */

/** The members that every line of a request has. */
export interface RequestLine {
  readonly level: number;
  readonly msg: string;
  readonly requestId: string;
  readonly method?: string;
  readonly route?: string | null;
  readonly status?: number;
  readonly durationMs?: number;
  readonly tokenId?: string | null;
  readonly code?: string;
  readonly fault?: readonly { readonly name: string; readonly frames: readonly string[] }[];
}

export function logLines(log: string): readonly RequestLine[] {
  return log
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as RequestLine);
}

export function requestLines(log: string): readonly RequestLine[] {
  return logLines(log).filter(({ msg }) => msg === "request");
}
