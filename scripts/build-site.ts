// `npm run docs:site`: the reference of all entry points and the documents of docs/, as a site of plain files in `site/`.
// What a doc comment names and does not exist is an error.
import { cp, readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { Application, OptionDefaults, type TypeDocOptions } from "typedoc";
import { entryPoints } from "./api/entry-points.ts";

const root = join(import.meta.dirname, "..");
const out = join(root, "site");

const entries = entryPoints(root);
const moduleName = (file: string): string => relative(join(root, "packages"), file).replace(/(\/index)?\.ts$/, "");

const documents = (await readdir(join(root, "docs"), { recursive: true })).filter((name) => name.endsWith(".md"));
const options: TypeDocOptions = {
  name: "Strongroom",
  entryPoints: entries.map(({ file }) => file),
  tsconfig: join(root, "tsconfig.json"),
  readme: join(root, "README.md"),
  projectDocuments: documents.map((name) => join(root, "docs", name)),
  out,
  disableSources: true,
  highlightLanguages: [...OptionDefaults.highlightLanguages, "python", "sql"],
  // openapi-typescript's tags for what the service's document says of a member.
  blockTags: [...OptionDefaults.blockTags, "@description", "@constant"],
  excludeInternal: true,
  excludeExternals: true,
  excludePrivate: true,
  includeVersion: false,
  validation: { invalidLink: true, notExported: false, notDocumented: false },
  logLevel: "Warn",
};

const application = await Application.bootstrap(options);
const project = await application.convert();
if (project === undefined) process.exit(1);
application.validate(project);
if (application.logger.hasErrors() || application.logger.hasWarnings()) process.exit(1);
for (const module of project.children ?? []) {
  // TypeDoc names a module by its file; a reader knows it by what is imported.
  const entry = entries.find(({ file }) => moduleName(file) === module.name);
  if (entry === undefined) throw new TypeError(`${module.name} is no entry point`);
  module.name = entry.name;
}
await application.generateOutputs(project);
if (application.logger.hasErrors() || application.logger.hasWarnings()) process.exit(1);
const list = await readFile(join(root, "llms.txt"), "utf8");
const listed = [...list.matchAll(/\]\(([^)]+)\)/g)].map(([, path = ""]) => path);
for (const path of ["llms.txt", ...listed]) await cp(join(root, path), join(out, path));
console.log(`The reference is in ${out}: open ${join(out, "index.html")}`);
