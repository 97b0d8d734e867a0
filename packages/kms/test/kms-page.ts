// docs/kms.md is made from the tests that pin what it says: the behaviours from the calls of `behaviour`, the
// operations from the table, each with the tests that call it. `npm run docs:kms -w packages/kms` writes the page.

import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { EXIT_CODES } from "@strongroom/base/errors";
import { KMS_ERRORS } from "../src/errors.ts";
import { FAULT_KINDS } from "../src/faults/fault.ts";
import { KEY_SPECS, KEY_USAGES, algorithmsOf } from "../src/keys/key-spec.ts";
import type { KeySpec } from "../src/keys/key-spec.ts";
import { OPERATIONS } from "../src/operations/table.ts";
import { conditionRows, otherKeys, permissionRows } from "./access-page.ts";
import { KEY_STATES, admits } from "./key-states.ts";

export const PAGE: string = resolve(import.meta.dirname, "../../../docs/kms.md");

export interface Behaviour {
  readonly number: number;
  readonly title: string;
  readonly operations: readonly string[];
  readonly file: string;
}

const here = import.meta.dirname;

/** Every behaviour that a test pins, in order. */
export function behaviours(): readonly Behaviour[] {
  const found = readdirSync(join(here, "behaviours"))
    .filter((name) => name.endsWith(".test.ts"))
    .flatMap((file) => {
      const source = readFileSync(join(here, "behaviours", file), "utf8");
      return [...source.matchAll(/behaviour\(\s*(\d+),\s*"((?:[^"\\]|\\.)*)",\s*\[([^\]]*)\]/g)].map(
        ([, number, title, operations]) => ({
          number: Number(number),
          title: title ?? "",
          operations: [...(operations ?? "").matchAll(/"(\w+)"/g)].map(([, name]) => name ?? ""),
          file: `behaviours/${file}`,
        }),
      );
    });
  return found.sort((a, b) => a.number - b.number);
}

/** At most so many are named: the operations that every test needs would fill the page. */
const MAX_FILES = 3;

/** The first test files that call an operation through a client or over the wire. */
function filesCalling(operation: string): readonly string[] {
  const method = operation.charAt(0).toLowerCase() + operation.slice(1);
  const folders = ["operations", "behaviours", "access", "audit", "auth", "faults"];
  const files = folders.flatMap((folder) =>
    readdirSync(join(here, folder))
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => `${folder}/${name}`),
  );
  return files
    .filter((file) => {
      const source = readFileSync(join(here, file), "utf8");
      return new RegExp(`\\.${method}\\(|"${operation}"`).test(source);
    })
    .slice(0, MAX_FILES);
}

const link = (file: string): string => `[${file.replace(/^.*\/|\.test\.ts$/g, "")}](../packages/kms/test/${file})`;
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

const admissionText = (admitted: boolean | null): string => (admitted === null ? "" : admitted ? "yes" : "no");

function operationRows(): string[] {
  const pinned = behaviours();
  return [...OPERATIONS.values()].map(({ name }) => {
    const numbers = pinned.filter((one) => one.operations.includes(name)).map((one) => one.number);
    const states = KEY_STATES.map((state) => admissionText(admits(name, state.name)));
    return `| ${name} | ${states.join(" | ")} | ${numbers.join(", ")} | ${filesCalling(name).map(link).join(" ")} |`;
  });
}

function specRows(): string[] {
  return (Object.keys(KEY_SPECS) as KeySpec[]).map((spec) => {
    const uses = KEY_USAGES.filter((usage) => algorithmsOf(spec, usage).length > 0).map(
      (usage) => `${usage}: ${algorithmsOf(spec, usage).join(", ")}`,
    );
    return `| ${spec} | ${uses.join("<br>")} |`;
  });
}

function exitRows(): string[] {
  return Object.entries(EXIT_CODES).map(([outcome, { code, meaning }]) => {
    const errors = Object.entries(KMS_ERRORS)
      .filter(([, row]) => row.outcome === outcome)
      .map(([error]) => `\`${error}\``);
    return `| ${code} | ${meaning} | ${errors.join(", ")} |`;
  });
}

/** The page as the tests of this moment make it. */
export function kmsPage(): string {
  const text = readFileSync(join(here, "kms-page.template.md"), "utf8");
  const parts: Readonly<Record<string, readonly string[]>> = {
    BEHAVIOURS: behaviours().map(
      (one) => `| ${one.number} | ${cell(one.title)} | ${one.operations.join(", ")} | ${link(one.file)} |`,
    ),
    OPERATIONS: operationRows(),
    SPECS: specRows(),
    PERMISSIONS: permissionRows(),
    CONDITIONS: conditionRows(),
    OTHER_KEYS: otherKeys(),
    EXITS: exitRows(),
    FAULTS: FAULT_KINDS.map((kind) => `\`${kind}\``),
  };
  return text.replace(/^\{\{(\w+)\}\}$/gm, (_, name: string) =>
    (parts[name] ?? []).join(name === "FAULTS" ? ", " : "\n"),
  );
}
