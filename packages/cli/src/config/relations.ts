// What must hold between settings. Checked on the raw values, beside the schema and not after it, so that one run lists
// every problem.
import type { SettingProblem } from "@strongroom/base/settings";
import { LOCAL_REGIONS, localRegions } from "@strongroom/kms/command";
import { z } from "zod";
import { wrappingRegions } from "./settings.ts";

const lenient = z.object({
  kms: z
    .object({ regions: localRegions.optional().catch(undefined) })
    .optional()
    .catch(undefined),
  keys: z
    .object({
      regions: wrappingRegions.optional().catch(undefined),
      minimum: z.int().optional().catch(undefined),
      target: z.int().optional().catch(undefined),
      attemptTimeoutMs: z.number().optional().catch(undefined),
      deadlineMs: z.number().optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

/** The problems between settings whose own form is right; settings that are themselves wrong are left to the schema. */
export function relationProblems(raw: unknown): SettingProblem[] {
  const { kms, keys } = lenient.catch({}).parse(raw);
  const count = (keys?.regions ?? kms?.regions ?? LOCAL_REGIONS).length;
  const target = keys?.target ?? count;
  return [
    ...duplicates(
      ["kms", "regions"],
      kms?.regions?.map(({ name }) => name),
      "region",
    ),
    ...duplicates(
      ["kms", "regions"],
      kms?.regions?.map(({ port }) => port).filter((port) => port !== 0),
      "port",
    ),
    ...duplicates(
      ["keys", "regions"],
      keys?.regions?.map(({ region }) => region),
      "region",
    ),
    ...(keys?.regions ?? []).flatMap(({ region, keyArn }, index) => foreignKey(index, region, keyArn)),
    ...when(
      (keys?.target ?? 0) > count,
      ["keys", "target"],
      `asks for ${target} wraps, but there are ${count} regions`,
    ),
    ...when(
      (keys?.minimum ?? 0) > target,
      ["keys", "minimum"],
      `asks for ${keys?.minimum ?? 0} wraps, but at most ${target} are made (keys.target, or the number of regions)`,
    ),
    ...when(
      (keys?.attemptTimeoutMs ?? 0) > (keys?.deadlineMs ?? Infinity),
      ["keys", "attemptTimeoutMs"],
      "is longer than keys.deadlineMs, so a second region would never be tried",
    ),
  ];
}

function when(holds: boolean, path: SettingProblem["path"], message: string): SettingProblem[] {
  return holds ? [{ path, message }] : [];
}

function duplicates(
  path: SettingProblem["path"],
  values: readonly (string | number)[] | undefined,
  what: string,
): SettingProblem[] {
  const twice = new Set(values?.filter((value, index) => values.indexOf(value) !== index));
  return [...twice].map((value) => ({ path, message: `names the ${what} ${value} twice` }));
}

/** A key is used through the endpoint of its own region: the signature's scope names it. */
function foreignKey(index: number, region: string, keyArn: string | undefined): SettingProblem[] {
  const keyRegion = keyArn?.split(":")[3] ?? region;
  return when(
    keyRegion !== region,
    ["keys", "regions", index, "keyArn"],
    `is a key of ${keyRegion}, but the region is ${region}`,
  );
}
