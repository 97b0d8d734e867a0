// Module specifiers in compiled files: which there are, and other ones in their place, source map included.
import { decode, encode } from "@jridgewell/sourcemap-codec";
import ts from "typescript";

/** Every specifier that a .js or .d.ts file imports, exports from or requires, as written. */
export function specifiersOf(text: string): readonly string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

/** The package of a bare specifier (`@a/b/c` -> `@a/b`), null for a relative one and for a module of Node. */
export function packageOf(specifier: string): string | null {
  if (specifier.startsWith(".") || specifier.startsWith("node:")) return null;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

interface Replacement {
  readonly line: number;
  /** Column in the text as it was. */
  readonly column: number;
  readonly longer: number;
}

/** A text with other specifiers, and what makes its source map fit again. */
export interface Rewritten {
  readonly text: string;
  readonly moveMappings: (mappings: string) => string;
}

/**
 * Replaces specifiers; `replace` returns the one it is given where nothing changes.
 */
export function rewriteSpecifiers(text: string, replace: (specifier: string) => string): Rewritten {
  const replacements: Replacement[] = [];
  let rewritten = "";
  let end = 0;
  for (const { fileName, pos } of ts.preProcessFile(text, true, true).importedFiles) {
    const other = replace(fileName);
    if (other === fileName) continue;
    const start = text.indexOf(fileName, pos);
    const before = text.slice(0, start);
    replacements.push({
      line: before.split("\n").length - 1,
      column: start - (before.lastIndexOf("\n") + 1),
      longer: other.length - fileName.length,
    });
    rewritten += text.slice(end, start) + other;
    end = start + fileName.length;
  }
  return { text: rewritten + text.slice(end), moveMappings: (mappings) => moved(mappings, replacements) };
}

function moved(mappings: string, replacements: readonly Replacement[]): string {
  const lines = decode(mappings);
  // From the last to the first, so that columns are still those of the text as it was.
  for (const { line, column, longer } of replacements.toReversed())
    for (const segment of lines[line] ?? []) if (segment[0] > column) segment[0] += longer;
  return encode(lines);
}
