import type { Hex } from "../../../domain/bytes/hex.ts";
import type { Queryable, SqlValue } from "../../../kernel/store/database.ts";
import { bytesList, bytesOf, hexOf, numberOf } from "../../../kernel/store/values.ts";
import { registryAddresses, type Ledger } from "../../../ledger/contracts.ts";
import type { RegistryTime } from "../../../ledger/state.ts";

// Which registry a batch belongs to, as its rows say it, and how far each registry has been read.

/** Undefined for the ledger's first registry, where a row is from before there was a second. */
export function registryOf(column: Uint8Array | null): Hex | undefined {
  return column === null ? undefined : hexOf(column);
}

export function registryColumn(registry: Hex | undefined): Uint8Array | null {
  return registry === undefined ? null : bytesOf(registry);
}

/**
 * The ledger time of a row's registry as SQL, in seconds; null where that is not known.
 * @param column the row's registry
 * @param first the number of the first of the two parameters of `timeParameters`
 */
export function timeOf(column: string, first: number): string {
  const registries = `$${first}::bytea[]`;
  return `(SELECT r.time_s FROM unnest(${registries}, $${first + 1}::bigint[]) AS r(address, time_s)
    WHERE r.address = coalesce(${column}, (${registries})[1]))`;
}

/** @param times in the order of the ledger's registries */
export function timeParameters(times: readonly RegistryTime[]): readonly SqlValue[] {
  return [bytesList(times.map(({ registry }) => registry)), times.map(({ timeSeconds }) => BigInt(timeSeconds))];
}

/**
 * Whether a row's registry takes money from the treasury that new batches take it from, as SQL.
 * @param column the row's registry
 * @param first the number of the first of the two parameters of `treasuryParameters`
 */
export function isOnTreasury(column: string, first: number): string {
  return `coalesce(${column}, $${first}::bytea) = ANY ($${first + 1}::bytea[])`;
}

export function treasuryParameters({ addresses }: Pick<Ledger, "addresses">): readonly SqlValue[] {
  const all = registryAddresses(addresses);
  const here = all.filter(({ treasury }) => treasury === addresses.treasury);
  const [first = addresses] = all;
  return [bytesOf(first.transferRegistry), bytesList(here.map(({ transferRegistry }) => transferRegistry))];
}

/** A registry after the ledger's first. */
export interface KnownRegistry {
  readonly address: Hex;
  /** The next block to be read of it alone; undefined once it is read with all others. */
  readonly nextBlock: number | undefined;
}

export async function knownRegistries(db: Queryable): Promise<readonly KnownRegistry[]> {
  const rows = await db.query<{ address: Uint8Array; next_block: bigint | null }>(
    "SELECT address, next_block FROM ledger_registries ORDER BY address",
  );
  return rows.map(({ address, next_block }) => ({
    address: hexOf(address),
    nextBlock: next_block === null ? undefined : numberOf(next_block),
  }));
}

/** Registries of the ledger that have not been read as far as the cursor: new ones, and those that are being read. */
export function unreadRegistries(
  { registries }: Pick<Ledger, "registries">,
  known: readonly KnownRegistry[],
): readonly Hex[] {
  const read = new Set(known.filter(({ nextBlock }) => nextBlock === undefined).map(({ address }) => address));
  return laterRegistries({ registries }).filter((address) => !read.has(address));
}

/** All but the ledger's first, which is read from the beginning. */
export function laterRegistries({ registries }: Pick<Ledger, "registries">): readonly Hex[] {
  return registries.slice(1).map(({ chain }) => chain.transferRegistry);
}

/**
 * Writes down how far a registry has been read now.
 * @param from how far it had been when it was read on
 * @returns false when somebody else has read on meanwhile, and what was read is theirs to write
 */
export async function advanceRegistry(
  tx: Queryable,
  from: KnownRegistry | undefined,
  { address, nextBlock }: KnownRegistry,
): Promise<boolean> {
  const moved = await tx.query(
    from === undefined
      ? `INSERT INTO ledger_registries (address, next_block) VALUES ($1, $2)
         ON CONFLICT (address) DO NOTHING RETURNING address`
      : "UPDATE ledger_registries SET next_block = $2 WHERE address = $1 AND next_block = $3 RETURNING address",
    [bytesOf(address), nextBlock ?? null, ...(from === undefined ? [] : [from.nextBlock ?? null])],
  );
  return moved.length > 0;
}
