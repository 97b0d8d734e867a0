/**
 * What JSON can hold, as the compiler knows it.
 */

/** What JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
/** A document whose keys are not known beforehand. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}
