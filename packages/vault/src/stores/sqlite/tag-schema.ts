/**
 * The tables of indexes and their tags. An index has a number, which its tags name: they are as short as they can be,
 * and each lies twice, by what it is looked for and by its record.
 */
import type { Generated } from "kysely";
import type { IndexState } from "../indexes.ts";
import type { RowNumber } from "./common-schema.ts";

export interface IndexTable {
  readonly number: Generated<RowNumber>;
  readonly id: string;
  readonly collection: string;
  readonly name: string;
  /** 1: its tags lie in `unique_tags`. */
  readonly is_unique: number;
  readonly state: IndexState;
}

export interface TagTable {
  readonly index_number: RowNumber;
  readonly tag: Uint8Array;
  readonly record: RowNumber;
}

export interface TagSchema {
  readonly indexes: IndexTable;
  readonly tags: TagTable;
  readonly unique_tags: TagTable;
}

export const TAG_TABLES: readonly string[] = [
  `create table indexes (
    number integer not null primary key,
    id text not null unique,
    collection text not null,
    name text not null,
    is_unique integer not null check (is_unique in (0, 1)),
    state text not null check (state in ('building', 'ready', 'dropped'))
  ) strict`,
  `create table tags (
    index_number integer not null,
    tag blob not null,
    record integer not null,
    primary key (index_number, tag, record)
  ) strict, without rowid`,
  "create index tags_record on tags (record)",
  `create table unique_tags (
    index_number integer not null,
    tag blob not null,
    record integer not null,
    primary key (index_number, tag)
  ) strict, without rowid`,
  "create index unique_tags_record on unique_tags (record)",
];
