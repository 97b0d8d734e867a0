// npm run release: checks that everything is ready, packs and tests the packages, and publishes the very tarballs that
// were tested. Nothing is published without --publish. docs/releasing.md says when and how.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isPublished, type Package, readPackages, ROOT } from "./packages/workspace.ts";

/** What a release looks at before anything is built. */
export interface Readiness {
  /** `git status --porcelain` */
  readonly status: string;
  readonly changelog: string;
  /** Every package of the workspace, each after those it needs. */
  readonly packages: readonly Pick<Package, "name" | "manifest">[];
}

/** Everything that stands in the way of a release; nothing when it may go on. */
export function obstacles({ status, changelog, packages }: Readiness): readonly string[] {
  const versions = new Set(packages.map(({ manifest }) => manifest.version));
  const [version = ""] = versions;
  const own = new Set(packages.map(({ name }) => name));
  return [
    ...(status.trim() === "" ? [] : [`The tree has changes that are not committed:\n${status.trimEnd()}`]),
    ...(versions.size === 1
      ? []
      : [`Versions differ: ${packages.map(({ name, manifest }) => `${name} ${manifest.version}`).join(", ")}`]),
    ...packages.flatMap(({ name, manifest }) =>
      Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
        .filter(([dependency, range]) => own.has(dependency) && range !== version)
        .map(([dependency, range]) => `${name} needs ${dependency} ${range}, not ${version}`),
    ),
    ...(changelog.split("\n").some((line) => line.startsWith(`## ${version} `) || line === `## ${version}`)
      ? []
      : [`CHANGELOG.md has no section "## ${version}"`]),
  ];
}

/** The arguments with which npm publishes a tarball. A version such as 1.0.0-rc.1 does not become `latest`. */
export function publishArguments(tarball: string, version: string): readonly string[] {
  const tag = version.includes("-") ? "next" : "latest";
  return ["publish", tarball, "--access", "public", "--provenance", "--tag", tag, "--ignore-scripts"];
}

function testAndPublish(packages: readonly Package[], tarballs: string, publish: boolean): void {
  const { status: tested } = spawnSync("npm", ["run", "test:packages"], {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, STRONGROOM_TARBALLS: tarballs },
  });
  if (tested !== 0) throw new Error("The packed packages failed their tests: nothing was published.");

  for (const { name, manifest } of packages.filter(isPublished)) {
    const file = `${name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`;
    const tarball = join(tarballs, file);
    if (!existsSync(tarball)) throw new Error(`${file} is not among ${readdirSync(tarballs).join(", ")}`);
    const args = publishArguments(tarball, manifest.version);
    console.log(`${publish ? "" : "would run: "}npm ${args.join(" ")}`);
    if (publish) execFileSync("npm", args, { stdio: "inherit" });
  }
}

function release(publish: boolean): void {
  const packages = readPackages();
  const status = execFileSync("git", ["status", "--porcelain"], { cwd: ROOT, encoding: "utf8" });
  const problems = obstacles({ status, changelog: readFileSync(join(ROOT, "CHANGELOG.md"), "utf8"), packages });
  for (const problem of problems) console.error(`✖ ${problem}`);
  if (problems.length > 0 && publish) throw new Error("Not ready: nothing was built.");

  const tarballs = mkdtempSync(join(tmpdir(), "strongroom-release-"));
  try {
    testAndPublish(packages, tarballs, publish);
  } finally {
    rmSync(tarballs, { recursive: true, force: true });
  }
  if (problems.length > 0) throw new Error("Not ready: see above. This was a dry run.");
  console.log(publish ? "Published." : "This was a dry run: npm run release -- --publish publishes.");
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { "dry-run": { type: "boolean" }, publish: { type: "boolean" } } });
  try {
    if (values.publish === true && values["dry-run"] === true) throw new Error("Either --dry-run or --publish.");
    release(values.publish === true);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
