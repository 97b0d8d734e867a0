/**
 * Messages in an application's column: told from other values without a key, opened for the context that they must have
 * been made for, and made again on the way back.
 */
import { decrypt, encrypt, inspect, isEnvelopeError } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import type { Cell } from "./cells.ts";
import { strictText } from "./cells.ts";

/** The suites of the format: after the version (2), or after version and type (1). */
const SUITES = new Set([0x0014, 0x0046, 0x0078, 0x0114, 0x0146, 0x0178, 0x0214, 0x0346, 0x0378, 0x0478, 0x0578]);

/** No header is shorter. */
const SHORTEST = 48;

/** The bytes of a message, however the cell has them; null: it holds none, whole or cut off. */
export function messageIn(cell: Cell): Buffer | null {
  if (cell === null || cell.kind === "unfit") return null;
  if (cell.kind === "bytes") return isMessage(cell.bytes) ? cell.bytes : asText(cell.bytes.toString("latin1"));
  return cell.kind === "text" ? asText(cell.text) : null;
}

function asText(text: string): Buffer | null {
  // Of base64 and hexadecimal, what no version of the format begins with need not be decoded.
  const start = /^\s*(?:A[YQg]|\\?x?0[12])/.exec(text);
  if (start === null) return null;
  const bare = text.replace(/\s+/g, "");
  const hex = /^(?:\\x|0x)?((?:[0-9a-f]{2})+)$/i.exec(bare)?.[1];
  if (hex !== undefined) {
    const bytes = Buffer.from(hex, "hex");
    if (isMessage(bytes)) return bytes;
  }
  if (!/^[A-Za-z\d+/_-]+={0,2}$/.test(bare)) return null;
  const bytes = Buffer.from(bare, "base64");
  return isMessage(bytes) ? bytes : null;
}

function isMessage(bytes: Buffer): boolean {
  if (bytes.length < SHORTEST) return false;
  const isFirst = bytes[0] === 1 && bytes[1] === 0x80 && SUITES.has(bytes.readUInt16BE(2));
  const isSecond = bytes[0] === 2 && SUITES.has(bytes.readUInt16BE(1));
  if (!isFirst && !isSecond) return false;
  try {
    inspect(bytes);
    return true;
  } catch (error) {
    // One that was cut off by a column too short is one all the same, and no plaintext.
    return isEnvelopeError(error) && (error.code === "message-truncated" || error.code === "limit-exceeded");
  }
}

/** Opens the messages of one move. */
export interface MessageOpener {
  readonly keyring: Keyring;
}

/** What a message holds, as text; or why that is not to be had. */
export type Opened = { readonly text: string } | { readonly unfit: string };

/** Opens a message for exactly this context. What failed is said by the envelope's code alone. */
export async function openMessage(
  message: Buffer,
  context: Readonly<Record<string, string>>,
  { keyring }: MessageOpener,
): Promise<Opened> {
  let plaintext: Uint8Array;
  try {
    ({ plaintext } = await decrypt(message, {
      keyring,
      encryptionContext: context,
      // What other libraries wrote before they committed to keys is what is taken over.
      commitmentPolicy: "require-encrypt-allow-decrypt",
    }));
  } catch (error) {
    if (!isEnvelopeError(error) || isAway(error.code)) throw error;
    return { unfit: `a message that does not open (${error.code})` };
  }
  try {
    const text = strictText(plaintext);
    if (text === null) return { unfit: "a message that holds no text" };
    return messageIn({ kind: "text", text }) === null &&
      messageIn({ kind: "bytes", bytes: Buffer.from(plaintext) }) === null
      ? { text }
      : { unfit: "a message within a message" };
  } finally {
    plaintext.fill(0);
  }
}

/** Whether it failed for the keys' sake and may go well later: no row is to blame. */
function isAway(code: string): boolean {
  return ["regions-unavailable", "deadline-exceeded", "keyring-overloaded", "aborted", "throttled"].includes(code);
}

/** The same kind of message of a text, for the same context: base64, or bytes where the column holds bytes. */
export async function makeMessage(
  text: string,
  context: Readonly<Record<string, string>>,
  { opener: { keyring }, as }: { readonly opener: MessageOpener; readonly as: "base64" | "bytes" },
): Promise<string | Buffer> {
  const { message } = await encrypt(Buffer.from(text), { keyring, encryptionContext: context });
  const bytes = Buffer.from(message);
  return as === "bytes" ? bytes : bytes.toString("base64");
}
