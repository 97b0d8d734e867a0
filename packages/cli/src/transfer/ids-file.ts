// The file that remembers which line of an import got which random id. Without it an import that broke off could not be
// completed, and nobody could say later which record is whose. It grows before the records are sent, so that a crash
// leaves no record that is not in it. CSV: line, id, and a keyed hash of the document, which finds the id again when
// the same file is imported once more, also with its lines in another order.
import { type FileHandle, open } from "node:fs/promises";
import { systemReason } from "@strongroom/base/files";
import { CliError } from "../errors.ts";

const HEADING = "line,id,fingerprint";
const ROW = /^(\d{1,15}),([0-9a-f]{32}),([0-9a-f]{32})$/;

/** One line of the file. */
export interface GivenId {
  readonly line: number;
  readonly id: string;
  readonly fingerprint: string;
}

/** An opened file of ids. */
export interface IdsFile {
  /** The id that a document has already; each is given once, since two people may have equal documents. */
  take(fingerprint: string): string | null;
  add(row: GivenId): void;
  /** Resolves when what was added is on the disk. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the file, or makes it for its owner alone. Throws `ids-file-unusable`. */
export async function openIdsFile(path: string): Promise<IdsFile> {
  const failed = (cause: unknown): never => {
    if (cause instanceof CliError) throw cause;
    throw new CliError("ids-file-unusable", { detail: `${path}: ${systemReason(cause)}.`, cause });
  };
  const file = await open(path, "a+", 0o600).catch(failed);
  try {
    const { known, whole } = await readRows(path, file);
    // A crash may have cut the last row; its id was sent to nobody, and a new row must not be glued to it.
    if (whole.size < whole.length) await file.truncate(whole.size);
    let size = whole.size;
    let added: string[] = whole.size === 0 ? [HEADING] : [];
    return {
      take: (fingerprint) => known.get(fingerprint)?.shift() ?? null,
      add: ({ line, id, fingerprint }) => {
        added.push(`${line},${id},${fingerprint}`);
      },
      flush: async () => {
        if (added.length === 0) return;
        const text = added.map((row) => `${row}\n`).join("");
        added = [];
        // Two imports that began together would each give everybody an id.
        if ((await file.stat().catch(failed)).size !== size)
          throw new CliError("ids-file-unusable", { detail: `Another import writes to ${path}.` });
        size += Buffer.byteLength(text);
        await file.appendFile(text).catch(failed);
        await file.datasync().catch(failed);
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    return failed(error);
  }
}

interface Rows {
  readonly known: Map<string, string[]>;
  /** Bytes of the file, and of its whole rows. */
  readonly whole: { readonly length: number; readonly size: number };
}

async function readRows(path: string, file: FileHandle): Promise<Rows> {
  const found = await file.stat();
  if (!found.isFile()) throw new CliError("ids-file-unusable", { detail: `${path} is not a file.` });
  const known = new Map<string, string[]>();
  const text = await file.readFile("utf8");
  const end = text.lastIndexOf("\n") + 1;
  const rows = text.slice(0, end).split("\n").slice(0, -1);
  for (const [index, row] of rows.entries()) {
    if (index === 0 && row === HEADING) continue;
    const [, , id, fingerprint] = ROW.exec(row) ?? [];
    if (index === 0 || id === undefined || fingerprint === undefined)
      throw new CliError("ids-file-unusable", {
        detail: `Line ${index + 1} of ${path} is not one that an import wrote.`,
      });
    const ids = known.get(fingerprint);
    if (ids === undefined) known.set(fingerprint, [id]);
    else ids.push(id);
  }
  if (rows.length === 0 && !HEADING.startsWith(text.trimEnd()))
    throw new CliError("ids-file-unusable", { detail: `${path} is not a file of ids.` });
  return { known, whole: { length: Buffer.byteLength(text), size: Buffer.byteLength(text.slice(0, end)) } };
}
