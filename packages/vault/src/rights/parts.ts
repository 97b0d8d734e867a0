/**
 * What the rights of people work with, and what their calls have alike.
 */
import type { Auditor } from "../audit/auditor.ts";
import type { VaultAudit } from "../audit/view.ts";
import { VaultError } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { Access } from "../roles/access.ts";
import type { Asked } from "../records/asked.ts";
import { requireReadable, subjectClosed } from "../records/people.ts";
import { known } from "../subjects/subjects.ts";
import type { Named } from "../subjects/subjects.ts";
import type { SubjectKeys } from "../keys/subject-keys.ts";
import type { SubjectRow } from "../stores/subjects.ts";

/** Of a vault with an audit, on behalf of one caller. */
export interface RightsParts extends Dependencies {
  readonly audit: Auditor;
  readonly view: VaultAudit;
  /** What the caller may. */
  readonly access: Access;
}

/** Somebody who was written about. */
export interface KnownPerson {
  readonly row: SubjectRow;
  readonly keysOfPeople: SubjectKeys;
}

/** @throws VaultError `subject-absent`; `subject-erased` */
export async function heldPerson(parts: RightsParts, who: Named, asked: Asked): Promise<KnownPerson> {
  await parts.keys.requireReader();
  const { found, keysOfPeople } = await known(parts, who, asked);
  const row = found?.row ?? null;
  if (row === null) throw new VaultError("subject-absent", "Nobody who was written about has that name");
  if (row.state === "erasing" || row.state === "erased") throw subjectClosed(row.state);
  return { row, keysOfPeople };
}

/** That somebody may be read for what the caller says. @throws VaultError `subject-restricted`, `subject-erased` */
export async function requireReadableNow(
  { store }: Pick<RightsParts, "store">,
  { id }: Pick<SubjectRow, "id">,
  asked: Asked,
): Promise<void> {
  const [row = null] = await store.subjects.get([id]);
  if (row === null) throw new VaultError("record-tampered", "The row of a person is missing");
  await requireReadable(store, row, asked);
}
