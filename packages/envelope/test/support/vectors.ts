/** Published test vectors; where each file is from is written in it, and in the README beside them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** @param file its path in test/vectors, without the ending */
export function readVectors(file: string): unknown {
  const text = readFileSync(join(import.meta.dirname, `../vectors/${file}.json`), "utf8");
  return (JSON.parse(text) as { readonly vectors: unknown }).vectors;
}
