/**
 * Copies the published test vectors that the tests run into packages/*\/test/vectors, each with its origin and commit:
 *
 *     node scripts/copy-vectors.ts WYCHEPROOF AWS_C_AUTH AWS_ENCRYPTION_SDK_JAVASCRIPT
 *
 * with a git directory of each of the three projects. What is taken of a long file is a rule of this script, never a
 * choice of single vectors; the fields of a vector are taken as they are, but for forms of a key that no test reads.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

type Json = Record<string, unknown>;
interface Group extends Json {
  readonly tests: readonly Json[];
}

/** Which vectors of a file are taken. */
interface Selection {
  readonly rule: string;
  readonly take: (groups: readonly Group[]) => readonly Group[];
}

const WHOLE: Selection = { rule: "all of the file", take: (groups) => groups };

const FORMAT_LENGTHS: Selection = {
  rule: "the groups with an IV of 96 and a tag of 128 bits",
  take: (groups) => groups.filter(({ ivSize, tagSize }) => ivSize === 96 && tagSize === 128),
};

const WHOLE_TAGS: Selection = {
  rule: "the groups with the longest tag, which is not cut short",
  take(groups) {
    const longest = groups.reduce((most, { tagSize }) => Math.max(most, Number(tagSize)), 0);
    return groups.filter(({ tagSize }) => tagSize === longest);
  },
};

const LONGEST_OUTPUT = 4_096;
const SHORT_OUTPUTS: Selection = {
  rule: `the vectors with an output of at most ${LONGEST_OUTPUT} bytes, and the invalid ones`,
  take: (groups) =>
    groups.map(({ tests, ...group }) => ({
      ...group,
      tests: tests.filter(({ size, result }) => Number(size) <= LONGEST_OUTPUT || result === "invalid"),
    })),
};

const OF_EACH = 2;
const FIRST_OF_EACH: Selection = {
  rule: `the first ${OF_EACH} vectors of each combination of flags and result`,
  take(groups) {
    const taken = new Map<string, number>();
    const isTaken = ({ flags, result }: Json): boolean => {
      const kind = JSON.stringify([flags, result]);
      taken.set(kind, (taken.get(kind) ?? 0) + 1);
      return (taken.get(kind) ?? 0) <= OF_EACH;
    };
    return groups
      .map((group) => ({ ...group, tests: group.tests.filter(isTaken) }))
      .filter(({ tests }) => tests.length > 0);
  },
};

const WYCHEPROOF: Readonly<Record<string, Selection>> = {
  aes_gcm: FORMAT_LENGTHS,
  hkdf_sha256: WHOLE,
  hkdf_sha384: SHORT_OUTPUTS,
  hkdf_sha512: SHORT_OUTPUTS,
  hmac_sha256: WHOLE_TAGS,
  hmac_sha384: WHOLE_TAGS,
  hmac_sha512: WHOLE_TAGS,
  ecdh_secp256r1_ecpoint: FIRST_OF_EACH,
  ecdh_secp384r1_ecpoint: FIRST_OF_EACH,
  ecdsa_secp256r1_sha256: FIRST_OF_EACH,
  ecdsa_secp384r1_sha384: FIRST_OF_EACH,
};

/** Other forms of a group's key, and what says no more than the file's name. */
const UNREAD = new Set(["publicKeyDer", "publicKeyPem", "source", "type", "curve", "encoding"]);

const PACKAGES = join(import.meta.dirname, "../packages");

function git(directory: string, ...args: readonly string[]): string {
  return execFileSync("git", ["--git-dir", directory, ...args], { encoding: "utf8", maxBuffer: 2 ** 28 });
}

const fileOf = (directory: string, path: string): string => git(directory, "show", `HEAD:${path}`);
const commitOf = (directory: string): string => git(directory, "rev-parse", "HEAD").trim();

/** One vector a line, so that a change of one shows as one. */
function write(path: string, about: Json, vectors: readonly Json[]): void {
  const target = join(PACKAGES, path);
  mkdirSync(dirname(target), { recursive: true });
  const head = JSON.stringify(about, null, 2).slice(0, -2);
  writeFileSync(target, `${head},\n  "vectors": [\n${vectors.map((one) => JSON.stringify(one)).join(",\n")}\n  ]\n}\n`);
}

function copyWycheproof(directory: string): void {
  for (const [name, { rule, take }] of Object.entries(WYCHEPROOF)) {
    const path = `testvectors_v1/${name}_test.json`;
    const { testGroups } = JSON.parse(fileOf(directory, path)) as { readonly testGroups: readonly Group[] };
    const vectors = take(testGroups).flatMap(({ tests, ...group }) => {
      const common = Object.entries(group).filter(([field]) => !UNREAD.has(field));
      return tests.map((test) => ({ ...Object.fromEntries(common), ...test }));
    });
    const origin = { project: "C2SP/wycheproof", path, commit: commitOf(directory), license: "Apache-2.0" };
    write(`envelope/test/vectors/wycheproof/${name}.json`, { ...origin, selection: rule }, vectors);
  }
}

function copySignatures(directory: string): void {
  const path = "tests/aws-signing-test-suite/v4";
  const names = git(directory, "ls-tree", "--name-only", `HEAD:${path}`).trim().split("\n");
  const vectors = names.map((name) => {
    const read = (file: string): string => fileOf(directory, `${path}/${name}/${file}`);
    return {
      name,
      context: JSON.parse(read("context.json")) as Json,
      header: read("header-signed-request.txt"),
      query: read("query-signed-request.txt"),
    };
  });
  const origin = { project: "awslabs/aws-c-auth", path, commit: commitOf(directory), license: "Apache-2.0" };
  const selection = "all requests, each as it was signed in its header and in its query";
  write("kms/test/vectors/sigv4.json", { ...origin, selection }, vectors);
}

/** Published as a module of that project's tests. */
async function copyMessages(directory: string): Promise<void> {
  const path = "modules/decrypt-node/test/fixtures.ts";
  const folder = mkdtempSync(join(tmpdir(), "vectors-"));
  try {
    const file = join(folder, "fixtures.mts");
    // That one function: the module's others need packages of theirs.
    const [, source = ""] = /^(export function compatibilityVectors\b.*?^\}\n)/ms.exec(fileOf(directory, path)) ?? [];
    writeFileSync(file, source);
    const vectors = await messageVectors(pathToFileURL(file).href);
    const origin = { project: "aws/aws-encryption-sdk-javascript", path, commit: commitOf(directory) };
    const selection = "all of compatibilityVectors()";
    write("envelope/test/vectors/message-format-2.json", { ...origin, license: "Apache-2.0", selection }, vectors);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function messageVectors(url: string): Promise<readonly Json[]> {
  const module = (await import(url)) as { compatibilityVectors(): { readonly tests: readonly Json[] } };
  return module.compatibilityVectors().tests;
}

const [wycheproof, awsCAuth, javascript] = process.argv.slice(2);
if (wycheproof === undefined || awsCAuth === undefined || javascript === undefined)
  throw new Error("Three git directories: Wycheproof, aws-c-auth, aws-encryption-sdk-javascript");
copyWycheproof(wycheproof);
copySignatures(awsCAuth);
await copyMessages(javascript);
