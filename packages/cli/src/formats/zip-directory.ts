// The directory at the end of a zip (APPNOTE.TXT, sections 4.3.12 and 4.3.16): what its entries say they unfold to,
// known before anything is unfolded.
import { CliError } from "../errors.ts";

/** One entry; sizes in bytes. */
export interface ZipEntry {
  readonly packed: number;
  readonly unfolded: number;
  /** Whether the sizes stand behind the entry as well (general purpose flag 3), where a reader may look for them. */
  readonly described: boolean;
}

const END = 0x06054b50;
const ENTRY = 0x02014b50;
/** Fixed part of the end record, and the longest comment that may follow it. */
const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;

/** Reads the directory. Throws `input-invalid` for what is no whole zip, and for one of 4 GiB or more. */
export function zipEntries(bytes: Uint8Array): readonly ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endRecord(view);
  const entries: ZipEntry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (at + 46 > end || view.getUint32(at, true) !== ENTRY) throw damaged();
    const packed = view.getUint32(at + 20, true);
    const unfolded = view.getUint32(at + 24, true);
    // Zip64 says the size elsewhere; no workbook that is taken needs it.
    if (packed === 0xffffffff || unfolded === 0xffffffff) throw damaged();
    entries.push({ packed, unfolded, described: (view.getUint16(at + 8, true) & 8) !== 0 });
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

function endRecord(view: DataView): number {
  const first = Math.max(0, view.byteLength - END_BYTES - LONGEST_COMMENT);
  for (let at = view.byteLength - END_BYTES; at >= first; at--) if (view.getUint32(at, true) === END) return at;
  throw damaged();
}

function damaged(): CliError {
  return new CliError("input-invalid", {
    detail: "The file begins as a zip and is not a whole one.",
    remedy: "Check that all of it arrived.",
  });
}
