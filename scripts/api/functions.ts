// The public functions: every function that an entry point exports, with the examples of its doc comment.
import { join } from "node:path";
import ts from "typescript";
import type { EntryPoint } from "./entry-points.ts";

/** One function that users can call. */
export interface PublicFunction {
  readonly entry: EntryPoint;
  readonly name: string;
  /** Where it is declared, absolute. */
  readonly file: string;
  /** The code of each `@example`, without its fence. */
  readonly examples: readonly string[];
}

/** The functions of all entry points, each once, under the first entry point that exports it. */
export function publicFunctions(root: string, entries: readonly EntryPoint[]): readonly PublicFunction[] {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    options,
  );
  const checker = program.getTypeChecker();
  const found = new Map<ts.Symbol, PublicFunction>();
  for (const entry of entries) {
    const source = program.getSourceFile(entry.file);
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    if (module === undefined) throw new TypeError(`${entry.name} has no source ${entry.file}`);
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const declaration = symbol.valueDeclaration;
      if (declaration === undefined || found.has(symbol)) continue;
      if (checker.getTypeOfSymbolAtLocation(symbol, declaration).getCallSignatures().length === 0) continue;
      const examples = symbol
        .getJsDocTags(checker)
        .filter((tag) => tag.name === "example")
        .map((tag) => codeOf(ts.displayPartsToString(tag.text)));
      found.set(symbol, { entry, name: exported.name, file: declaration.getSourceFile().fileName, examples });
    }
  }
  return [...found.values()];
}

function codeOf(text: string): string {
  return /```ts\n([^]*?)```/.exec(text)?.[1] ?? text;
}
