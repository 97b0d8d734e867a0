/**
 * The options of a run, as a caller gives them.
 */
import { ownOptions } from "@strongroom/base/options";
import { VaultError } from "../errors.ts";
import type { ConvergeOptions } from "./view.ts";

/** Of a run that was begun without others. */
export const DEFAULT_CONVERGE_OPTIONS: Required<ConvergeOptions> = {
  /** A wrap that nobody has opened is a promise. */
  verify: 1,
  keepOld: false,
  /** A few percent of what a KMS allows an account. */
  rate: 100,
  material: "any",
  scopes: true,
  fresh: false,
  force: false,
};

/** Calls a second and region, at most. */
const MAX_RATE = 1_000_000;

/** Bytes of a reason. */
const MAX_REASON = 512;

const isFlag = (value: unknown): boolean => typeof value === "boolean";

/** Option -> whether a value will do, and what it must be. */
const OPTIONS: Readonly<Record<keyof ConvergeOptions, readonly [is: (value: unknown) => boolean, mustBe: string]>> = {
  verify: [(value) => isNumber(value) && value >= 0 && value <= 1, "a share from 0 to 1"],
  keepOld: [isFlag, "true or false"],
  rate: [(value) => isNumber(value) && value > 0 && value <= MAX_RATE, `a number of calls up to ${MAX_RATE}`],
  material: [(value) => value === "any" || value === "current", '"any" or "current"'],
  scopes: [isFlag, "true or false"],
  fresh: [isFlag, "true or false"],
  force: [isFlag, "true or false"],
};

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** @throws VaultError `vault-option-invalid` with everything that is wrong */
export function parseConvergeOptions(given: ConvergeOptions): Required<ConvergeOptions> {
  const names = Object.keys(OPTIONS);
  const { values, problems: found } = ownOptions(given, names, "what a run is made with");
  const problems = [...found];
  const options: Record<string, unknown> = { ...DEFAULT_CONVERGE_OPTIONS };
  for (const [name, [isRight, mustBe]] of Object.entries(OPTIONS)) {
    const value = values[name];
    if (value === undefined) continue;
    if (isRight(value)) options[name] = value;
    else problems.push(`${name} must be ${mustBe}`);
  }
  if (problems.length > 0) throw new VaultError("vault-option-invalid", `converge: ${problems.join("; ")}`);
  return options as unknown as Required<ConvergeOptions>;
}

/** Why a run was paused, ended or undone. @throws VaultError `vault-option-invalid` */
export function parseReason(given: string): string {
  const isReason =
    typeof (given as unknown) === "string" &&
    given.trim() !== "" &&
    given.isWellFormed() &&
    Buffer.byteLength(given, "utf8") <= MAX_REASON &&
    !/\p{Cc}/u.test(given);
  if (isReason) return given;
  throw new VaultError("vault-option-invalid", `A reason is a text of up to ${MAX_REASON} bytes on one line`);
}
