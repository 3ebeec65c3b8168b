import type { Hex } from "../../domain/bytes/hex.ts";
import { utf8 } from "../../domain/bytes/bytes.ts";
import type { Database, Queryable } from "./database.ts";
import { SEALED, SEALED_TABLES } from "./sealed-rows.ts";
import { SealBroken, type Sealer } from "./sealer.ts";
import { bytesOf, hexOf } from "./values.ts";

/** Whose database it is: of which partner, on which chain, under which contracts. */
export interface StoreOwner {
  readonly partner: number;
  readonly chainId: bigint;
  /** Hash of the chain's block 1; undefined where the node does not have it. */
  readonly genesis: Hex | undefined;
  readonly contracts: Readonly<Record<StoreContract, Hex>>;
  /** Every registry whose batches may be stored, the first of them first. */
  readonly registries: readonly Hex[];
}

/** Those that what is stored comes from: of the treasuries and registries the first. A token may be added to them. */
type StoreContract = "accessManager" | "partnerRegistry" | "treasury" | "transferRegistry";

/** Where the database is another's, with what to do about it. */
export interface Foreign {
  /** The key of the configuration that it contradicts. */
  readonly key: "partner" | "ledger.chainId" | "ledger.addresses" | "dataKey";
  readonly rule: string;
}

interface IdentityRow {
  readonly partner: number;
  readonly chain_id: bigint;
  readonly genesis: Uint8Array | null;
  readonly contracts: Readonly<Record<string, string>>;
  readonly sealed_check: Uint8Array;
}

const CHECK_NAME = "check";
const CHECK_TEXT = "feiqian";
const MOVED =
  "where new batches open in another registry, list those before it under draining, from the first on, and never remove one";
const NEXT = "give the database that is this relay's (database.url, urlFile or folder), or a new one";

/**
 * Whether a database is this relay's. One that nobody has claimed is judged by what is in it.
 * @returns in which ways it is another's; "new" where there is nothing in it that could tell
 */
export async function whoseStore(
  db: Queryable,
  owner: StoreOwner,
  sealer: Sealer,
): Promise<"new" | readonly Foreign[]> {
  const { row, hasRows, registries } = await look(db);
  if (row !== undefined) return differences(row, registries, owner, sealer);
  return hasRows ? unclaimedDifferences(db, owner, sealer) : "new";
}

/** The same, as far as it can be told without the ledger and the keys: whether another partner has claimed it. */
export async function whosePartner(db: Queryable, partner: number): Promise<readonly Foreign[]> {
  const { row } = await look(db);
  return row === undefined || row.partner === partner ? [] : [anotherPartner(row.partner, partner)];
}

/** Changes nothing, also in a database that has no tables yet. */
async function look(db: Queryable): Promise<Found> {
  const [tables] = await db.query<{ identity: boolean; rows: boolean; registries: boolean }>(
    `SELECT to_regclass('store_identity') IS NOT NULL AS identity, to_regclass('transfers') IS NOT NULL AS rows,
       to_regclass('ledger_registries') IS NOT NULL AS registries`,
  );
  const [row] = tables?.identity === true ? await readIdentity(db) : [];
  const registries =
    tables?.registries === true
      ? await db.query<{ address: Uint8Array }>("SELECT address FROM ledger_registries ORDER BY address")
      : [];
  return { row, hasRows: tables?.rows === true, registries: registries.map(({ address }) => hexOf(address)) };
}

interface Found {
  readonly row: IdentityRow | undefined;
  readonly hasRows: boolean;
  /** Registries after the first that have been read. */
  readonly registries: readonly Hex[];
}

/**
 * Claims a database for this relay, unless it has been: at the first start, or at the first one of a version that does.
 * @returns in which ways it is another's, which it then stays
 */
export async function claimStore(
  db: Database,
  owner: StoreOwner,
  sealer: Sealer,
  nowMs: number,
): Promise<readonly Foreign[]> {
  const found = await whoseStore(db, owner, sealer);
  if (found !== "new" && found.length > 0) return found;
  const sealed = sealer.seal(utf8(CHECK_TEXT), SEALED.store_identity.bind(CHECK_NAME));
  const { partner, chainId, genesis, contracts } = owner;
  const claimed = await db.query(
    `INSERT INTO store_identity (partner, chain_id, genesis, contracts, sealed_check, adopted_at)
     VALUES ($1, $2, $3, $4::jsonb, $5, $6) ON CONFLICT (only_one) DO NOTHING RETURNING partner`,
    [partner, chainId, genesis === undefined ? null : bytesOf(genesis), JSON.stringify(contracts), sealed, nowMs],
  );
  // Another process may have come first.
  const again = claimed.length > 0 ? "new" : await whoseStore(db, owner, sealer);
  return again === "new" ? [] : again;
}

function readIdentity(db: Queryable): Promise<readonly IdentityRow[]> {
  return db.query<IdentityRow>("SELECT partner, chain_id, genesis, contracts, sealed_check FROM store_identity");
}

function differences(
  row: IdentityRow,
  registries: readonly Hex[],
  owner: StoreOwner,
  sealer: Sealer,
): readonly Foreign[] {
  const found: Foreign[] = [];
  if (row.partner !== owner.partner) found.push(anotherPartner(row.partner, owner.partner));
  if (row.chain_id !== owner.chainId) {
    found.push({
      key: "ledger.chainId",
      rule: `the database has read chain ${row.chain_id}, and the endpoints are of chain ${owner.chainId}: ${NEXT}, or endpoints of that chain`,
    });
  } else if (row.genesis !== null && owner.genesis !== undefined && hexOf(row.genesis) !== owner.genesis) {
    found.push({
      key: "ledger.chainId",
      rule: `the database has read a chain that starts with block ${hexOf(row.genesis)}, and that of the endpoints begins with ${owner.genesis}: ${NEXT}, or endpoints of that chain`,
    });
  }
  for (const [name, address] of Object.entries(owner.contracts)) {
    const known = row.contracts[name] ?? "no address";
    if (known.toLowerCase() === address.toLowerCase()) continue;
    found.push({
      key: "ledger.addresses",
      rule: `the database is of the contract ${name} at ${known}, not ${address}: ${NEXT}, or those contracts' addresses; ${MOVED}`,
    });
  }
  for (const registry of registries.filter((each) => !owner.registries.includes(each))) {
    found.push({
      key: "ledger.addresses",
      rule: `the database has batches of the registry ${registry}, which the addresses do not have: ${NEXT}; ${MOVED}`,
    });
  }
  if (!opensCheck(row.sealed_check, sealer)) found.push(ANOTHER_KEY);
  return found;
}

const ANOTHER_KEY: Foreign = {
  key: "dataKey",
  rule: "what the database has sealed opens with none of these keys: set dataKey.file to its key, or name that in dataKey.previousFiles after a rotation",
};

function anotherPartner(found: number, wanted: number): Foreign {
  return { key: "partner", rule: `the database is that of partner ${found}, not ${wanted}: ${NEXT}, or its partner` };
}

function opensCheck(sealed: Uint8Array, sealer: Sealer): boolean {
  try {
    return Buffer.from(sealer.open(sealed, SEALED.store_identity.bind(CHECK_NAME))).toString("utf8") === CHECK_TEXT;
  } catch (failure) {
    if (failure instanceof SealBroken) return false;
    throw failure;
  }
}

/** What is in a database that was filled before there were claims. */
async function unclaimedDifferences(
  db: Queryable,
  { partner }: StoreOwner,
  sealer: Sealer,
): Promise<"new" | readonly Foreign[]> {
  const partners = await db.query<{ partner: number }>(
    `SELECT DISTINCT (header->>'source')::integer AS partner FROM batches WHERE header ? 'source'
     UNION SELECT DISTINCT l.target FROM decisions d JOIN ledger_batches l ON l.id = d.batch`,
  );
  const others = partners.filter((each) => each.partner !== partner);
  const found = others.slice(0, 1).map((other) => anotherPartner(other.partner, partner));
  const keys = new Set([sealer.currentKey, ...sealer.previousKeys].map((key) => hexOf(key)));
  const used: Uint8Array[] = [];
  for (const table of SEALED_TABLES.filter((each) => each !== "store_identity")) {
    const { column } = SEALED[table];
    const rows = await db.query<{ key: Uint8Array }>(
      `SELECT DISTINCT substring(${column} FROM 2 FOR 4) AS key FROM ${table} WHERE ${column} IS NOT NULL`,
    );
    used.push(...rows.map(({ key }) => key));
  }
  if (!used.every((key) => keys.has(hexOf(key)))) found.push(ANOTHER_KEY);
  return partners.length === 0 && used.length === 0 ? "new" : found;
}
