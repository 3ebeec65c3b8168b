// The least that transfers can cost on this machine, measured beside what they do: as many rows of their width on disk, as
// many hashes, as many requests. Nothing else of a relay's is in it: no prices, no money, no secrecy, no second store, no
// ledger.
import { randomBytes, randomFillSync } from "node:crypto";
import { hashGroups, hashLeaf } from "../../src/domain/bytes/keccak.ts";
import { canonicalDetails, type CanonicalDetails } from "../../src/domain/details.ts";
import { buildMerkleTree } from "../../src/domain/merkle.ts";
import { detailsOf, parseParties } from "../../src/domain/payload.ts";
import { uetrFromRandom, uetrToBytes16 } from "../../src/domain/uetr.ts";
import { createDatabase, onServer } from "../lib/relay-files.ts";
import { copyRows, encodeRow } from "./copy.ts";
import { createRequests, type LoadOptions, type LoadOrder } from "./path-parts.ts";
import { answerOf, processorMs, serverMs, startPart, withStops } from "./processes.ts";
import { withClient } from "./usage.ts";

/** One of the things that every transfer needs, done alone. */
export interface FloorRow {
  readonly what: string;
  /** Processor time of a transfer, whichever processes are at it. */
  readonly microseconds: number;
  readonly seconds: number;
}

export interface FloorLoad {
  readonly databaseUrl: string;
  readonly transfers: number;
  /** Rows that are committed together, and leaves of a tree. */
  readonly batchTransfers: number;
  /** As `path` has it. */
  readonly connections: number | undefined;
}

/** So many different requests are enough. */
const SAMPLES = 1_000;
const LEAF_BYTES = 128;
const UETR_BYTES = 16;
const DETAILS_HASH_AT = 96;

export async function measureFloor(load: FloorLoad): Promise<readonly FloorRow[]> {
  const requestOf = createRequests();
  const samples = Array.from({ length: SAMPLES }, (_, index) => requestOf(uetrFromRandom(randomBytes(16)), index));
  const rows = await timeCopy(
    load,
    samples.map((request) => Buffer.from(JSON.stringify(request))),
  );
  const details = samples.map((request) => canonicalDetails(detailsOf(parseParties(request))));
  return [rows, timeHashing(load, details), await timeHttp(load)];
}

/** @param contents what each of the rows has in it, one after the other, and then again from the first */
async function timeCopy(
  { databaseUrl: server, transfers, batchTransfers }: FloorLoad,
  contents: readonly Buffer[],
): Promise<FloorRow> {
  return withStops(async (stops) => {
    const name = `bench_floor_${randomBytes(6).toString("hex")}`;
    const url = await createDatabase(server, name);
    stops.push(() => onServer(server, `DROP DATABASE ${name} WITH (FORCE)`));
    return withClient(url, async (client) => {
      await client.query("CREATE TABLE transfers (seq bigint NOT NULL, uetr uuid PRIMARY KEY, content bytea NOT NULL)");
      const pid = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      const databaseMs = () => serverMs(pid.rows[0]?.pid ?? 0);
      const time = stopwatch();
      const begunMs = await databaseMs();
      for (let first = 0; first < transfers; first += batchTransfers) {
        const count = Math.min(batchTransfers, transfers - first);
        const rows = Array.from({ length: count }, (_, index) => rowOf(first + index, contents));
        await copyRows(client, "transfers (seq, uetr, content)", rows);
      }
      const { seconds, ms } = time();
      const spentMs = ms + (await databaseMs()) - begunMs;
      const { rows } = await client.query<{ count: string }>("SELECT count(*)::text AS count FROM transfers");
      if (rows[0]?.count !== String(transfers)) throw new Error(`${rows[0]?.count} of ${transfers} rows are there`);
      return { what: "COPY, on disk", microseconds: (spentMs * 1_000) / transfers, seconds };
    });
  });
}

function rowOf(seq: number, contents: readonly Buffer[]): Buffer {
  const number = Buffer.allocUnsafe(8);
  number.writeBigInt64BE(BigInt(seq));
  const content = contents[seq % contents.length];
  if (content === undefined) throw new RangeError("at least one content");
  return encodeRow([number, Buffer.from(uetrToBytes16(uetrFromRandom(randomBytes(UETR_BYTES)))), content]);
}

function timeHashing({ transfers, batchTransfers }: FloorLoad, samples: readonly CanonicalDetails[]): FloorRow {
  const salt = randomBytes(32);
  const encoded = new Uint8Array(LEAF_BYTES);
  const time = stopwatch();
  for (let first = 0; first < transfers; first += batchTransfers) {
    const leaves: Uint8Array[] = [];
    for (let index = first; index < Math.min(transfers, first + batchTransfers); index++) {
      const details = samples[index % samples.length];
      const hash = details && hashGroups(salt, details.debtor, details.creditor, details.remittance);
      if (hash === undefined) throw new RangeError("details that are short enough");
      randomFillSync(encoded, 0, UETR_BYTES);
      encoded.set(hash, DETAILS_HASH_AT);
      leaves.push(hashLeaf(encoded));
    }
    buildMerkleTree(leaves);
  }
  const { seconds, ms } = time();
  return { what: "details, leaves, trees", microseconds: (ms * 1_000) / transfers, seconds };
}

/** The load of `path`, sent to a server that does nothing with it. */
async function timeHttp({ transfers, connections }: FloorLoad): Promise<FloorRow> {
  return withStops(async (stops) => {
    const server = await startPart("answer", {}, stops);
    const options: LoadOptions = { url: server.said, key: "none", connections };
    const load = await startPart("load", options, stops);
    const send = async (order: LoadOrder): Promise<void> => {
      load.child.send(order);
      await answerOf(load.child);
    };
    await send({ transfers: Math.min(transfers, SAMPLES), anew: true });
    const spentMs = async () => (await processorMs(server.pid)) + (await processorMs(load.pid));
    const [begunMs, begun] = [await spentMs(), performance.now()];
    await send({ transfers, anew: true });
    const seconds = (performance.now() - begun) / 1_000;
    return {
      what: "HTTP, answered at once",
      microseconds: (((await spentMs()) - begunMs) * 1_000) / transfers,
      seconds,
    };
  });
}

/** @returns what this process has taken since */
function stopwatch(): () => { readonly seconds: number; readonly ms: number } {
  const [begun, before] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - begun) / 1_000, ms: (user + system) / 1_000 };
  };
}
