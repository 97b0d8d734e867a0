/**
 * The header `Strongroom-Subject`: percent-encoded UTF-8, because a header field holds ASCII (RFC 9110, section 5.5).
 */
import { parseSubject, VaultError } from "@strongroom/vault";

/** @throws VaultError `subject-invalid` */
export function decodeSubject(header: string): string {
  let subject: string;
  try {
    subject = decodeURIComponent(header);
  } catch {
    throw new VaultError("subject-invalid", "The header Strongroom-Subject is not valid percent-encoded UTF-8");
  }
  return parseSubject(subject);
}

export function encodeSubject(subject: string): string {
  return encodeURIComponent(subject);
}
