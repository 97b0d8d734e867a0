/**
 * What every reader of a note asks first: is there an object in it at all, and is a date one.
 */
import { MAX_NOTE_BYTES } from "../stores/notes.ts";

/** The object that a note's text is; null: it is none, or more than a note holds. */
export function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  if (text.length > MAX_NOTE_BYTES) return null;
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null ? (found as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** A moment as this project writes them. */
export function isMoment(value: unknown): value is string {
  return typeof value === "string" && MOMENT.test(value) && !Number.isNaN(Date.parse(value));
}
