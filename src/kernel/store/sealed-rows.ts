import type { Queryable } from "./database.ts";
import type { Sealer } from "./sealer.ts";
import { hexOf } from "./values.ts";

// Where sealed data is, and what each is bound to: nothing is sealed under another name than here.

interface SealedColumn {
  readonly column: string;
  /** The primary key by which its rows are gone through; as text, of fixed width or compared as what it is. */
  readonly id: string;
  readonly idType: "bigint" | "bytea" | "uuid" | "boolean";
  /** What the row is called in the name that it is sealed for, as SQL. */
  readonly boundTo: string;
  readonly bind: (name: string) => string;
}

export const SEALED = {
  transfers: {
    column: "sealed",
    id: "seq",
    idType: "bigint",
    boundTo: "uetr::text",
    bind: (uetr) => `transfer:${uetr}`,
  },
  payloads: {
    column: "sealed",
    id: "batch",
    idType: "bytea",
    boundTo: "'0x' || encode(batch, 'hex')",
    bind: (batch) => `payload:${batch}`,
  },
  requests: { column: "sealed", id: "id", idType: "uuid", boundTo: "id::text", bind: (id) => `request:${id}` },
  webhooks: { column: "sealed_secret", id: "id", idType: "uuid", boundTo: "id::text", bind: (id) => `webhook:${id}` },
  store_identity: {
    column: "sealed_check",
    id: "only_one",
    idType: "boolean",
    boundTo: "'check'",
    bind: (name) => `store:${name}`,
  },
} as const satisfies Readonly<Record<string, SealedColumn>>;

export type SealedTable = keyof typeof SEALED;
/** In this order they are resealed: that the whole store needs a key is the last thing to go. */
export const SEALED_TABLES: readonly SealedTable[] = [
  "webhooks",
  "requests",
  "payloads",
  "transfers",
  "store_identity",
];

/** Bytes of sealed data, and of a MAC, that name the key. */
const keyNameOf = (column: string) => `substring(${column} FROM 2 FOR 4)`;

export interface KeyUse {
  readonly table: string;
  /** What the rows need the key for. */
  readonly use: "sealed" | "mac";
  /** The key's name, as hexadecimal. */
  readonly key: string;
  readonly rows: number;
}

/**
 * How many rows need which key, table by table. MACs are told where a submission may still be repeated.
 * @param repeatableFrom milliseconds since the epoch
 */
export async function keyUses(db: Queryable, repeatableFrom: number): Promise<readonly KeyUse[]> {
  const sealed = SEALED_TABLES.map(
    (table) =>
      `SELECT '${table}' AS name, 'sealed' AS use, ${keyNameOf(SEALED[table].column)} AS key, count(*) AS rows
       FROM ${table} WHERE ${SEALED[table].column} IS NOT NULL GROUP BY 3`,
  );
  const macs = `SELECT 'transfers', 'mac', substring(content_mac FROM 1 FOR 4), count(*) FROM transfers
     WHERE accepted_at >= $1 GROUP BY 3`;
  const rows = await db.query<{ name: string; use: KeyUse["use"]; key: Uint8Array; rows: bigint }>(
    `${[...sealed, macs].join(" UNION ALL ")} ORDER BY 1, 2, 3`,
    [repeatableFrom],
  );
  return rows.map(({ name, use, key, rows: count }) => ({
    table: name,
    use,
    key: hexOf(key).slice(2),
    rows: Number.parseInt(String(count), 10),
  }));
}

/** A sealed row, by how it is found again. */
export interface SealedRow {
  readonly id: string;
  readonly name: string;
  readonly sealed: Uint8Array;
}

/** Rows of a table that are sealed under a key, after one of them. */
export async function rowsSealedUnder(
  db: Queryable,
  table: SealedTable,
  key: Uint8Array,
  after: string | undefined,
  limit: number,
): Promise<readonly SealedRow[]> {
  const { column, id, idType, boundTo } = SEALED[table];
  const beyond = after === undefined ? "" : `AND ${id} > $3::text::${idType}`;
  return db.query<SealedRow>(
    `SELECT ${id}::text AS id, ${boundTo} AS name, ${column} AS sealed FROM ${table}
     WHERE ${column} IS NOT NULL AND ${keyNameOf(column)} = $1 ${beyond} ORDER BY ${id} LIMIT $2`,
    [key, limit, ...(after === undefined ? [] : [after])],
  );
}

/** Puts what was sealed anew in the place of what it was, unless that has been erased or changed meanwhile. */
export async function replaceSealed(
  db: Queryable,
  table: SealedTable,
  { id, sealed }: SealedRow,
  anew: Uint8Array,
): Promise<boolean> {
  const { column, id: key, idType } = SEALED[table];
  const rows = await db.query(
    `UPDATE ${table} SET ${column} = $3 WHERE ${key} = $1::text::${idType} AND ${column} = $2 RETURNING 1`,
    [id, sealed, anew],
  );
  return rows.length > 0;
}

/** Seals a row's data anew, under the current key. @throws SealBroken when it cannot be opened */
export function resealed(sealer: Sealer, table: SealedTable, { name, sealed }: SealedRow): Uint8Array {
  const bind = SEALED[table].bind(name);
  return sealer.seal(sealer.open(sealed, bind), bind);
}
