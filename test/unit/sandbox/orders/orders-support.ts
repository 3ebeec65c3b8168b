import { createRandom } from "../../../../src/kernel/random.ts";
import {
  readOrders,
  type AcceptedOrder,
  type OrderResult,
  type RefusedOrder,
} from "../../../../sandbox/orders/orders.ts";

export const UETR = "0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a10";

/** The required columns of one good order. */
export const GOOD = {
  source: "AlipayHK",
  target: "GCash",
  amount: "1500.50",
  currency: "HKD",
  debtor_name: "Chan Tai Man",
  debtor_phone: "+85251234567",
  creditor_name: "Maria Dela Cruz",
  creditor_phone: "+639051234567",
} as const;

export type TestFields = Readonly<Record<string, string>>;

/** Columns of `GOOD`, then those that a test adds. */
const columnsOf = (fields: TestFields) => Object.keys({ ...GOOD, ...fields });

/** A CSV record of the good order with `fields` changed, quoted where CSV needs it. */
export function csvLine(fields: TestFields = {}, columns: readonly string[] = columnsOf(fields)): string {
  const values: TestFields = { ...GOOD, ...fields };
  return columns.map((column) => csvValue(values[column] ?? "")).join(",");
}

export function jsonLine(fields: TestFields = {}): string {
  return JSON.stringify({ ...GOOD, ...fields });
}

/** Reads `lines` under a header: the columns of `GOOD`, and `extra` ones that are not among them. */
export async function readCsv(lines: string, extra: readonly string[] = []): Promise<OrderResult[]> {
  const header = [...new Set([...Object.keys(GOOD), ...extra])];
  return read(`${header.join(",")}\n${lines}`, "csv");
}

export async function readNdjson(lines: string): Promise<OrderResult[]> {
  return read(lines, "ndjson");
}

export async function read(content: string | Uint8Array, format?: "csv" | "ndjson"): Promise<OrderResult[]> {
  const random = createRandom("orders");
  return collect(readOrders(() => toChunks(content), format === undefined ? { random } : { random, format }));
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** The content as a stream, in chunks of one size. */
export async function* toChunks(content: string | Uint8Array, chunkBytes = 1_000): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content);
  for (let from = 0; from < bytes.length; from += chunkBytes) {
    yield await Promise.resolve(bytes.subarray(from, from + chunkBytes));
  }
}

export const accepted = (results: readonly OrderResult[]): AcceptedOrder[] =>
  results.filter((result) => result.accepted);
export const refused = (results: readonly OrderResult[]): RefusedOrder[] =>
  results.filter((result) => !result.accepted);

function csvValue(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
