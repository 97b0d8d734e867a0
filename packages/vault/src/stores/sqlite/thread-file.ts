/**
 * Where the writer thread's own file is, and how Node is to start it.
 */
import { existsSync } from "node:fs";

/** Sources run as TypeScript, the published package as JavaScript. Null: a bundler has taken this file elsewhere. */
export function threadFile(): URL | null {
  const here = import.meta.url as string | undefined;
  if (here === undefined) return null;
  const file = new URL(here.endsWith(".ts") ? "./writer-thread.ts" : "./writer-thread.js", here);
  return existsSync(file) ? file : null;
}

/**
 * Where sources run, as in a checkout, the thread resolves packages to sources too: it would not inherit that from
 * hooks that the program registered, and of the flags of Node, which it would, some are refused in a thread. What
 * Node 22 says of its SQLite it has said in this thread already.
 */
export function threadOptions({ pathname }: URL): string[] {
  const sources = pathname.endsWith(".ts") ? ["--conditions=@strongroom/source"] : [];
  return [...sources, "--disable-warning=ExperimentalWarning"];
}
