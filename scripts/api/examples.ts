// The examples of the doc comments: what the entry points export, function by function, class by class and type by type,
// with the code of each `@example` of its own and of its members.
import { join } from "node:path";
import ts from "typescript";
import type { EntryPoint } from "./entry-points.ts";

/** One thing that users can import. */
export interface PublicName {
  /** The first entry point that exports it. */
  readonly entry: EntryPoint;
  readonly name: string;
  /** Whether users call it: a function or a class. */
  readonly callable: boolean;
  /** The code of each `@example`, without its fence. */
  readonly examples: readonly string[];
}

/** What the entry points export and either is called or has examples, each once. */
export function publicNames(root: string, entries: readonly EntryPoint[]): readonly PublicName[] {
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    compilerOptions(root),
  );
  const checker = program.getTypeChecker();
  const found = new Map<ts.Symbol, PublicName>();
  for (const entry of entries) {
    const source = program.getSourceFile(entry.file);
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    if (module === undefined) throw new TypeError(`${entry.name} has no source ${entry.file}`);
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      if (found.has(symbol)) continue;
      const members = symbol.members?.values() ?? [];
      const examples = [symbol, ...members].flatMap((one) => examplesOf(one, checker));
      const callable = !isTypeOnly(exported) && isCallable(symbol, checker);
      found.set(symbol, { entry, name: exported.name, callable, examples });
    }
  }
  return [...found.values()].filter(({ callable, examples }) => callable || examples.length > 0);
}

/** The compiler's options for code of this checkout. */
export function compilerOptions(root: string): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  return ts.parseJsonConfigFileContent(config, ts.sys, root).options;
}

/** A class of which only the type is exported is none that users make. */
function isTypeOnly(exported: ts.Symbol): boolean {
  return exported.declarations?.every((one) => ts.isTypeOnlyExportDeclaration(one)) ?? false;
}

function isCallable(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  if (symbol.valueDeclaration === undefined) return false;
  const type = checker.getTypeOfSymbolAtLocation(symbol, symbol.valueDeclaration);
  return type.getCallSignatures().length + type.getConstructSignatures().length > 0;
}

function examplesOf(symbol: ts.Symbol, checker: ts.TypeChecker): readonly string[] {
  return symbol
    .getJsDocTags(checker)
    .filter((tag) => tag.name === "example")
    .map((tag) => codeOf(ts.displayPartsToString(tag.text)));
}

function codeOf(text: string): string {
  return /```ts\n([^]*?)```/.exec(text)?.[1] ?? text;
}
