// COPY in its binary form: the driver can do it, but has no function for it.
import type pg from "pg";

/** What the driver's connections have beside what their types tell. */
interface CopyConnection extends pg.Connection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

const SIGNATURE = Buffer.concat([Buffer.from("PGCOPY\n\xff\r\n\0", "latin1"), Buffer.alloc(8)]);
const END = Buffer.from([0xff, 0xff]);
const COUNT_BYTES = 2;
const LENGTH_BYTES = 4;

/** A row as COPY takes it. */
export function encodeRow(fields: readonly Buffer[]): Buffer {
  const row = Buffer.allocUnsafe(fields.reduce((sum, { length }) => sum + LENGTH_BYTES + length, COUNT_BYTES));
  let at = row.writeInt16BE(fields.length);
  for (const field of fields) {
    at = row.writeInt32BE(field.length, at);
    at += field.copy(row, at);
  }
  return row;
}

/**
 * Has a table take rows in, by one statement.
 * @param into the table, with its columns
 */
export async function copyRows(client: pg.ClientBase, into: string, rows: readonly Buffer[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  client.query({
    submit: (connection: pg.Connection) => connection.query(`COPY ${into} FROM STDIN (FORMAT binary)`),
    handleCopyInResponse(connection: CopyConnection) {
      connection.sendCopyFromChunk(Buffer.concat([SIGNATURE, ...rows, END]));
      connection.endCopyFrom();
    },
    handleCommandComplete: () => undefined,
    handleError: reject,
    handleReadyForQuery: () => resolve(undefined),
  });
  await promise;
}
