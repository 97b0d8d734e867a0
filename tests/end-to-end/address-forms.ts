// The forms in which an e-mail address may lie somewhere: written otherwise, encoded, hashed without a key, and in
// halves.
import { createHash } from "node:crypto";
import { patternsOf } from "./traces.ts";

/** Of a digest, so many bytes are looked for: one that was cut is found too. */
const DIGEST_BYTES = 12;
const DIGESTS = ["sha256", "sha1", "md5", "sha512"] as const;

/** Every pattern that would give an address away. Its halves, at the @, have at least eight characters. */
export function addressForms(address: string): readonly Buffer[] {
  const halves = address.split("@");
  if (halves.length !== 2 || halves.some((half) => half.length < 8)) throw new RangeError(`no address: ${address}`);
  const texts = [address, ...halves].flatMap(spellingsOf);
  return [...texts.flatMap(patternsOf), ...[address, ...halves].flatMap(casesOf).flatMap(digestsOf)];
}

const casesOf = (text: string): readonly string[] => [text, text.toLowerCase(), text.toUpperCase()];

function spellingsOf(text: string): readonly string[] {
  const bytes = [...Buffer.from(text, "utf8")].map((byte) => byte.toString(16).padStart(2, "0"));
  return [
    ...casesOf(text),
    Array.from(text).reverse().join(""),
    encodeURIComponent(text),
    encodeURIComponent(text).toLowerCase(),
    bytes.map((byte) => `%${byte}`).join(""),
    bytes.map((byte) => `%${byte.toUpperCase()}`).join(""),
    bytes.join(":"),
  ];
}

/** A digest, and how a text of it begins. */
function digestsOf(text: string): readonly Buffer[] {
  return DIGESTS.flatMap((name) => {
    const digest = createHash(name).update(text).digest().subarray(0, DIGEST_BYTES);
    const hex = digest.toString("hex");
    const texts = [hex, hex.toUpperCase(), digest.toString("base64"), digest.toString("base64url")];
    return [digest, ...texts.map((found) => Buffer.from(found))];
  });
}
