// The folder of operations is the table of contents of the API: a file for each operation, named as AWS names it.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { OPERATIONS } from "../../src/operations/table.ts";

const kebab = (name: string): string => name.replaceAll(/(?<=.)[A-Z]/g, "-$&").toLowerCase();

test("src/operations has one file per operation, and nothing else but the table", () => {
  const files = readdirSync(join(import.meta.dirname, "../../src/operations"));
  const wanted = [...OPERATIONS.values()].map(({ name }) => `${kebab(name)}.ts`);
  assert.deepEqual(files.toSorted(), [...wanted, "table.ts"].toSorted());
});
