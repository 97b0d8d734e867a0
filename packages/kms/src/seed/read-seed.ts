// Reading a seed: its form, and what goes together with what. Every mistake is listed, each with its line.

import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { secretText } from "@strongroom/base/secret-memory";
import type { z } from "zod";
import { requireNewPolicy } from "../access/policy.ts";
import { recogniseSecret } from "../crypto/backing-secret.ts";
import type { BackingSecret } from "../crypto/backing-secret.ts";
import { KmsError } from "../errors.ts";
import { isMultiRegionId } from "../keys/key-arn.ts";
import { newTags } from "../keys/key-record.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { KEY_SPECS, algorithmsOf } from "../keys/key-spec.ts";
import type { KeySpec, KeyUsage } from "../keys/key-spec.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { seedSchema } from "./seed-document.ts";
import type { SeedDocument, SeedKeyDocument } from "./seed-document.ts";
import { parseSeedText, withoutText } from "./seed-text.ts";
import type { Mistake, SeedPath, SeedText } from "./seed-text.ts";

/** A file's path, or the seed itself. */
export type SeedSource = string | SeedDocument;

/** A key to be made. */
export interface SeedKey {
  /** Where it stands, for messages. */
  readonly at: string;
  readonly id: string;
  /** At least one; of a multi-Region key the primary's first. */
  readonly regions: readonly string[];
  readonly description: string;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  readonly enabled: boolean;
  readonly aliases: readonly string[];
  readonly tags: KeyRecord["tags"];
  /** JSON; null: the default key policy. */
  readonly policy: string | null;
  /** Oldest first; empty: to be made. The caller wipes the secrets. */
  readonly material: readonly BackingSecret[];
}

/** More than this is no seed. */
const MAX_FILE = 16 * 1024 * 1024;

/**
 * Reads a seed for a server with these regions.
 * @throws KmsError `seed-malformed`, listing every mistake.
 */
export function readSeed(source: SeedSource, serverRegions: readonly string[]): readonly SeedKey[] {
  const name = typeof source === "string" ? source : "the seed";
  const text = typeof source === "string" ? parseSeedText(readText(source)) : withoutText(source);
  if (text.mistakes.length > 0) throw malformed(name, text.mistakes);
  const read = seedSchema.safeParse(text.value);
  if (!read.success)
    throw malformed(
      name,
      read.error.issues.flatMap((issue) => fromIssue(issue, text)),
    );
  const mistakes: Mistake[] = [];
  const report = (path: SeedPath, message: string): void => {
    mistakes.push({ line: text.lineOf(path), message: `${show(path)}: ${message}` });
  };
  const keys = read.data.keys.map((key, index) =>
    settle(key, { path: ["keys", index], line: text.lineOf(["keys", index]), serverRegions, report }),
  );
  reportDoubles(read.data, keys, report);
  if (mistakes.length > 0) throw malformed(name, mistakes);
  return keys;
}

function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= MAX_FILE) return bytes.toString("utf8");
  } catch (cause) {
    throw new KmsError("seed-malformed", `${path} could not be read.`, { cause });
  }
  throw new KmsError("seed-malformed", `${path} is longer than ${MAX_FILE} bytes.`);
}

function malformed(name: string, mistakes: readonly Mistake[]): KmsError {
  const lines = mistakes
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ line, message }) => (line === null ? `  ${message}` : `  line ${line}: ${message}`));
  return new KmsError("seed-malformed", `${name}\n${lines.join("\n")}`);
}

/** A wrong form. The value is not shown: it may be key material. */
function fromIssue(issue: z.core.$ZodIssue, text: SeedText): readonly Mistake[] {
  const at = (path: SeedPath, message: string): Mistake => ({
    line: text.lineOf(path),
    message: `${show(path)}: ${message}`,
  });
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((name) => at([...issue.path, name], "is not known here"));
  return [at(issue.path, issue.message)];
}

const show = (path: SeedPath): string =>
  path.map((step, i) => (typeof step === "number" ? `[${step}]` : `${i === 0 ? "" : "."}${String(step)}`)).join("") ||
  "the seed";

interface Place {
  readonly path: SeedPath;
  readonly line: number | null;
  readonly serverRegions: readonly string[];
  readonly report: (path: SeedPath, message: string) => void;
}

function settle(key: SeedKeyDocument, place: Place): SeedKey {
  const spec = key.spec ?? "SYMMETRIC_DEFAULT";
  return {
    at: place.line === null ? show(place.path) : `line ${place.line}`,
    id: key.id,
    regions: regionsOf(key, place),
    description: key.description ?? "",
    spec,
    usage: usageOf(key, spec, place),
    enabled: key.enabled ?? true,
    aliases: key.aliases ?? [],
    tags: tagsOf(key, place),
    policy: policyOf(key, place),
    material: materialOf(key, spec, place),
  };
}

function regionsOf(key: SeedKeyDocument, { path, serverRegions, report }: Place): readonly string[] {
  if (key.region !== undefined && key.regions !== undefined)
    report([...path, "regions"], "give region or regions, not both");
  const regions = key.regions ?? [key.region ?? serverRegions[0] ?? ""];
  if (regions.length > 1 && !isMultiRegionId(key.id))
    report([...path, "regions"], "several regions need a multi-Region key: an id with mrk-");
  if (new Set(regions).size < regions.length) report([...path, "regions"], "names a region twice");
  for (const region of regions) {
    if (!serverRegions.includes(region))
      report(
        [...path, key.regions === undefined ? "region" : "regions"],
        `the server has no region ${region}, only ${serverRegions.join(", ")}`,
      );
  }
  return regions;
}

function usageOf(key: SeedKeyDocument, spec: KeySpec, { path, report }: Place): KeyUsage {
  const possible = Object.keys(KEY_SPECS[spec].algorithms) as KeyUsage[];
  const usage = key.usage ?? possible[0] ?? "ENCRYPT_DECRYPT";
  if (key.usage === undefined && possible.length > 1)
    report(path, `a key of spec ${spec} needs a usage: ${possible.join(" or ")}`);
  if (algorithmsOf(spec, usage).length === 0)
    report([...path, "usage"], `a key of spec ${spec} can only have ${possible.join(" or ")}`);
  return usage;
}

function tagsOf(key: SeedKeyDocument, { path, report }: Place): KeyRecord["tags"] {
  const tags = Object.entries(key.tags ?? {}).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
  return byRule(
    () => newTags([], tags),
    [],
    (message) => {
      report([...path, "tags"], message);
    },
  );
}

function policyOf(key: SeedKeyDocument, { path, report }: Place): string | null {
  if (key.policy === undefined) return null;
  const policy = typeof key.policy === "string" ? key.policy : JSON.stringify(key.policy);
  return byRule(
    () => {
      requireNewPolicy(policy);
      return policy;
    },
    null,
    (message) => {
      report([...path, "policy"], message);
    },
  );
}

/** What a rule of the KMS API makes of a value; `otherwise`, and a report, if the rule refuses it. */
function byRule<T>(rule: () => T, otherwise: T, report: (message: string) => void): T {
  try {
    return rule();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    report(error.detail);
    return otherwise;
  }
}

function materialOf(key: SeedKeyDocument, spec: KeySpec, { path, report }: Place): readonly BackingSecret[] {
  const texts = typeof key.material === "string" ? [key.material] : (key.material ?? []);
  if (texts.length > 1 && spec !== "SYMMETRIC_DEFAULT")
    report([...path, "material"], "only a symmetric encryption key can have been rotated");
  if (new Set(texts.map((text) => text.toLowerCase())).size < texts.length)
    report([...path, "material"], "names the same material twice");
  const { material: kind } = KEY_SPECS[spec];
  return texts.flatMap((text, index) => {
    const bytes = kind.kind === "bytes" ? fromHex(text) : fromPem(text);
    const secret = bytes === null ? null : recogniseSecret(spec, bytes);
    if (secret !== null) return [secret];
    const wanted =
      kind.kind === "bytes" ? `${kind.length * 2} hexadecimal digits` : `a private key in PEM, of spec ${spec}`;
    report([...path, "material", ...(typeof key.material === "string" ? [] : [index])], `must be ${wanted}`);
    return [];
  });
}

const fromHex = (text: string): Buffer | null => (/^(?:[0-9a-f]{2})+$/i.test(text) ? secretText(text, "hex") : null);

function fromPem(text: string): Buffer | null {
  try {
    return createPrivateKey({ key: text, format: "pem" }).export({ type: "pkcs8", format: "der" });
  } catch {
    return null;
  }
}

/** One id, and one alias, once in a region. */
function reportDoubles({ keys: documents }: SeedDocument, keys: readonly SeedKey[], report: Place["report"]): void {
  const taken = new Set<string>();
  const take = (name: string, region: string, path: SeedPath): void => {
    if (taken.has(`${region} ${name}`)) report(path, `${name} is there twice in ${region}`);
    taken.add(`${region} ${name}`);
  };
  for (const [index, key] of keys.entries()) {
    for (const region of key.regions) {
      take(key.id, region, ["keys", index, "id"]);
      for (const position of (documents[index]?.aliases ?? []).keys())
        take(key.aliases[position] ?? "", region, ["keys", index, "aliases", position]);
    }
  }
}
