// The head of a dump of pg_dump in its custom form: when it was begun, and of which server. It is what `pg_restore
// --list` shows of it, read without that program.
import { open } from "node:fs/promises";
import { altered } from "./manifest.ts";

/** What a dump says of itself. */
export interface DumpHeader {
  /** By the clock and the time zone of who made it, as if in UTC: in milliseconds. It has whole seconds. */
  readonly begunMs: number;
  readonly database: string;
  /** Versions, as "18.4". */
  readonly server: string;
  readonly program: string;
}

const MAGIC = "PGDMP";
const MOST = 4096;
/** 1 is the custom form. */
const CUSTOM = 1;
/** From this version of the form on, one byte says how it is compressed, and not a number. */
const BYTE_OF_COMPRESSION = [1, 15] as const;

/** Reads it. Throws `backup-altered` for what is no dump of that form. */
export async function readDumpHeader(path: string): Promise<DumpHeader> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST), 0, MOST, 0);
    return parseHeader(buffer.subarray(0, bytesRead));
  } catch (cause) {
    if (cause instanceof RangeError)
      throw altered(`${path} is no dump in the custom form of pg_dump (--format=custom)`, cause);
    throw cause;
  } finally {
    await file.close();
  }
}

/** @throws RangeError */
function parseHeader(bytes: Buffer): DumpHeader {
  if (bytes.subarray(0, MAGIC.length).toString("latin1") !== MAGIC) throw new RangeError("it is no dump");
  let at = MAGIC.length;
  const byte = (): number => bytes.readUInt8(at++);
  const [major, minor] = [byte(), byte()];
  byte();
  const size = byte();
  byte();
  if (size < 1 || size > 6 || byte() !== CUSTOM) throw new RangeError("it is of another form");
  const integer = (): number => {
    const sign = byte() === 0 ? 1 : -1;
    at += size;
    return sign * bytes.readUIntLE(at - size, size);
  };
  const text = (): string => {
    const length = integer();
    if (length < 0) return "";
    if (at + length > bytes.length) throw new RangeError("its text is too long");
    at += length;
    return bytes.toString("utf8", at - length, at);
  };
  const isByte = major > BYTE_OF_COMPRESSION[0] || minor >= BYTE_OF_COMPRESSION[1];
  if (isByte) byte();
  else integer();
  const [second, minute, hour, day, month, year] = [integer(), integer(), integer(), integer(), integer(), integer()];
  integer();
  const begunMs = Date.UTC(year + 1900, month, day, hour, minute, second);
  return { begunMs, database: text(), server: text(), program: text() };
}
