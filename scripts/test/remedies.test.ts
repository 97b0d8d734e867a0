import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { COMMAND_ERRORS } from "@strongroom/base/errors";
import type { ProgramSpec } from "@strongroom/base/command";
import { settingsIn } from "@strongroom/base/settings";
import { CLIENT_ERRORS } from "@strongroom/client";
import { ENVELOPE_ERRORS } from "@strongroom/envelope";
import { KMS_ERRORS } from "@strongroom/kms";
import { SERVER_ERRORS } from "@strongroom/server";
import { VAULT_ERRORS } from "@strongroom/vault";
import { CLI_ERRORS } from "strongroom";
import { PROGRAM } from "../../packages/cli/src/program.ts";
import { KMS_PROGRAM } from "../../packages/kms/src/command/program.ts";

const root = join(import.meta.dirname, "../..");

const TABLES = { COMMAND_ERRORS, CLI_ERRORS, CLIENT_ERRORS, ENVELOPE_ERRORS, KMS_ERRORS, SERVER_ERRORS, VAULT_ERRORS };

/** What there is to name. */
const PROGRAMS: readonly ProgramSpec[] = [PROGRAM, KMS_PROGRAM];
const tables = PROGRAMS.flatMap((program) => program.tables);
const settings = tables.flatMap(({ settings: { table } }) => settingsIn(table));
const COMMANDS = new Set([...tables.flatMap(({ commands }) => commands.map(({ name }) => name)), "completion", "help"]);
const FLAGS = new Set([
  ...["--help", "--version", "--json", "--config"],
  ...settings.flatMap(({ setting }) => setting.ways.map(({ flag }) => longFlag(flag ?? ""))),
  ...tables.flatMap(({ commands }) =>
    commands.flatMap(({ options }) => Object.values(options).map(({ flags }) => longFlag(flags))),
  ),
]);
const VARIABLES = new Set([
  ...["STRONGROOM_CONFIG", "STRONGROOM_TOKEN", "STRONGROOM_STORE_PASSWORD"],
  ...settings.flatMap(({ setting }) => setting.ways.map(({ env }) => env)),
]);
const SETTINGS = new Set(settings.map(({ path }) => path));
const GROUPS = new Set([...SETTINGS].filter((path) => path.includes(".")).map((path) => path.split(".")[0]));

function longFlag(flags: string): string {
  return /--[a-z-]+/.exec(flags)?.[0] ?? "";
}

/** What a text names that is not there. */
function absentIn(text: string): readonly string[] {
  // Those of other programs: `aws kms describe-key --key-id …`.
  const own = text.replace(/\b(?:aws|psql|sqlite3|chmod|curl|npm) [^;.:"]*/g, "");
  const absent: string[] = [];
  for (const [flag] of own.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)) if (!FLAGS.has(flag)) absent.push(flag);
  for (const [name] of own.matchAll(/\bSTRONGROOM_[A-Z_]+\b/g)) if (!VARIABLES.has(name)) absent.push(name);
  for (const [, words = ""] of own.matchAll(
    /\bstrongroom(?:-kms)? ((?:kms )?[a-z]+(?:-[a-z]+)*(?: [a-z]+(?:-[a-z]+)*)?)/g,
  ))
    if (!isCommand(words)) absent.push(`strongroom ${words}`);
  for (const [path] of own.matchAll(/\b[a-z][A-Za-z]+\.[a-z][A-Za-z]+\b/g)) {
    const [group = "", name = ""] = path.split(".");
    if (/^(json|ts|js|md|log|sqlite|key|header|access|checkpoint|config)$/.test(name)) continue;
    if (GROUPS.has(group) && !SETTINGS.has(path)) absent.push(path);
  }
  for (const [, name = ""] of own.matchAll(/`(\w+)` of the configuration/g)) if (!GROUPS.has(name)) absent.push(name);
  for (const [path] of own.matchAll(/\bdocs\/[\w/-]+\.md\b/g)) if (!existsSync(join(root, path))) absent.push(path);
  for (const [, name = ""] of own.matchAll(/`([a-z]+[A-Z]\w*)`/g)) if (!isNamedInSources(name)) absent.push(name);
  return absent;
}

/** The longest run of words that is a command, the rest being arguments; a group of commands is one as well. */
function isCommand(words: string): boolean {
  const parts = words.split(" ");
  const known = (text: string): boolean =>
    COMMANDS.has(text) || [...COMMANDS].some((name) => name.startsWith(`${text} `));
  return (
    known(words) || (parts.length > 1 && COMMANDS.has(parts.slice(0, -1).join(" "))) || COMMANDS.has(`kms ${words}`)
  );
}

const sources = globSync("packages/*/src/**/*.ts", { cwd: root }).filter((file) => !/api-t|\/src\/crypto\//.test(file));
const all = sources.map((file) => readFileSync(join(root, file), "utf8")).join("\n");
const isNamedInSources = (name: string): boolean => new RegExp(`\\breadonly ${name}\\??:`).test(all);

describe("a remedy", () => {
  for (const [table, rows] of Object.entries(TABLES))
    it(`of ${table} names nothing that is not there`, () => {
      const wrong = Object.entries(rows as Readonly<Record<string, { readonly remedy: string }>>).flatMap(
        ([code, { remedy }]) => absentIn(remedy).map((what) => `${code}: ${what}`),
      );
      assert.deepEqual(wrong, []);
    });

  it("made for one case, a summary, an example and every other text names nothing that is not there", () => {
    const wrong = sources.flatMap((file) =>
      textsOf(readFileSync(join(root, file), "utf8")).flatMap((text) =>
        absentIn(text).map((what) => `${file}: ${what}`),
      ),
    );
    assert.deepEqual(wrong, []);
  });

  it("is looked at by rules that see what is wrong", () => {
    assert.deepEqual(
      absentIn(
        "strongroom frobnicate --no-such-flag, STRONGROOM_NO, client.nothing, docs/no.md, `noSuchLimit`, " +
          "`collections` of the configuration",
      ),
      [
        "--no-such-flag",
        "STRONGROOM_NO",
        "strongroom frobnicate",
        "client.nothing",
        "collections",
        "docs/no.md",
        "noSuchLimit",
      ],
    );
    assert.deepEqual(
      absentIn("Run strongroom kms serve --data-dir DIR; client.url, STRONGROOM_URL, `documentBytes`."),
      [],
    );
  });
});

/** The texts of a source that speak of the command; those of one expression joined. */
function textsOf(source: string): readonly string[] {
  const code = source.replace(/^\s*(?:\*|\/\/|\/\*).*$/gm, "").replace(/(["'`])\s*\+\s*["'`]/g, "");
  return [...code.matchAll(/"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)]
    .map(([, quoted, template]) => quoted ?? template ?? "")
    .filter((text) => /\bstrongroom(?:-kms)? [a-z]/.test(text));
}
