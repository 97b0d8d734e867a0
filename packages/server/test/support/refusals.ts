/**
 * Every way in which a request can be wrong, as one table of rows: what is sent and what it is answered.
 */
import type { CallOptions } from "./http.ts";

export interface Refusal {
  readonly name: string;
  readonly path?: string;
  readonly options?: CallOptions;
  /** Scope of the token; `none` sends none. */
  readonly as?: "read" | "write" | "admin" | "none";
  readonly code: string;
  /** What the detail must say. */
  readonly detail: RegExp;
}

export const RECORD = "/v1/records/people/42";
const OTHER_TOKEN = `srt_${"A".repeat(43)}`;
export const put = (body: string | Buffer | object, headers: Record<string, string> = {}): CallOptions => ({
  method: "PUT",
  body,
  headers,
});
export const id = (encoded: string): string => `/v1/records/people/${encoded}`;

export const REFUSALS: readonly Refusal[] = [
  { name: "no token", as: "none", code: "token-missing", detail: /no Authorization header/ },
  {
    name: "no token, on a route that is not there",
    path: "/v1/nothing",
    as: "none",
    code: "token-missing",
    detail: /no Authorization header/,
  },
  {
    name: "no token, with a body of 10 MB",
    options: put(Buffer.alloc(10_000_000, 0x20)),
    as: "none",
    code: "token-missing",
    detail: /no Authorization/,
  },
  {
    name: "no token, with a body that is not JSON",
    options: put("{"),
    as: "none",
    code: "token-missing",
    detail: /no Authorization/,
  },
  {
    name: "no token, for an id that is not allowed",
    path: id("%00"),
    as: "none",
    code: "token-missing",
    detail: /no Authorization/,
  },
  {
    name: "another scheme",
    as: "none",
    options: { headers: { authorization: "Basic YTpi" } },
    code: "token-missing",
    detail: /Bearer srt_/,
  },
  {
    name: "an empty token",
    as: "none",
    options: { headers: { authorization: "Bearer " } },
    code: "token-missing",
    detail: /Bearer srt_/,
  },
  {
    name: "a token of the right form that is not known",
    as: "none",
    options: { token: OTHER_TOKEN },
    code: "token-invalid",
    detail: /does not know/,
  },
  {
    name: "a token of the wrong form",
    as: "none",
    options: { token: "hello" },
    code: "token-invalid",
    detail: /does not know/,
  },
  {
    name: "a wrong token, on a route that is not there",
    path: "/v1/nothing",
    as: "none",
    options: { token: OTHER_TOKEN },
    code: "token-invalid",
    detail: /does not know/,
  },

  { name: "writing with a read token", as: "read", options: put({}), code: "scope-missing", detail: /scope write/ },
  {
    name: "writing what is not JSON with a read token",
    as: "read",
    options: put("{"),
    code: "scope-missing",
    detail: /scope write/,
  },
  {
    name: "removing with a read token",
    as: "read",
    options: { method: "DELETE" },
    code: "scope-missing",
    detail: /scope write/,
  },
  {
    name: "a batch with a read token",
    path: "/v1/records/people",
    as: "read",
    options: { method: "POST", body: {} },
    code: "scope-missing",
    detail: /scope write/,
  },
  {
    name: "reading with a write token, what is not there",
    path: id("absent"),
    as: "write",
    code: "scope-missing",
    detail: /scope read/,
  },
  {
    name: "reading with a write token, what is there",
    path: id("there"),
    as: "write",
    code: "scope-missing",
    detail: /scope read/,
  },
  { name: "regions with a write token", path: "/v1/regions", as: "write", code: "scope-missing", detail: /scope read/ },

  {
    name: "a body that is not JSON",
    options: put("{name: 'Ada'}"),
    code: "document-invalid",
    detail: /not valid JSON near character 1/,
  },
  { name: "no body", options: { method: "PUT" }, code: "document-invalid", detail: /one JSON object/ },
  { name: "an empty body", options: put(""), code: "document-invalid", detail: /not valid JSON/ },
  { name: "an array", options: put("[]"), code: "document-invalid", detail: /one JSON object/ },
  {
    name: "a body that is not UTF-8",
    options: put(Buffer.from('{"a":"\xe9"}', "latin1")),
    code: "document-invalid",
    detail: /UTF-8/,
  },
  {
    name: "a number that cannot be held",
    options: put('{"a":12345678901234567890}'),
    code: "document-invalid",
    detail: /as a string/,
  },
  {
    name: "a body nested too deep",
    options: put(`${'{"a":'.repeat(200)}1${"}".repeat(200)}`),
    code: "document-invalid",
    detail: /deeper than 64/,
  },
  {
    name: "another content type",
    options: put("a=1", { "content-type": "application/x-www-form-urlencoded" }),
    code: "content-type-unsupported",
    detail: /application\/json/,
  },
  {
    name: "a JSON type that is not JSON",
    options: put("{}", { "content-type": "application/merge-patch+json" }),
    code: "content-type-unsupported",
    detail: /application\/json/,
  },
  {
    name: "a body without a content type",
    options: put("{}", { "content-type": "" }),
    code: "content-type-unsupported",
    detail: /application\/json/,
  },
  { name: "a body of 10 MB", options: put(Buffer.alloc(10_000_000, 0x20)), code: "body-too-large", detail: /larger/ },
  {
    name: "a body of one byte too many",
    options: put(`{"a":"${"x".repeat(2 ** 20 - 8 + 1)}"}`),
    code: "body-too-large",
    detail: /larger/,
  },

  { name: "an id with a slash, percent-encoded", path: id("a%2Fb"), code: "id-invalid", detail: /contains "\/"/ },
  { name: "an id with a slash, as it is", path: id("a/b"), code: "route-absent", detail: /holds '\/'/ },
  { name: "an id with a backslash", path: id("a%5Cb"), code: "id-invalid", detail: /contains "\\"/ },
  { name: "an id of two dots", path: id(".."), code: "id-invalid", detail: /is "\.\."/ },
  { name: "an id of two dots, percent-encoded", path: id("%2e%2e"), code: "id-invalid", detail: /is "\.\."/ },
  { name: "an id with NUL", path: id("a%00b"), code: "id-invalid", detail: /NUL/ },
  { name: "an id with a line feed", path: id("a%0Ab"), code: "id-invalid", detail: /control/ },
  { name: "an id of 10 kB", path: id("x".repeat(10_000)), code: "id-invalid", detail: /10000 bytes.*at most 256/ },
  {
    name: "an id of 10 kB of emoji",
    path: id(encodeURIComponent("🔐".repeat(1000))),
    code: "id-invalid",
    detail: /4000 bytes/,
  },
  { name: "an id of 100 kB", path: id("x".repeat(100_000)), code: "headers-too-large", detail: /larger/ },
  { name: "an empty id", path: id(""), code: "id-invalid", detail: /is empty/ },
  { name: "an id that is not in normal form C", path: id("e%CC%81"), code: "id-invalid", detail: /normal form C/ },
  { name: "an id that is not UTF-8", path: id("%ff"), code: "url-invalid", detail: /percent-encoded UTF-8/ },
  { name: "an id that is not percent-encoded", path: id("%zz"), code: "url-invalid", detail: /percent-encoded UTF-8/ },
  {
    name: "writing under an id that is not allowed",
    path: id("a%2Fb"),
    options: put({}),
    code: "id-invalid",
    detail: /contains "\/"/,
  },
  {
    name: "the versions of an id that is not allowed",
    path: `${id("..")}/versions`,
    code: "id-invalid",
    detail: /is "\.\."/,
  },

  {
    name: "a collection's name that is not allowed",
    path: "/v1/records/People/42",
    code: "collection-invalid",
    detail: /lower-case/,
  },
  {
    name: "a list of a collection that is not there",
    path: "/v1/records/nobody",
    code: "collection-absent",
    detail: /no such collection/,
  },
  { name: "a record that is not there", path: id("absent"), code: "record-absent", detail: /no such record/ },
  {
    name: "a record of a collection that is not there",
    path: "/v1/records/nobody/42",
    code: "record-absent",
    detail: /no such record/,
  },
  {
    name: "versions of a record that is not there",
    path: `${id("absent")}/versions`,
    code: "record-absent",
    detail: /no such record/,
  },
  {
    name: "a version that is not there",
    path: `${id("there")}/versions/7`,
    code: "version-absent",
    detail: /no such version/,
  },
  {
    name: "a version that is no number",
    path: `${id("there")}/versions/latest`,
    code: "request-invalid",
    detail: /whole number/,
  },
  { name: "version 0", path: `${id("there")}/versions/0`, code: "request-invalid", detail: /whole number/ },
  {
    name: "removing what is not there",
    path: id("absent"),
    options: { method: "DELETE" },
    code: "record-absent",
    detail: /no such record/,
  },

  {
    name: "If-Match without quotes",
    options: put({}, { "if-match": "1" }),
    code: "condition-invalid",
    detail: /double quotes/,
  },
  {
    name: "a weak If-Match",
    options: put({}, { "if-match": 'W/"1"' }),
    code: "condition-invalid",
    detail: /double quotes/,
  },
  {
    name: "If-Match with two versions",
    options: put({}, { "if-match": '"1", "2"' }),
    code: "condition-invalid",
    detail: /one version/,
  },
  {
    name: "If-Match with no number",
    options: put({}, { "if-match": '"abc"' }),
    code: "condition-invalid",
    detail: /one version/,
  },
  {
    name: "If-Match that is empty",
    options: put({}, { "if-match": "" }),
    code: "condition-invalid",
    detail: /one version/,
  },
  {
    name: "If-None-Match with a version",
    options: put({}, { "if-none-match": '"1"' }),
    code: "condition-invalid",
    detail: /must be \*/,
  },
  {
    name: "both conditions",
    options: put({}, { "if-match": '"1"', "if-none-match": "*" }),
    code: "condition-invalid",
    detail: /combined/,
  },
  {
    name: "an expected version of a record that is not there",
    path: id("absent"),
    options: put({}, { "if-match": '"1"' }),
    code: "version-conflict",
    detail: /no such record/,
  },
  {
    name: "another version than expected",
    path: id("there"),
    options: put({}, { "if-match": '"7"' }),
    code: "version-conflict",
    detail: /at version 1/,
  },
  {
    name: "a record that should not be there",
    path: id("there"),
    options: put({}, { "if-none-match": "*" }),
    code: "version-conflict",
    detail: /at version 1/,
  },
  {
    name: "any version of a record that is not there",
    path: id("absent"),
    options: put({}, { "if-match": "*" }),
    code: "version-conflict",
    detail: /no such record/,
  },
  {
    name: "removing another version than expected",
    path: id("there"),
    options: { method: "DELETE", headers: { "if-match": '"7"' } },
    code: "version-conflict",
    detail: /at version 1/,
  },
  {
    name: "a subject that is not allowed",
    options: put({}, { "strongroom-subject": "a%2Fb" }),
    code: "subject-invalid",
    detail: /contains "\/"/,
  },
  {
    name: "a subject that is not percent-encoded",
    options: put({}, { "strongroom-subject": "%zz" }),
    code: "subject-invalid",
    detail: /percent-encoded/,
  },

  {
    name: "a cursor that is none",
    path: "/v1/records/people?cursor=abc",
    code: "cursor-invalid",
    detail: /not one that this list gave out/,
  },
  {
    name: "a cursor of another collection",
    path: `/v1/records/people?cursor=${Buffer.from('["list-2","pets","YQ"]').toString("base64url")}`,
    code: "cursor-invalid",
    detail: /another collection/,
  },
  { name: "a page of no items", path: "/v1/records/people?limit=0", code: "request-invalid", detail: /limit/ },
  { name: "a page of too many items", path: "/v1/records/people?limit=1001", code: "request-invalid", detail: /limit/ },
  {
    name: "a page size that is no number",
    path: "/v1/records/people?limit=many",
    code: "request-invalid",
    detail: /limit/,
  },
  {
    name: "a parameter that is not there",
    path: "/v1/records/people?limt=5",
    code: "request-invalid",
    detail: /querystring.*a member that is not/,
  },

  {
    name: "a batch that is no object",
    path: "/v1/records/people",
    options: { method: "POST", body: "[]" },
    code: "request-invalid",
    detail: /object/,
  },
  {
    name: "a batch without records",
    path: "/v1/records/people",
    options: { method: "POST", body: {} },
    code: "request-invalid",
    detail: /records/,
  },
  {
    name: "a batch of too many records",
    path: "/v1/records/people",
    options: {
      method: "POST",
      body: { records: Array.from({ length: 1001 }, (_, n) => ({ id: String(n), document: {} })) },
    },
    code: "request-invalid",
    detail: /records/,
  },
  {
    name: "a batch with a member that is not known",
    path: "/v1/records/people",
    options: { method: "POST", body: { records: [], mode: "x" } },
    code: "request-invalid",
    detail: /body.*a member that is not/,
  },
  {
    name: "a batch with an unknown choice",
    path: "/v1/records/people",
    options: { method: "POST", body: { records: [], onExisting: "delete" } },
    code: "request-invalid",
    detail: /onExisting/,
  },
  {
    name: "a batch of 10 MB",
    path: "/v1/records/people",
    options: { method: "POST", body: Buffer.alloc(10_000_000, 0x20) },
    code: "body-too-large",
    detail: /larger/,
  },

  { name: "a route that is not there", path: "/v1/nothing", code: "route-absent", detail: /no such route/ },
  {
    name: "a route that is not there, outside of the API",
    path: "/nothing",
    as: "none",
    code: "route-absent",
    detail: /no such route/,
  },
  {
    name: "a method that the route does not take",
    path: "/v1/records/people/42",
    options: { method: "POST", body: {} },
    code: "method-not-allowed",
    detail: /DELETE, GET, HEAD, PUT/,
  },
  {
    name: "a method that no route takes",
    path: "/v1/regions",
    options: { method: "OPTIONS" },
    code: "method-not-allowed",
    detail: /GET/,
  },
];
