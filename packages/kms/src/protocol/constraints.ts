// What AWS says of a value that breaks a constraint of the service model.

/** A constraint that a value breaks, in AWS's words. */
export interface Problem {
  readonly path: string;
  /** The value as AWS echoes it; null when it is a secret and left out. */
  readonly value: string | null;
  readonly constraint: string;
}

/** The least and the most there may be. */
export interface Limits {
  readonly min?: number;
  readonly max?: number;
}

/** The echo of a value in a message is cut here: an answer need not be as long as the request. */
const MAX_ECHO = 4096;
/** At most so many problems are told. */
const MAX_TOLD = 20;

/** A problem if there are too few or too many characters, bytes or members. */
export function checkLength(
  length: number,
  limits: Limits,
  path: string,
  value: string | null,
  problems: Problem[],
): void {
  if (limits.max !== undefined && length > limits.max) {
    problems.push({ path, value, constraint: `Member must have length less than or equal to ${limits.max}` });
  }
  if (limits.min !== undefined && length < limits.min) {
    problems.push({ path, value, constraint: `Member must have length greater than or equal to ${limits.min}` });
  }
}

/** A problem if a number is too small or too large. */
export function checkValue(raw: number, limits: Limits, path: string, problems: Problem[]): void {
  const value = String(raw);
  if (limits.max !== undefined && raw > limits.max) {
    problems.push({ path, value, constraint: `Member must have value less than or equal to ${limits.max}` });
  }
  if (limits.min !== undefined && raw < limits.min) {
    problems.push({ path, value, constraint: `Member must have value greater than or equal to ${limits.min}` });
  }
}

const describe = ({ path, value, constraint }: Problem): string => {
  if (value === null) return `Value at '${path}' failed to satisfy constraint: ${constraint}`;
  const echo = constraint === "Member must not be null" ? "null" : `'${value.slice(0, MAX_ECHO)}'`;
  return `Value ${echo} at '${path}' failed to satisfy constraint: ${constraint}`;
};

/** One message for all of them. */
export function messageOf(problems: readonly Problem[]): string {
  const noun = problems.length === 1 ? "error" : "errors";
  return `${problems.length} validation ${noun} detected: ${problems.slice(0, MAX_TOLD).map(describe).join("; ")}`;
}
