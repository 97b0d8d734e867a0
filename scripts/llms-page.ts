// llms.txt: where a language model finds what, in the form of https://llmstxt.org. Made from the titles and first sentences
// of the documents, so that it lists what is there.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Sections of the page, and the documents of each. */
const SECTIONS: readonly { readonly heading: string; readonly documents: (root: string) => readonly string[] }[] = [
  { heading: "Start", documents: () => ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"] },
  { heading: "Packages", documents: (root) => within(root, "packages", (name) => `packages/${name}/README.md`) },
  { heading: "Documentation", documents: (root) => within(root, "docs", (name) => `docs/${name}`) },
  { heading: "Decisions", documents: (root) => within(root, "docs/decisions", (name) => `docs/decisions/${name}`) },
];

function within(root: string, folder: string, path: (name: string) => string): readonly string[] {
  return readdirSync(join(root, folder))
    .sort()
    .map(path)
    .filter((one) => one.endsWith(".md") && readable(join(root, one)) !== null);
}

function readable(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // A folder without a README.
  }
}

/** The whole file. */
export function llmsPage(root: string): string {
  const { title, sentence } = summary(readFileSync(join(root, "README.md"), "utf8"));
  const sections = SECTIONS.map(({ heading, documents }) => {
    const lines = documents(root).map((path) => {
      const about = summary(readFileSync(join(root, path), "utf8"));
      return `- [${about.title}](${path}): ${about.sentence}`;
    });
    return `## ${heading}\n\n${lines.join("\n")}\n`;
  });
  return `# ${title}\n\n> ${sentence}\n\n${sections.join("\n")}`;
}

/** A document's title, and the first sentence below it. */
function summary(markdown: string): { readonly title: string; readonly sentence: string } {
  const title = /^# (.+)$/m.exec(markdown)?.[1] ?? "";
  const paragraphs = markdown.slice(markdown.indexOf(`# ${title}`) + title.length + 2).split(/\n\s*\n/);
  const prose = paragraphs.map((one) => one.trim()).find((one) => /^[A-Za-z`*[]/.test(one)) ?? "";
  const text = prose.replace(/\s+/g, " ").replace(/\[([^\]]+)\]\([^)]*\)/g, "$1");
  return { title, sentence: /^.*?[.:](?= |$)/.exec(text)?.[0].replace(/:$/, ".") ?? text };
}
