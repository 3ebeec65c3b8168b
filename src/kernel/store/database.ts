/**
 * What a statement takes. Times and sizes go as numbers, amounts as bigint; JSON as text, cast in the statement. A list
 * is an array there, for `column = ANY ($1)`: with it an index is used whatever the column is, and not with a join of a
 * record set on a column that is not unique.
 */
export type SqlValue = string | number | bigint | boolean | Uint8Array | null | readonly (string | bigint)[];

/**
 * Something to send statements to. Columns come back the same from PostgreSQL and PGlite: `integer` as number, `bigint`
 * and `numeric` as bigint, `bytea` as Uint8Array, `jsonb` parsed, `uuid` and `text` as text.
 */
export interface Queryable {
  /** @param sql with $1, $2, … for the values */
  query<Row extends object>(sql: string, values?: readonly SqlValue[]): Promise<readonly Row[]>;
}

/** The right to do what one process of all may do. It has to be renewed again and again, and is lost otherwise. */
export interface Lease {
  /** Higher than that of every holder before. */
  readonly epoch: bigint;
  /** Whether nobody else can have it yet; once it is not, never again. */
  isHeld(): boolean;
  /** @returns whether it is held for another while; false when it is lost for good */
  renew(): Promise<boolean>;
  /**
   * Ties a transaction to the lease: nobody takes it over before that has ended.
   * @throws LeaseLost
   */
  fence(tx: Queryable): Promise<void>;
  release(): Promise<void>;
}

/**
 * A relay's database. Nothing outside of it may be waited for inside a transaction. A statement outside of one is a
 * transaction of its own.
 */
export interface Database extends Queryable {
  /** All or nothing, at READ COMMITTED. What fails with a serialization failure or a deadlock is tried again. */
  transaction<Result>(work: (tx: Queryable) => Promise<Result>): Promise<Result>;
  /** Takes a lease that one process of all that use this database can have; undefined where another has it. */
  tryLease(name: string): Promise<Lease | undefined>;
  close(): Promise<void>;
}
