// The end of a drill: a broken promise is the command's failure.
import { CliError } from "../errors.ts";
import type { PromiseResult } from "./promises.ts";

/** @throws CliError `promise-broken`, with each of them and the first thing that broke it */
export function requireKept(promises: readonly PromiseResult<string>[], remedy?: string): void {
  const broken = promises.filter(({ outcome }) => outcome === "broken");
  if (broken.length === 0) return;
  throw new CliError("promise-broken", {
    detail: `${broken.length} of ${promises.length} promises:`,
    problems: broken.map(
      ({ promise, words: said, problems }) =>
        `${promise}: ${said} ${problems[0] ?? ""}${problems.length > 1 ? ` (and ${problems.length - 1} more)` : ""}`,
    ),
    ...(remedy === undefined ? {} : { remedy }),
  });
}
