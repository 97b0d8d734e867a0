/**
 * What a writer expects to find: the condition of a conditional write.
 */
import { parseVersion } from "./address.ts";
import { VaultError } from "./errors.ts";
import type { RecordState } from "./record-state.ts";

export type Expectation =
  /** Whatever is there; the write is repeated until it lands. */
  | { readonly kind: "any" }
  /** No record. */
  | { readonly kind: "absent" }
  /** Some record, at whatever version. */
  | { readonly kind: "present" }
  /** The record, at exactly this version. */
  | { readonly kind: "version"; readonly version: number };

export const ANY: Expectation = { kind: "any" };

/** @throws VaultError `version-conflict` with the version there is, `version-invalid` */
export function requireExpected(expect: Expectation, state: RecordState): void {
  const current = state.kind === "live" ? state.version : null;
  const found = current === null ? "there is no such record" : `it is at version ${current}`;
  const conflict = (expected: string): VaultError =>
    new VaultError("version-conflict", `The write expects ${expected}, but ${found}`, { currentVersion: current });
  switch (expect.kind) {
    case "any":
      return;
    case "absent":
      if (current !== null) throw conflict("no record");
      return;
    case "present":
      if (current === null) throw conflict("a record");
      return;
    case "version":
      if (parseVersion(expect.version) !== current) throw conflict(`the record at version ${expect.version}`);
  }
}
