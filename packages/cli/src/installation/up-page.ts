// The page that `strongroom up` shows: what runs where, and what to try next. Every command on it works when it is
// pasted into another terminal in the same folder.
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { commandLines, type Terminal, wrapped } from "@strongroom/base/terminal";
import type { DataFolder } from "../data-folder.ts";

/** What the page tells. */
export interface WelcomePage {
  readonly url: string;
  readonly endpoints: Readonly<Record<string, string>>;
  readonly faultsEndpoint: string | null;
  readonly folder: DataFolder;
  /** Where the records lie; null: in the folder. */
  readonly store: string | null;
  readonly cwd: string;
  readonly policy: { readonly minimum: number; readonly target: number };
  /** Regions where a key was made by this start. */
  readonly made: readonly string[];
}

/** The file of example people in a checkout. */
const EXAMPLE_PEOPLE = "examples/demo/people.ndjson";

/** Renders the page. */
export function welcomePage(terminal: Terminal, page: WelcomePage): string {
  const bold = (text: string): string => terminal.style("bold", text);
  const dim = (text: string): string => terminal.style("dim", text);
  const cyan = (text: string): string => terminal.style("cyan", text);
  const path = (file: string): string => shown(file, page.cwd);
  const facts: [string, string][] = [
    [
      "Service",
      `${cyan(page.url)}   ` + dim(`${page.policy.minimum} of ${page.policy.target} regions must wrap a record`),
    ],
    ...Object.entries(page.endpoints).map(([region, url], index): [string, string] => [
      index === 0 ? "KMS" : "",
      `${cyan(url)}   ${region}${page.made.includes(region) ? dim("   key made") : ""}`,
    ]),
    ["Data", path(page.folder.path)],
    ...(page.store === null ? [] : ([["Records", page.store]] as [string, string][])),
    ["Token", `${path(page.folder.token)}   ${dim("picked up by the commands below")}`],
    ["Log", path(page.folder.log)],
  ];
  const lines = [
    "",
    bold("Strongroom is up."),
    "",
    ...facts.map(([label, value]) => wrapped(`  ${bold(label.padEnd(9))}${value}`, terminal.width, 11)),
    "",
    bold("Try it, in another terminal:"),
    ...steps(page, path).flatMap(({ meaning, command }) => [
      "",
      `  ${dim(`# ${meaning}`)}`,
      ...command.map((line) => commandLines(line, terminal.width, "  ")),
    ]),
    "",
    dim("Ctrl-C ends it; the next start finds everything again."),
  ];
  return lines.join("\n");
}

interface Step {
  readonly meaning: string;
  readonly command: readonly string[];
}

function steps({ url, endpoints, faultsEndpoint, folder, cwd }: WelcomePage, path: (file: string) => string): Step[] {
  const where = folder.path === join(cwd, "strongroom-data") ? "" : ` --data-dir ${quoted(path(folder.path))}`;
  const run = (words: string): string => `npx strongroom ${words}${where}`;
  const people = existsSync(join(cwd, EXAMPLE_PEOPLE)) ? EXAMPLE_PEOPLE : null;
  const firstRegion = Object.keys(endpoints)[0] ?? "";
  return [
    {
      meaning: "store a person, and read her back",
      command: [`echo '{"name":"Ada Lovelace","born":"1815-12-10"}' | ${run("put people ada")}`, run("get people ada")],
    },
    {
      meaning: "the same over HTTP",
      command: [`curl -H @${quoted(path(folder.tokenHeader))} ${url}/v1/records/people/ada`],
    },
    ...(people === null
      ? []
      : [
          {
            meaning: "a whole file in, and out again",
            command: [
              run(`import people ${people} --id id`),
              run(`export people ${quoted(path(join(folder.path, "people.csv")))}`),
            ],
          },
        ]),
    ...(faultsEndpoint === null
      ? []
      : [
          {
            meaning: "lose a region, write on, bring it back",
            command: [
              `curl -H @${quoted(path(folder.kmsControlHeader))} -X POST ${faultsEndpoint}/_strongroom/regions/${firstRegion}/stop`,
              `curl -H @${quoted(path(folder.kmsControlHeader))} -X POST ${faultsEndpoint}/_strongroom/regions/${firstRegion}/start`,
            ],
          },
        ]),
    { meaning: "how the regions are, and whether all is well", command: [run("regions"), run("doctor")] },
  ];
}

/** A path as the person would type it: relative where it lies below the working folder. */
function shown(file: string, cwd: string): string {
  const near = relative(cwd, file);
  return near === "" || near.startsWith("..") ? file : near;
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
