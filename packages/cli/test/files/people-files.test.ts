import assert from "node:assert/strict";
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runCommand } from "../support/command.ts";
import { type Installation, startInstallation, temporaryFolder } from "../support/installation.ts";
import { PEOPLE_FILES } from "./table.ts";

const FILES = fileURLToPath(new URL("people/", import.meta.url));
const PAGE = fileURLToPath(new URL("../../../../docs/importing.md", import.meta.url));
const EXPECTED = fileURLToPath(new URL("expected.ndjson", import.meta.url));

/** Written anew where what must come of the files is to change; then read it before it is committed. */
const WRITE_EXPECTED = process.env["WRITE_EXPECTED"] === "1";

type Documents = readonly object[];

describe("files as people have them", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let installation: Installation;
  const expected = new Map<string, Documents>();
  before(async () => {
    folder = await temporaryFolder();
    installation = await startInstallation(folder.path);
    for (const line of (await readFile(EXPECTED, "utf8").catch(() => "")).split("\n"))
      if (line !== "") {
        const { file, documents } = JSON.parse(line) as { readonly file: string; readonly documents: Documents };
        expected.set(file, documents);
      }
  });
  after(async () => {
    assert.equal(await installation.stop(), 0);
    await folder[Symbol.asyncDispose]();
    if (WRITE_EXPECTED)
      await writeFile(
        EXPECTED,
        [...expected].map(([file, documents]) => `${JSON.stringify({ file, documents })}\n`).join(""),
      );
  });

  /** Words are separated by blanks; a blank of a word is written as one that does not break. */
  const run = async (line: string): Promise<string> => {
    const words = line.split(" ").map((word) => word.replaceAll("\u00a0", " "));
    const { code, stdout, stderr } = await runCommand(words, { cwd: folder.path });
    assert.equal(code, 0, `${line}\n${stderr}`);
    return stdout;
  };
  const documentsOf = async (path: string): Promise<Documents> =>
    (await readFile(join(folder.path, path), "utf8"))
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as object]));

  it("are all in the table", async () => {
    assert.deepEqual((await readdir(FILES)).sort(), PEOPLE_FILES.map(({ file }) => file).sort());
  });

  it("are what the recipes on docs/importing.md are for, each tried as it stands there", async () => {
    const page = await readFile(PAGE, "utf8");
    const recipes = [...page.matchAll(/^npx strongroom import \S+ (\S+) (.+)$/gm)].map(
      ([, file = "", options = ""]) => ({
        file,
        // Quotes are the shell's.
        options: options.replace(/'([^']*)'/g, (_all, word: string) => word.replaceAll(" ", "\u00a0")),
      }),
    );
    const tried = recipes.filter(({ file }) => PEOPLE_FILES.some((row) => row.file === file));
    for (const { file, options } of tried)
      assert.equal(options, PEOPLE_FILES.find((row) => row.file === file)?.options, file);
    for (const name of ["Keycloak", "Auth0", "Firebase", "SCIM", "DynamoDB", "MongoDB", "FHIR"]) {
      const [, section = ""] = page.split(`### ${name}\n`);
      const [own = ""] = section.split("\n### ");
      assert.ok(
        tried.some(({ file }) => own.includes(` ${file} `)),
        `${name} has no recipe that was tried`,
      );
    }
  });

  for (const [index, { file, kind, quirk, options, records }] of PEOPLE_FILES.entries())
    it(`${file} (${kind}: ${quirk})`, async () => {
      const [one, two, three] = ["a", "b", "c"].map((name) => `${name}${index}`);
      await copyFile(join(FILES, file), join(folder.path, file));
      const report = JSON.parse(await run(`import ${one} ${file} ${options} --json`)) as { readonly created: number };
      assert.equal(report.created, records);

      await run(`export ${one} plain.ndjson`);
      const documents = sorted(await documentsOf("plain.ndjson"));
      if (WRITE_EXPECTED) expected.set(file, documents);
      assert.deepEqual(documents, expected.get(file));

      // Out and in again, in both formats: the same documents under the same ids.
      await run(`export ${one} out.ndjson --id record-id`);
      await run(`export ${one} out.csv --id record-id`);
      await run(`import ${two} out.ndjson --id record-id`);
      await run(`import ${three} out.csv --id record-id`);
      const first = await documentsOf("out.ndjson");
      for (const collection of [two, three]) {
        await run(`export ${collection} again.ndjson`);
        assert.deepEqual(await documentsOf("again.ndjson"), first, collection);
      }

      // The same file again: nobody is there twice.
      const again = JSON.parse(await run(`import ${one} ${file} ${options} --json`)) as { readonly unchanged: number };
      assert.equal(again.unchanged, records);
    });
});

/** Ids may be random, so the order of an export is none to hold on to. */
function sorted(documents: Documents): Documents {
  return documents.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}
