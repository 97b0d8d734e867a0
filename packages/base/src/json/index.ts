/** @strongroom/base/json: JSON text looked at before, or without, it is parsed. */
export { type JsonFault, jsonFault } from "./fault.ts";
export { JSON_TOKEN, type JsonToken, JsonTokenizer, type OnToken } from "./tokens.ts";
