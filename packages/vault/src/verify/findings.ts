/**
 * What a verification has found and counted so far.
 */
import { NOTES } from "./report.ts";
import type { VerifyCode, VerifyCounts, VerifyFinding, VerifyReport } from "./report.ts";

type Counter = keyof VerifyCounts;

export class Findings {
  readonly #named: number;
  readonly #tell: (finding: VerifyFinding) => void;
  readonly #codes = new Map<VerifyCode, number>();
  readonly #first: VerifyFinding[] = [];
  readonly #unopened = new Map<string, number>();
  readonly #looked: Record<Counter, number> = {
    records: 0,
    versions: 0,
    people: 0,
    keys: 0,
    wraps: 0,
    heads: 0,
    erased: 0,
  };
  #unsettled = 0;
  #owed = 0;

  /** @param named how many are kept */
  constructor(named: number, tell: (finding: VerifyFinding) => void) {
    this.#named = named;
    this.#tell = tell;
  }

  add(finding: VerifyFinding): void {
    this.#codes.set(finding.code, (this.#codes.get(finding.code) ?? 0) + 1);
    if (finding.owed === true) this.#owed++;
    if (this.#first.length < this.#named) this.#first.push(finding);
    this.#tell(finding);
  }

  looked(what: Counter, count = 1): void {
    this.#looked[what] += count;
  }

  /** @param why a region, or the code of an error */
  unopened(why: string): void {
    this.#unopened.set(why, (this.#unopened.get(why) ?? 0) + 1);
  }

  unsettled(): void {
    this.#unsettled++;
  }

  /** Without what harms nobody. */
  get problems(): number {
    let sum = 0;
    for (const [code, count] of this.#codes) if (!NOTES.has(code)) sum += count;
    return sum;
  }

  report(): Omit<VerifyReport, "sample" | "seconds"> {
    const codes = [...this.#codes].sort(([a], [b]) => (a < b ? -1 : 1));
    const problems = codes.filter(([code]) => !NOTES.has(code));
    const isComplete = this.#unopened.size === 0 && this.#unsettled === 0;
    return {
      verdict: problems.length > 0 ? "problems" : isComplete ? "whole" : "incomplete",
      looked: { ...this.#looked },
      problems: Object.fromEntries(problems),
      notes: Object.fromEntries(codes.filter(([code]) => NOTES.has(code))),
      findings: [...this.#first],
      unopened: Object.fromEntries(this.#unopened),
      unsettled: this.#unsettled,
      owed: this.#owed,
    };
  }
}
