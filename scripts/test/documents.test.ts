import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const documents = globSync(["*.md", "docs/**/*.md", "packages/*/README.md", "bench/README.md", "tests/*/README.md"], {
  cwd: root,
});

/** Folders of the repository, by which a path in the text is known as one. */
const PLACES = ["packages", "docs", "scripts", "tests", "examples", "bench", ".ci"];
const PACKAGES = ["base", "cli", "client", "envelope", "kms", "server", "tlog", "vault", "witness"];

test("every link within the repository leads somewhere, its heading included", () => {
  assert.ok(documents.length > 25);
  const broken = documents.flatMap((document) =>
    linksOf(read(document))
      .filter((link) => !leadsSomewhere(document, link))
      .map((link) => `${document}: ${link}`),
  );
  assert.deepEqual(broken, []);
});

test("every path that a document names is there", () => {
  const absent = documents.flatMap((document) =>
    pathsIn(read(document))
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `${document}: ${path}`),
  );
  assert.deepEqual(absent, []);
});

test("pictures name source files that there are", () => {
  const sources = globSync("packages/*/src/**/*.ts", { cwd: root });
  const named = [...read("docs/pictures/two-walks.svg").matchAll(/[\w/-]+\.ts\b/g)].map(([name]) => name);
  assert.ok(named.length > 8);
  assert.deepEqual(
    named.filter((name) => !sources.some((source) => source.endsWith(`/src/${name}`))),
    [],
  );
});

test("no example names a record by what is personal itself, and none leaves people's data where git would add it", () => {
  const examples = [...documents, ...globSync(["packages/*/src/**/*.ts", "examples/**/*.ts"], { cwd: root })];
  const lines = examples.flatMap((document) =>
    read(document)
      .split("\n")
      .filter((line) => /strongroom (?:import|export|put|get|rm|history) |\/v1\/records\//.test(line))
      .map((line) => ({ document, line })),
  );
  assert.ok(lines.length > 30);
  const personal = /--(?:id|subject) (?:e-?mail|phone|tel|name)\b|\b(?:put|get|rm|history) [a-z]+ [^\s]*@/i;
  assert.deepEqual(
    lines.filter(({ line }) => personal.test(line)),
    [],
  );
  const files = lines.flatMap(({ line }) =>
    [...line.matchAll(/ export [a-z]+ ([\w./-]+\.(?:csv|ndjson))/g)].map(([, file = ""]) => file),
  );
  assert.ok(files.length > 1);
  if (!existsSync(join(root, ".git"))) return;
  const ignored = execFileSync("git", ["check-ignore", "--no-index", ...files], { cwd: root, encoding: "utf8" });
  assert.deepEqual(ignored.trim().split("\n"), files);
});

test("every file that the README's commands read is there", () => {
  const named = [...read("README.md").matchAll(/strongroom import [a-z]+ ([^\s-]\S*)/g)].map(([, file = ""]) => file);
  assert.ok(named.length > 0);
  assert.deepEqual(
    named.filter((file) => !existsSync(join(root, file))),
    [],
  );
});

function linksOf(markdown: string): readonly string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`(?!\])/g, "");
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

function leadsSomewhere(document: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? document : join(dirname(document), path);
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || !target.endsWith(".md") || headingsOf(read(target)).has(anchor);
}

/** As GitHub makes anchors of headings. */
function headingsOf(markdown: string): ReadonlySet<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{Letter}\p{Number} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** `packages/vault/src/store.ts`, and `vault/src/store.ts` where paths are said to be below packages/. */
function pathsIn(markdown: string): readonly string[] {
  return [...markdown.matchAll(/`([\w.-]+(?:\/[\w.-]+)+\/?)`/g)]
    .map(([, path = ""]) => path)
    .flatMap((path) => {
      const [first = "", second = ""] = path.split("/");
      if (PLACES.includes(first)) return [path];
      return PACKAGES.includes(first) && ["src", "test", "test-long"].includes(second) ? [`packages/${path}`] : [];
    });
}
