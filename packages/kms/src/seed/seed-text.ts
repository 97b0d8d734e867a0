// The text of a seed file: YAML 1.2, of which JSON is a part, and the line that each of its values is on.

import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from "yaml";
import type { Document, Node } from "yaml";

/** A mistake in a seed. */
export interface Mistake {
  /** Null if the seed is not a text. */
  readonly line: number | null;
  readonly message: string;
}

/** Where in a seed: names and positions. */
export type SeedPath = readonly PropertyKey[];

/** A seed's value, with its lines. */
export interface SeedText {
  readonly value: unknown;
  /** What is not YAML at all. */
  readonly mistakes: readonly Mistake[];
  /** The line of the value at `path`, or of the innermost one around it that is there. */
  lineOf(path: SeedPath): number | null;
}

/** A seed that is a value already. */
export const withoutText = (value: unknown): SeedText => ({ value, mistakes: [], lineOf: () => null });

/** Parses the text. Messages never quote it: it may hold key material. */
export function parseSeedText(text: string): SeedText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const mistakes: Mistake[] = document.errors.map((error) => ({
    line: lines.linePos(error.pos[0]).line,
    message: error.message,
  }));
  let value: unknown = null;
  try {
    // What is broken is listed; reading on in it would only add mistakes that are none.
    if (mistakes.length === 0) value = document.toJS();
  } catch {
    // Threat: a few lines of YAML whose references multiply into gigabytes. The parser counts and gives up.
    mistakes.push({ line: 1, message: "has too many references (*name) to the same values" });
  }
  return { value, mistakes, lineOf: (path) => lines.linePos(positionOf(document, path)).line };
}

function positionOf(document: Document, path: SeedPath): number {
  let node = document.contents;
  let position = node?.range?.[0] ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      position = (pair.key as Node).range?.[0] ?? position;
      node = pair.value as Node | null;
    } else if (isSeq(node)) {
      node = (node.items[Number(step)] ?? null) as Node | null;
      position = node?.range?.[0] ?? position;
    } else break;
  }
  return position;
}
