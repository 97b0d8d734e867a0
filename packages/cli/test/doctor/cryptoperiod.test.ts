// The doctor on the age of keys: by what the KMS says of a key's creation and rotations.
import assert from "node:assert/strict";
import { test } from "node:test";
import { materialAge } from "../../src/installation/material-age.ts";

const ARN = "arn:aws:kms:eu-west-1:111122223333:key/a";
const day = (year: number): Date => new Date(`${year}-01-01T00:00:00.000Z`);
type Client = Parameters<typeof materialAge>[0];

interface Case {
  readonly of: string;
  /** Pages of years; null: refused. */
  readonly rotations: readonly (readonly number[])[] | null;
  readonly since: number;
  readonly isAtMost: boolean;
}

const CASES: readonly Case[] = [
  { of: "never rotated", rotations: [[]], since: 2020, isAtMost: false },
  { of: "rotated", rotations: [[2021, 2023, 2022]], since: 2023, isAtMost: false },
  { of: "rotated over more than a page", rotations: [[2021], [2024], [2022]], since: 2024, isAtMost: false },
  { of: "rotations may not be seen", rotations: null, since: 2020, isAtMost: true },
];

for (const { of, rotations, since, isAtMost } of CASES)
  test(`a key's material: ${of}`, async () => {
    const client = {
      describeKey: () => Promise.resolve({ KeyMetadata: { CreationDate: day(2020) } }),
      listKeyRotations: ({ Marker }: { readonly Marker?: string }) => {
        if (rotations === null) return Promise.reject(new Error("AccessDeniedException"));
        const page = Number(Marker ?? 0);
        const more = page + 1 < rotations.length ? { NextMarker: String(page + 1) } : {};
        return Promise.resolve({ Rotations: rotations[page]!.map((year) => ({ RotationDate: day(year) })), ...more });
      },
    } as unknown as Client;
    const found = await materialAge(client, ARN, new AbortController().signal);
    assert.deepEqual(found, { since: day(since), isAtMost });
  });

test("a list that never ends is left, and the age is the most that it can be", async () => {
  let pages = 0;
  const client = {
    describeKey: () => Promise.resolve({ KeyMetadata: { CreationDate: day(2020) } }),
    listKeyRotations: () => Promise.resolve({ Rotations: [], NextMarker: String(++pages) }),
  } as unknown as Client;
  const found = await materialAge(client, ARN, new AbortController().signal);
  assert.deepEqual([found.isAtMost, pages], [true, 10]);
});
