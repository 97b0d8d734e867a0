// Opens what ids need beside the documents: the key of the installation, or a key file; and the file that remembers
// random ones.
import { resolve } from "node:path";
import type { CommandContext } from "../command.ts";
import { readIdKey } from "./id-key.ts";
import { derivedIds, type IdChoice, idsFromField, type IdSource, newIds } from "./ids.ts";
import { openIdsFile } from "./ids-file.ts";
import type { NamedField } from "../formats/missing-field.ts";
import type { FieldNames } from "./named-fields.ts";

/** Which ids, and where their key is. */
export interface IdJob {
  readonly choice: IdChoice;
  /** Null: the key of the data folder. */
  readonly keyFile: string | null;
  readonly dataDir: string;
}

/** An opened source of ids. */
export interface OpenedIds extends IdSource {
  readonly kind: IdChoice["kind"];
  /** What they are, or are made of. */
  readonly fields: readonly NamedField[];
  /** Where random ones are remembered. */
  readonly file: string | null;
}

/** Opens it. Throws `id-key-unusable`, `ids-file-unusable`. */
export async function openIds(
  { choice, keyFile, dataDir }: IdJob,
  names: FieldNames,
  { terminal, cwd }: Pick<CommandContext, "terminal" | "cwd">,
): Promise<OpenedIds> {
  const { kind } = choice;
  if (choice.kind === "field") {
    const field = names.one("id", choice.field);
    return { ...idsFromField(field), kind, file: null, fields: [field] };
  }
  const fields = choice.kind === "derived" ? names.list("id-from", choice.fields) : [];
  const { key, made } = await readIdKey(keyFile === null ? null : resolve(cwd, keyFile), dataDir);
  if (made !== null)
    terminal.say(
      `${made} was made: the key of the ids. Keep it with your backups; without it the same people get other ids.`,
    );
  if (choice.kind === "derived") return { ...derivedIds(fields, key), kind, file: null, fields };
  return { ...newIds(await openIdsFile(resolve(cwd, choice.idsFile)), key), kind, file: choice.idsFile, fields };
}
