// Made by `npm run client:generate` from the server's OpenAPI document; not to be changed by hand.
export interface paths {
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Is the process alive? */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Can the service do its work?
         * @description The store answers, and no more regions are known to be down than a write can do without. Owed wraps are shown, and are no reason not to be ready.
         */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the service counts
         * @description The text format of Prometheus. No label holds an id of a record, a token or a key.
         */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/records/{collection}/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a record
         * @description The newest version's document. Nothing is given that is not authentic, of this address and of this version. Needs the scope `read`.
         */
        get: operations["getRecord"];
        /**
         * Write a record
         * @description Writes a new version. Without a condition it is written on whatever is there. Needs the scope `write`.
         */
        put: operations["putRecord"];
        post?: never;
        /**
         * Remove a record
         * @description The messages of all its versions are deleted and overwritten. The number of the last one is kept, so that none is used twice. Needs the scope `write`.
         */
        delete: operations["removeRecord"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/records/{collection}/{id}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List a record's versions
         * @description Needs the scope `read`.
         */
        get: operations["listVersions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/records/{collection}/{id}/versions/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read one version of a record
         * @description Needs the scope `read`.
         */
        get: operations["getVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/collections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the collections
         * @description Needs the scope `read`.
         */
        get: operations["listCollections"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/records/{collection}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List a collection's ids
         * @description In the order of the ids' UTF-8 bytes. A cursor is a place, not a snapshot: what is written behind it is not seen. Needs the scope `read`.
         */
        get: operations["listRecords"];
        put?: never;
        /**
         * Write many records
         * @description In one transaction. What is wrong with one record refuses that record; what is wrong with the regions or the store fails the request, and nothing of it is stored. Needs the scope `write`.
         */
        post: operations["putRecords"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/regions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Health of the regions
         * @description From real calls; regions that are not known to be up are asked once more, at most once a second. Needs the scope `read`.
         */
        get: operations["getRegions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/regions/debt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the versions that owe a wrap
         * @description In the order of collection, id and version. A cursor is a place, not a snapshot. Needs the scope `read`.
         */
        get: operations["listDebt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description Any JSON object. Comes back equal; the order of its keys and its spacing are not kept. A number that a double cannot hold exactly is refused.
         * @example {
         *       "name": "Ada Lovelace",
         *       "born": 1815
         *     }
         */
        Document: {
            [key: string]: unknown;
        };
        Wraps: {
            /** @description Regions that hold a wrap of the data key. */
            stored: number;
            /** @description Regions that should. */
            target: number;
            /**
             * @description Regions whose wrap is owed.
             * @example [
             *       "eu-west-2"
             *     ]
             */
            missing: string[];
        };
        PutAnswer: {
            /**
             * @description A lower-case letter, then up to 62 lower-case letters, digits, `_` or `-`.
             * @example people
             */
            collection: string;
            /**
             * @description 1 to 256 bytes of UTF-8 in normal form C; no control characters, no `/` or `\`, not `.` or `..`. Percent-encoded in URLs.
             * @example C000127
             */
            id: string;
            /**
             * @description Whom the record is about. It is logged in clear by the KMS: an opaque identifier, no personal data.
             * @example person-8f14e45f
             */
            subject: string;
            /**
             * @description Number of the version. Never used twice for one record, also not after a removal.
             * @example 3
             */
            version: number;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             * @example 2026-03-04T05:06:07.890Z
             */
            createdAt: string;
            /** @enum {string} */
            outcome: "created" | "replaced";
            wraps: components["schemas"]["Wraps"];
        };
        RemoveAnswer: {
            /**
             * @description A lower-case letter, then up to 62 lower-case letters, digits, `_` or `-`.
             * @example people
             */
            collection: string;
            /**
             * @description 1 to 256 bytes of UTF-8 in normal form C; no control characters, no `/` or `\`, not `.` or `..`. Percent-encoded in URLs.
             * @example C000127
             */
            id: string;
            /**
             * @description Number of the version. Never used twice for one record, also not after a removal.
             * @example 3
             */
            lastVersion: number;
            /**
             * Format: date-time
             * @description ISO 8601, UTC.
             * @example 2026-03-04T05:06:07.890Z
             */
            removedAt: string;
        };
        ListAnswer: {
            items: {
                /**
                 * @description 1 to 256 bytes of UTF-8 in normal form C; no control characters, no `/` or `\`, not `.` or `..`. Percent-encoded in URLs.
                 * @example C000127
                 */
                id: string;
                /**
                 * @description Number of the version. Never used twice for one record, also not after a removal.
                 * @example 3
                 */
                version: number;
                /**
                 * Format: date-time
                 * @description ISO 8601, UTC.
                 * @example 2026-03-04T05:06:07.890Z
                 */
                updatedAt: string;
            }[];
            /** @description Cursor of the next page, null on the last one. */
            next: string | null;
        };
        VersionsAnswer: {
            /** @description Newest first. Not opened: reading a version is what proves it. */
            versions: {
                /**
                 * @description Number of the version. Never used twice for one record, also not after a removal.
                 * @example 3
                 */
                version: number;
                /**
                 * @description Whom the record is about. It is logged in clear by the KMS: an opaque identifier, no personal data.
                 * @example person-8f14e45f
                 */
                subject: string;
                /**
                 * Format: date-time
                 * @description ISO 8601, UTC.
                 * @example 2026-03-04T05:06:07.890Z
                 */
                createdAt: string;
                /** @description Length of the stored message. */
                messageBytes: number;
                wraps: {
                    stored: number;
                    target: number;
                };
            }[];
        };
        CollectionsAnswer: {
            collections: {
                /**
                 * @description A lower-case letter, then up to 62 lower-case letters, digits, `_` or `-`.
                 * @example people
                 */
                collection: string;
                records: number;
            }[];
        };
        /**
         * @description Stable; what a program decides by. `x-strongroom-errors` says of each code what it means, what to do, how a command ends with it, and the status of the answer.
         * @enum {string}
         */
        ErrorCode: "record-absent" | "version-absent" | "collection-absent" | "version-conflict" | "record-contended" | "record-moved" | "record-moved-collection" | "record-moved-subject" | "record-rolled-back" | "record-tampered" | "key-not-configured" | "regions-unavailable" | "wraps-below-minimum" | "deadline-exceeded" | "encryption-failed" | "id-invalid" | "collection-invalid" | "subject-invalid" | "version-invalid" | "cursor-invalid" | "limit-invalid" | "document-invalid" | "stored-document-invalid" | "document-too-large" | "batch-too-large" | "store-full" | "store-failed" | "store-closed" | "token-missing" | "token-invalid" | "scope-missing" | "route-absent" | "method-not-allowed" | "url-invalid" | "request-invalid" | "condition-invalid" | "content-type-unsupported" | "body-too-large" | "body-incomplete" | "headers-too-large" | "request-timeout" | "request-deadline" | "request-malformed" | "collection-unknown" | "tokens-unreadable" | "internal";
        BatchAnswer: {
            /** @description One for each record of the request, in its order. */
            results: {
                id: string;
                /** @enum {string} */
                outcome: "created" | "replaced" | "unchanged" | "kept" | "refused";
                /**
                 * @description Number of the version. Never used twice for one record, also not after a removal.
                 * @example 3
                 */
                version?: number;
                wraps?: components["schemas"]["Wraps"];
                code?: components["schemas"]["ErrorCode"];
                detail?: string;
            }[];
        };
        HealthAnswer: {
            /** @constant */
            status: "ok";
        };
        /**
         * @example {
         *       "type": "urn:strongroom:error:record-absent",
         *       "title": "There is no such record",
         *       "status": 404,
         *       "code": "record-absent",
         *       "detail": "There is no such record",
         *       "remedy": "Check the collection and the id; list the collection to see what is there.",
         *       "requestId": "0b9c7a34-1de5-4bb4-a70b-5d3a6a0a1f0e"
         *     }
         */
        Problem: {
            type: string;
            title: string;
            status: number;
            code: components["schemas"]["ErrorCode"];
            /** @description What is the matter this time. */
            detail: string;
            /** @description What to do about it. */
            remedy: string;
            /** @description Also in the service's log. */
            requestId: string;
            /** @description What each region said. */
            regions?: {
                region: string;
                reason: string;
            }[];
            /** @description Parts of the request that are wrong. */
            problems?: {
                path: string;
                message: string;
            }[];
            /** @description The version there is, null for no record. */
            currentVersion?: number | null;
        };
        RegionTotals: {
            reads: number;
            writes: number;
            readsFailed: number;
            writesFailed: number;
            /** @description Calls made because the region before failed. */
            failovers: number;
            /** @description Calls made because the region before kept us waiting. */
            hedges: number;
            /** @description Those of them that were faster. */
            hedgesWon: number;
            /** @description Those that the budget did not allow. */
            hedgesDenied: number;
            /** @description Wraps made in place of a preferred region's. */
            substitutions: number;
            /** @description Writes stored with fewer wraps than wanted. */
            writesBelowTarget: number;
        };
        RegionsAnswer: {
            /** @description Wraps that a write needs. */
            minimum: number;
            regions: {
                /** @example eu-west-1 */
                region: string;
                /** @enum {string} */
                state: "up" | "down" | "unknown";
                /** @description Of the last successful calls. */
                latencyMs: {
                    p50: number;
                    p95: number;
                } | null;
                calls: number;
                /** @description Calls that were hedges, probes or checks: not needed had every region been up and quick. */
                extraCalls: number;
                /** @description Calls by why they were made. */
                callsByPurpose: {
                    [key: string]: number;
                };
                /** @description Calls that another region's answer made superfluous. */
                overtaken: number;
                failures: number;
                failuresByKind: {
                    [key: string]: number;
                };
                lastFailure: {
                    kind: string;
                    /**
                     * Format: date-time
                     * @description ISO 8601, UTC.
                     * @example 2026-03-04T05:06:07.890Z
                     */
                    at: string;
                } | null;
                lastSuccessAt: string | null;
                breaker: {
                    /** @enum {string} */
                    state: "closed" | "open" | "half-open";
                    /** @description It rests because it answered untruly. */
                    quarantined: boolean;
                    /** @description Milliseconds until it is tried again, null while closed. */
                    restMs: number | null;
                };
                /** @description The rate it is limited to after throttling. */
                callsPerSecond: number | null;
                /** @description What needs somebody: its key, permissions, or the truth of its answers. */
                alarm: {
                    kind: string;
                    /**
                     * Format: date-time
                     * @description ISO 8601, UTC.
                     * @example 2026-03-04T05:06:07.890Z
                     */
                    since: string;
                } | null;
            }[];
            totals: components["schemas"]["RegionTotals"] | null;
            /** @description Versions that have fewer wraps than they should. */
            wrapDebt: {
                items: number;
                oldest: string | null;
                /** @description Age of the oldest debt. */
                oldestSeconds: number | null;
                regions: {
                    /** @example eu-west-1 */
                    region: string;
                    items: number;
                    /**
                     * Format: date-time
                     * @description ISO 8601, UTC.
                     * @example 2026-03-04T05:06:07.890Z
                     */
                    oldest: string;
                }[];
            };
            /** @description The repair of owed wraps in this process, since it was started. */
            repair: {
                /** @enum {string} */
                state: "off" | "resting" | "working" | "stopped";
                repaired: number;
                /** @description Found to owe nothing any more. */
                settled: number;
                /** @description Met a writer, a removal or another repair, and changed nothing. */
                overtaken: number;
                failed: number;
                lastRepairAt: string | null;
                lastFailure: {
                    code: string;
                    /**
                     * Format: date-time
                     * @description ISO 8601, UTC.
                     * @example 2026-03-04T05:06:07.890Z
                     */
                    at: string;
                } | null;
            };
        };
        DebtAnswer: {
            items: {
                /**
                 * @description A lower-case letter, then up to 62 lower-case letters, digits, `_` or `-`.
                 * @example people
                 */
                collection: string;
                /**
                 * @description 1 to 256 bytes of UTF-8 in normal form C; no control characters, no `/` or `\`, not `.` or `..`. Percent-encoded in URLs.
                 * @example C000127
                 */
                id: string;
                /**
                 * @description Number of the version. Never used twice for one record, also not after a removal.
                 * @example 3
                 */
                version: number;
                /** @description Where a wrap is missing, and what the region said when the message was sealed. */
                regions: {
                    /** @example eu-west-1 */
                    region: string;
                    reason: string;
                }[];
                /**
                 * Format: date-time
                 * @description ISO 8601, UTC.
                 * @example 2026-03-04T05:06:07.890Z
                 */
                since: string;
                /** @description Repairs that failed one after the other. */
                attempts: number;
                /** @description Why the last of them failed. */
                lastProblem: {
                    code: string;
                    /**
                     * Format: date-time
                     * @description ISO 8601, UTC.
                     * @example 2026-03-04T05:06:07.890Z
                     */
                    at: string;
                } | null;
            }[];
            /** @description Cursor of the next page, null on the last one. */
            next: string | null;
        };
        ReadyAnswer: {
            /** @enum {string} */
            status: "ready" | "not-ready";
            store: {
                ok: boolean;
            };
            regions: {
                ok: boolean;
                minimum: number;
                /** @description Regions that are up, or not known to be down. */
                notDown: number;
                states: {
                    region: string;
                    /** @enum {string} */
                    state: "up" | "down" | "unknown";
                }[];
            };
            /** @description Versions that owe a wrap. They are safe by the minimum: owing alone is not a reason not to be ready. */
            wrapDebt: {
                items: number;
            } | null;
        };
        /**
         * @example {
         *       "records": [
         *         {
         *           "id": "C000127",
         *           "document": {
         *             "name": "Ada Lovelace"
         *           },
         *           "subject": "person-8f14e45f"
         *         }
         *       ],
         *       "onExisting": "compare"
         *     }
         */
        BatchRequest: {
            records: {
                /**
                 * @description 1 to 256 bytes of UTF-8 in normal form C; no control characters, no `/` or `\`, not `.` or `..`. Percent-encoded in URLs.
                 * @example C000127
                 */
                id: string;
                document: components["schemas"]["Document"];
                /**
                 * @description Whom the record is about. It is logged in clear by the KMS: an opaque identifier, no personal data.
                 * @example person-8f14e45f
                 */
                subject?: string;
            }[];
            /**
             * @description What to do with a record that is there: `compare` writes a new version only when the document differs (so a batch may be sent again), `replace` always does, `keep` never does.
             * @default compare
             * @enum {string}
             */
            onExisting: "compare" | "replace" | "keep";
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthAnswer"];
                };
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReadyAnswer"];
                };
            };
            /** @description Not ready: the members that are not `ok` say why. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReadyAnswer"];
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    getRecord: {
        parameters: {
            query?: never;
            header?: {
                /** @description A version the client has, `"3"`: 304 when it is still the one. */
                "if-none-match"?: string;
            };
            path: {
                /**
                 * @description A lower-case letter, then up to 62 lower-case letters, digits, `_` or `-`.
                 * @example people
                 */
                collection: string;
                /**
                 * @description 1 to 256 bytes of UTF-8 in normal form C; no control characters, no `/` or `\`, not `.` or `..`. Percent-encoded in URLs.
                 * @example C000127
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document. */
            200: {
                headers: {
                    /** @description The version, quoted: what If-Match takes. */
                    ETag?: string;
                    /** @description The version. */
                    "Strongroom-Version"?: number;
                    /** @description Whom the record is about, percent-encoded. */
                    "Strongroom-Subject"?: string;
                    /** @description When this version was written (HTTP date). */
                    "Last-Modified"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Document"];
                };
            };
            /** @description The client's version is still the one. */
            304: {
                headers: {
                    /** @description The version, quoted: what If-Match takes. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `id-invalid`: The record's id is not allowed. `collection-invalid`: The collection's name is not allowed. `request-invalid`: The request has an invalid part. `url-invalid`: The URL is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `token-missing`: No token was sent. `token-invalid`: The token is not valid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `scope-missing`: The token may not do this. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `collection-unknown`: The service is not configured for this collection. `record-absent`: There is no such record. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The request line and headers are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `record-moved`: The stored message belongs to another record. `record-moved-collection`: The stored message belongs to another collection. `record-moved-subject`: The stored message is about another subject. `record-rolled-back`: An older state was put back. `record-tampered`: The stored message is not authentic. `stored-document-invalid`: The stored document is not a JSON object. `key-not-configured`: No configured key belongs to the stored message. `encryption-failed`: The document could not be encrypted or decrypted. `internal`: The service failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `regions-unavailable`: No region could open the record's data key. `deadline-exceeded`: The regions did not answer in time. `request-deadline`: The request took too long to answer. `tokens-unreadable`: The tokens cannot be read. `store-failed`: The database cannot be used. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putRecord: {
        parameters: {
            query?: never;
            header?: {
                /** @description Write only on this version, `"3"`, or only if the record is there, `*`. */
                "if-match"?: string;
                /** @description `*`: write only if there is no such record. */
                "if-none-match"?: string;
                /** @description Whom the record is about, percent-encoded. Left out: as it is; of a new record, its id. */
                "strongroom-subject"?: string;
            };
            path: {
                /**
                 * @description A lower-case letter, then up to 62 lower-case letters, digits, `_` or `-`.
                 * @example people
                 */
                collection: string;
                /**
                 * @description 1 to 256 bytes of UTF-8 in normal form C; no control characters, no `/` or `\`, not `.` or `..`. Percent-encoded in URLs.
                 * @example C000127
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Document"];
            };
        };
        responses: {
            /** @description A new version of a record that was there. */
            200: {
                headers: {
                    /** @description The version, quoted: what If-Match takes. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PutAnswer"];
                };
            };
            /** @description The first version of a new record. */
            201: {
                headers: {
                    /** @description The version, quoted: what If-Match takes. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PutAnswer"];
                };
            };
            /** @description `id-invalid`: The record's id is not allowed. `collection-invalid`: The collection's name is not allowed. `subject-invalid`: The subject is not allowed. `condition-invalid`: The condition of the request is not valid. `body-incomplete`: The body did not arrive as announced. `document-invalid`: The document cannot be stored as JSON. `request-invalid`: The request has an invalid part. `url-invalid`: The URL is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `token-missing`: No token was sent. `token-invalid`: The token is not valid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `scope-missing`: The token may not do this. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `collection-unknown`: The service is not configured for this collection. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `record-contended`: Too many writers changed the record at the same time. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `version-conflict`: The record is not at the expected version. */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body-too-large`: The body is too large. `document-too-large`: The document is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `content-type-unsupported`: The body's content type is not supported. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The request line and headers are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `record-rolled-back`: An older state was put back. `record-tampered`: The stored message is not authentic. `encryption-failed`: The document could not be encrypted or decrypted. `internal`: The service failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `wraps-below-minimum`: Fewer regions than the minimum could wrap the data key. `deadline-exceeded`: The regions did not answer in time. `request-deadline`: The request took too long to answer. `tokens-unreadable`: The tokens cannot be read. `store-failed`: The database cannot be used. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `store-full`: The disk is full. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeRecord: {
        parameters: {
            query?: never;
            header?: {
                /** @description Write only on this version, `"3"`, or only if the record is there, `*`. */
                "if-match"?: string;
                /** @description `*`: write only if there is no such record. */
                "if-none-match"?: string;
            };
            path: {
                /**
                 * @description A lower-case letter, then up to 62 lower-case letters, digits, `_` or `-`.
                 * @example people
                 */
                collection: string;
                /**
                 * @description 1 to 256 bytes of UTF-8 in normal form C; no control characters, no `/` or `\`, not `.` or `..`. Percent-encoded in URLs.
                 * @example C000127
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The record is removed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemoveAnswer"];
                };
            };
            /** @description `id-invalid`: The record's id is not allowed. `collection-invalid`: The collection's name is not allowed. `condition-invalid`: The condition of the request is not valid. `request-invalid`: The request has an invalid part. `url-invalid`: The URL is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `token-missing`: No token was sent. `token-invalid`: The token is not valid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `scope-missing`: The token may not do this. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `collection-unknown`: The service is not configured for this collection. `record-absent`: There is no such record. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `record-contended`: Too many writers changed the record at the same time. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `version-conflict`: The record is not at the expected version. */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The request line and headers are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-deadline`: The request took too long to answer. `tokens-unreadable`: The tokens cannot be read. `store-failed`: The database cannot be used. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `store-full`: The disk is full. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listVersions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description A lower-case letter, then up to 62 lower-case letters, digits, `_` or `-`.
                 * @example people
                 */
                collection: string;
                /**
                 * @description 1 to 256 bytes of UTF-8 in normal form C; no control characters, no `/` or `\`, not `.` or `..`. Percent-encoded in URLs.
                 * @example C000127
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The versions, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionsAnswer"];
                };
            };
            /** @description `id-invalid`: The record's id is not allowed. `collection-invalid`: The collection's name is not allowed. `request-invalid`: The request has an invalid part. `url-invalid`: The URL is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `token-missing`: No token was sent. `token-invalid`: The token is not valid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `scope-missing`: The token may not do this. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `collection-unknown`: The service is not configured for this collection. `record-absent`: There is no such record. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The request line and headers are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `record-rolled-back`: An older state was put back. `record-tampered`: The stored message is not authentic. `internal`: The service failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-deadline`: The request took too long to answer. `tokens-unreadable`: The tokens cannot be read. `store-failed`: The database cannot be used. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description A lower-case letter, then up to 62 lower-case letters, digits, `_` or `-`.
                 * @example people
                 */
                collection: string;
                /**
                 * @description 1 to 256 bytes of UTF-8 in normal form C; no control characters, no `/` or `\`, not `.` or `..`. Percent-encoded in URLs.
                 * @example C000127
                 */
                id: string;
                /**
                 * @description Number of the version.
                 * @example 3
                 */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document as it was in this version. */
            200: {
                headers: {
                    /** @description The version, quoted: what If-Match takes. */
                    ETag?: string;
                    /** @description The version. */
                    "Strongroom-Version"?: number;
                    /** @description Whom the record is about, percent-encoded. */
                    "Strongroom-Subject"?: string;
                    /** @description When this version was written (HTTP date). */
                    "Last-Modified"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Document"];
                };
            };
            /** @description `id-invalid`: The record's id is not allowed. `collection-invalid`: The collection's name is not allowed. `request-invalid`: The request has an invalid part. `url-invalid`: The URL is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `token-missing`: No token was sent. `token-invalid`: The token is not valid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `scope-missing`: The token may not do this. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `collection-unknown`: The service is not configured for this collection. `record-absent`: There is no such record. `version-absent`: The record has no such version. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The request line and headers are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `record-moved`: The stored message belongs to another record. `record-moved-collection`: The stored message belongs to another collection. `record-moved-subject`: The stored message is about another subject. `record-rolled-back`: An older state was put back. `record-tampered`: The stored message is not authentic. `stored-document-invalid`: The stored document is not a JSON object. `key-not-configured`: No configured key belongs to the stored message. `encryption-failed`: The document could not be encrypted or decrypted. `internal`: The service failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `regions-unavailable`: No region could open the record's data key. `deadline-exceeded`: The regions did not answer in time. `request-deadline`: The request took too long to answer. `tokens-unreadable`: The tokens cannot be read. `store-failed`: The database cannot be used. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCollections: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every collection that ever had a record. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CollectionsAnswer"];
                };
            };
            /** @description `request-invalid`: The request has an invalid part. `url-invalid`: The URL is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `token-missing`: No token was sent. `token-invalid`: The token is not valid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `scope-missing`: The token may not do this. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The request line and headers are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-deadline`: The request took too long to answer. `tokens-unreadable`: The tokens cannot be read. `store-failed`: The database cannot be used. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRecords: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                /** @description Items of the page; 100 when left out. */
                limit?: number;
            };
            header?: never;
            path: {
                /**
                 * @description A lower-case letter, then up to 62 lower-case letters, digits, `_` or `-`.
                 * @example people
                 */
                collection: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListAnswer"];
                };
            };
            /** @description `collection-invalid`: The collection's name is not allowed. `cursor-invalid`: The cursor is not one that this list gave out. `limit-invalid`: The page size is not allowed. `request-invalid`: The request has an invalid part. `url-invalid`: The URL is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `token-missing`: No token was sent. `token-invalid`: The token is not valid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `scope-missing`: The token may not do this. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `collection-unknown`: The service is not configured for this collection. `collection-absent`: There is no such collection. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The request line and headers are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-deadline`: The request took too long to answer. `tokens-unreadable`: The tokens cannot be read. `store-failed`: The database cannot be used. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putRecords: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description A lower-case letter, then up to 62 lower-case letters, digits, `_` or `-`.
                 * @example people
                 */
                collection: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BatchRequest"];
            };
        };
        responses: {
            /** @description What became of each record. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchAnswer"];
                };
            };
            /** @description `collection-invalid`: The collection's name is not allowed. `body-incomplete`: The body did not arrive as announced. `document-invalid`: The document cannot be stored as JSON. `request-invalid`: The request has an invalid part. `url-invalid`: The URL is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `token-missing`: No token was sent. `token-invalid`: The token is not valid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `scope-missing`: The token may not do this. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `collection-unknown`: The service is not configured for this collection. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `record-contended`: Too many writers changed the record at the same time. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `batch-too-large`: The batch has too many items. `body-too-large`: The body is too large. `document-too-large`: The document is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `content-type-unsupported`: The body's content type is not supported. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The request line and headers are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `encryption-failed`: The document could not be encrypted or decrypted. `internal`: The service failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `regions-unavailable`: No region could open the record's data key. `wraps-below-minimum`: Fewer regions than the minimum could wrap the data key. `deadline-exceeded`: The regions did not answer in time. `request-deadline`: The request took too long to answer. `tokens-unreadable`: The tokens cannot be read. `store-failed`: The database cannot be used. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `store-full`: The disk is full. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRegions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Each region, in the order of preference. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegionsAnswer"];
                };
            };
            /** @description `request-invalid`: The request has an invalid part. `url-invalid`: The URL is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `token-missing`: No token was sent. `token-invalid`: The token is not valid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `scope-missing`: The token may not do this. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The request line and headers are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-deadline`: The request took too long to answer. `tokens-unreadable`: The tokens cannot be read. `store-failed`: The database cannot be used. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDebt: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                /** @description Items of the page; 100 when left out. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DebtAnswer"];
                };
            };
            /** @description `cursor-invalid`: The cursor is not one that this list gave out. `limit-invalid`: The page size is not allowed. `request-invalid`: The request has an invalid part. `url-invalid`: The URL is not valid. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `token-missing`: No token was sent. `token-invalid`: The token is not valid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `scope-missing`: The token may not do this. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers-too-large`: The request line and headers are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: The service failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request-deadline`: The request took too long to answer. `tokens-unreadable`: The tokens cannot be read. `store-failed`: The database cannot be used. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}

type Immutable<Value> = Value extends object ? { readonly [Name in keyof Value]: Immutable<Value[Name]> } : Value;

/** The schemas by name, for reading only. */
export type Answers = Immutable<components["schemas"]>;
