// A claim with one byte changed, everywhere: each of them must be refused, but for the few that say the same.

import type { Claim } from "./verifier.ts";

/** One changed byte. */
export interface Change {
  readonly claim: Claim;
  readonly at: string;
}

/** Each `step`th byte of what a claim is about, and of its proof, with one bit changed: the lowest, as letters have it. */
export function* changesOf(claim: Claim, step: number): Generator<Change> {
  const read = (bytes: Buffer): string => meaning(bytes, claim.keys);
  for (const { bytes, index } of flips(Buffer.from(claim.proof), step, read))
    yield { claim: { ...claim, proof: bytes }, at: `byte ${index} of the proof` };
  // Of an entry every byte counts.
  for (const { bytes, index } of flips(Buffer.from(claim.of), step, claim.kind === "inclusion" ? null : read))
    yield { claim: { ...claim, of: bytes }, at: `byte ${index} of what it is about` };
}

function* flips(
  bytes: Buffer,
  step: number,
  read: ((bytes: Buffer) => string) | null,
): Generator<{ readonly bytes: Buffer; readonly index: number }> {
  for (let index = 0; index < bytes.length; index += step) {
    const copy = Buffer.from(bytes);
    copy[index] = (copy[index] ?? 0) ^ 1;
    if (read === null || read(copy) !== read(bytes)) yield { bytes: copy, index };
  }
}

/**
 * What a proof or a note says to who knows these keys. Go decodes base64 without a look at the bits that are left over in
 * its last character; and a signature of a key that is not known is left alone.
 */
function meaning(bytes: Buffer, keys: readonly string[]): string {
  const ids = new Set(keys.map((key) => key.split("+").slice(0, 2).join("+")));
  return bytes
    .toString("utf8")
    .split("\n")
    .map((line) => {
      const [, name = "", base64 = ""] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
      const id = Buffer.from(base64, "base64").subarray(0, 4).toString("hex");
      if (name !== "" && !ids.has(`${name}+${id}`)) return "a signature";
      return line.replace(/[A-Za-z0-9+/]{20,}={0,2}/g, (text) => Buffer.from(text, "base64").toString("base64"));
    })
    .join("\n");
}
