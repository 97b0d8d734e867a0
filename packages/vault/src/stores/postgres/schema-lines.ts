export const SCHEMA_LINES: readonly (readonly [name: string, form: string])[] = [];
