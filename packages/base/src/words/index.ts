/**
 * @strongroom/base/words: the nearest known name to a mistyped one.
 */
export { nearest } from "./nearest.ts";
