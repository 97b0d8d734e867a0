// The sources of a checkout as a graph: every file of packages/*/src, its lines, and what it imports by value or by type.
// Read as text through the TypeScript parser, so that any revision can be measured without being installed.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";

/** One import of a file: another file of the same package, or a package by its name. */
export interface Import {
  /** Path of the imported file from the checkout's root, or null for a package. */
  readonly file: string | null;
  /** What the import says: `./header.ts`, `@strongroom/vault`, `node:fs`. */
  readonly specifier: string;
  /** Whether it is there when the code runs; false for imports of types alone. */
  readonly byValue: boolean;
}

/** One source file. */
export interface SourceFile {
  /** From the checkout's root, with slashes. */
  readonly path: string;
  /** The folder below `packages/`. */
  readonly package: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly imports: readonly Import[];
}

/** Files by their path. */
export type SourceTree = ReadonlyMap<string, SourceFile>;

/** Reads `every package's src folder` below `root`; generated files (they say so in their first line) are left out. */
export function readSourceTree(root: string): SourceTree {
  const files = new Map<string, SourceFile>();
  for (const folder of readdirSync(join(root, "packages"))) {
    for (const path of typescriptFiles(join(root, "packages", folder, "src"))) {
      const text = readFileSync(path, "utf8");
      if (text.slice(0, 400).includes("@generated")) continue;
      const own = relative(root, path);
      files.set(own, {
        path: own,
        package: folder,
        text,
        lines: text.replace(/\n$/, "").split("\n"),
        imports: importsOf(text, path, root),
      });
    }
  }
  return files;
}

function typescriptFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts"))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch {
    return []; // A package without sources.
  }
}

function importsOf(text: string, path: string, root: string): readonly Import[] {
  const imports: Import[] = [];
  for (const statement of ts.createSourceFile(path, text, ts.ScriptTarget.Latest).statements) {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) continue;
    if (statement.moduleSpecifier === undefined || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const specifier = statement.moduleSpecifier.text;
    const file = specifier.startsWith(".") ? relative(root, resolve(dirname(path), specifier)) : null;
    imports.push({ file, specifier, byValue: !isTypeOnly(statement) });
  }
  return imports;
}

function isTypeOnly(statement: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(statement)) return statement.isTypeOnly;
  const clause = statement.importClause;
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = clause;
  return name === undefined && namedBindings !== undefined && ts.isNamedImports(namedBindings)
    ? namedBindings.elements.every((element) => element.isTypeOnly)
    : false;
}

/** The file and everything that it imports by value, through and through, within its package. */
export function closureOf(tree: SourceTree, path: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const queue = [path];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const file = tree.get(next);
    if (file === undefined || seen.has(next)) continue;
    seen.add(next);
    for (const { file: imported, byValue } of file.imports) if (byValue && imported !== null) queue.push(imported);
  }
  return seen;
}

/** The file of a package in which a function of that name is exported; null if there is none. */
export function definitionOf(tree: SourceTree, packageName: string, name: string): string | null {
  const declaration = new RegExp(String.raw`^export (?:async )?(?:function|const) ${name}\b`, "m");
  for (const file of tree.values()) if (file.package === packageName && declaration.test(file.text)) return file.path;
  return null;
}
