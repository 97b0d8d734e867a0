// How the text of a file is encoded: by its byte order mark, by the zeros of UTF-16, or UTF-8. Everything that reads
// text gets UTF-8. Whether text that is not UTF-8 is Windows-1252 or one of its forty kin cannot be known from its
// bytes and would change names in silence where it is guessed wrongly, so that a person must say it.
import { CliError } from "../errors.ts";

/** The name of an encoding in the Encoding Standard, for `TextDecoder`. */
export type Encoding = string;

const MARKS: readonly (readonly [encoding: Encoding, mark: readonly number[]])[] = [
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
];

/** Whether bytes begin with others. */
export function beginsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}

/** Whether a file is UTF-32, which the Encoding Standard does not have; its mark begins like that of UTF-16. */
export function isUtf32(bytes: Uint8Array): boolean {
  return beginsWith(bytes, [0xff, 0xfe, 0, 0]) || beginsWith(bytes, [0, 0, 0xfe, 0xff]);
}

/** The encoding of a text that begins with these bytes: by its mark, else as it was asked for, else by its look. */
export function encodingOf(bytes: Uint8Array, asked: string | null): Encoding | null {
  if (isUtf32(bytes)) return null;
  const marked = MARKS.find(([, mark]) => beginsWith(bytes, mark));
  if (marked !== undefined) return marked[0];
  if (asked !== null) return knownEncoding(asked);
  const half = zeros(bytes);
  if (half !== null) return half;
  return isText(bytes, "utf-8") && !bytes.includes(0) ? "utf-8" : null;
}

/** @throws CliError `usage` for a name that is none */
function knownEncoding(name: string): Encoding {
  try {
    return new TextDecoder(name).encoding;
  } catch (cause) {
    throw new CliError("usage", {
      detail: "--encoding is not the name of an encoding that is known.",
      remedy: "For example: --encoding windows-1252, iso-8859-15, macintosh, utf-16le, shift_jis.",
      cause,
    });
  }
}

/** UTF-16 without a mark: mostly Latin letters have a zero in every second byte and none in the others. */
function zeros(bytes: Uint8Array): Encoding | null {
  const pairs = Math.min(bytes.length >> 1, 2048);
  if (pairs < 2) return null;
  const count = [0, 0];
  for (let at = 0; at < pairs * 2; at++) if (bytes[at] === 0) count[at % 2] = (count[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = count;
  if (odd > pairs / 2 && even === 0) return "utf-16le";
  return even > pairs / 2 && odd === 0 ? "utf-16be" : null;
}

function isText(bytes: Uint8Array, encoding: Encoding): boolean {
  try {
    // A sample may end within a character.
    new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** The text of a sample without its mark, or null where it is not of the encoding. */
export function sampleText(bytes: Uint8Array, encoding: Encoding | null): string | null {
  if (encoding === null || !isText(bytes, encoding)) return null;
  return new TextDecoder(encoding).decode(bytes, { stream: true });
}

/** The same text in UTF-8 without a mark. UTF-8 itself is handed through unread: its readers say where it is broken. */
export async function* asUtf8(chunks: AsyncIterable<Uint8Array>, encoding: Encoding): AsyncGenerator<Uint8Array> {
  if (encoding === "utf-8") {
    yield* withoutMark(chunks);
    return;
  }
  const decoder = new TextDecoder(encoding, { fatal: true });
  for await (const chunk of chunks) {
    const text = decoded(decoder, chunk);
    if (text !== "") yield Buffer.from(text, "utf8");
  }
  const rest = decoded(decoder);
  if (rest !== "") yield Buffer.from(rest, "utf8");
}

function decoded(decoder: InstanceType<typeof TextDecoder>, chunk?: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch (cause) {
    throw new CliError("input-invalid", {
      detail: `The file is not ${decoder.encoding} to its end.`,
      remedy:
        "Say how it is encoded (--encoding NAME), or write it again as UTF-8. Records that are stored are left alone.",
      cause,
    });
  }
}

async function* withoutMark(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const mark = MARKS[0]?.[1] ?? [];
  let start: Uint8Array | null = new Uint8Array();
  for await (const chunk of chunks) {
    if (start === null) {
      yield chunk;
      continue;
    }
    start = start.length === 0 ? chunk : Buffer.concat([start, chunk]);
    if (start.length < mark.length) continue;
    yield beginsWith(start, mark) ? start.subarray(mark.length) : start;
    start = null;
  }
  if (start !== null && start.length > 0) yield start;
}

/** Throws at the first byte that is no UTF-8: a parser would turn it into a replacement character in silence. */
export async function* strictUtf8(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of chunks) {
    decoded(decoder, chunk);
    yield chunk;
  }
  decoded(decoder);
}
