/**
 * Why nothing tells of a change, or why a read may answer wrongly after it, by its name: the first that fits. A change
 * that none of these fits is a fault.
 */
import { isWrong, nameOf } from "./page.ts";
import type { Result } from "./run.ts";

/** Why a change may be unnoticed, or a wrong answer given; null: it may not. */
export function remainsOf(result: Result): string | null {
  const name = nameOf(result);
  return REASONS.find(({ fits, wrong = false }) => fits.test(name) && (wrong || !isWrong(result)))?.why ?? null;
}

interface Reason {
  readonly fits: RegExp;
  /** Whether it explains wrong answers too. */
  readonly wrong?: true;
  readonly why: string;
}

const REASONS: readonly Reason[] = [];
