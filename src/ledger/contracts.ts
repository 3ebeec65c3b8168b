import { Contract, type BlockTag, type ContractRunner, type Provider } from "ethers";
import type {
  AccessManager,
  CorridorBook,
  PartnerRegistry,
  QuoteBook,
  SettlementToken,
  TransferRegistry,
  Treasury,
} from "../../types/ethers-contracts/index.ts";
import { normalizeHex, type Hex } from "../domain/bytes/hex.ts";
import type { CurrencyCode } from "../domain/currency.ts";
import type { Chain } from "../domain/typed-data.ts";
import { ABI, type ContractName } from "./abi.ts";

/** A registry of batches beside the one where new ones open, with those of its contracts that are not the ones that new batches use. */
export interface OtherRegistry {
  readonly transferRegistry: Hex;
  readonly treasury?: Hex | undefined;
  readonly corridorBook?: Hex | undefined;
  readonly quoteBook?: Hex | undefined;
}

/** Where a ledger's contracts are. */
export interface LedgerAddresses {
  readonly accessManager: Hex;
  readonly partnerRegistry: Hex;
  readonly treasury: Hex;
  readonly corridorBook: Hex;
  readonly quoteBook: Hex;
  /** Where new batches open. */
  readonly transferRegistry: Hex;
  /** Where batches were opened before, from the first on: each settles, expires and is proved where it was opened. */
  readonly draining: readonly OtherRegistry[];
  /** Where others may open batches before this ledger's client does: what governance has announced. */
  readonly announced: readonly OtherRegistry[];
  readonly tokens: ReadonlyMap<CurrencyCode, Hex>;
  /** The last block of the deployment, up to which nothing but that has happened: see `verifyDeployment`. */
  readonly deployedBy?: number | undefined;
}

/** A registry of batches as its clients hold it: bound for reading, with what signatures are bound to. */
export interface BatchRegistry {
  /** What EIP-712 signatures for this registry are valid on. */
  readonly chain: Chain;
  readonly provider: Provider;
  readonly treasury: Treasury;
  readonly corridorBook: CorridorBook;
  readonly quoteBook: QuoteBook;
  readonly transferRegistry: TransferRegistry;
  /** What its ledger time is reckoned with, in seconds: the contract has had it from its making on, so it is asked once. */
  readonly clockTerms: (blockTag: BlockTag) => Promise<ClockTerms>;
}

export interface ClockTerms {
  readonly beatIntervalSeconds: number;
  readonly graceSeconds: number;
}

/** A ledger as its clients hold it. Of its registries it is itself the one where new batches open. */
export interface Ledger extends BatchRegistry {
  readonly addresses: LedgerAddresses;
  readonly accessManager: AccessManager;
  readonly partnerRegistry: PartnerRegistry;
  readonly tokens: ReadonlyMap<CurrencyCode, SettlementToken>;
  /** All that may have batches, from the first on. */
  readonly registries: readonly BatchRegistry[];
  /**
   * All that may have money, by their addresses, from the first on. A treasury always comes with a registry of its own, so
   * whoever knows the one knows the other. Free to send is only what lies where new batches open: `addresses.treasury`.
   */
  readonly treasuries: ReadonlyMap<Hex, Treasury>;
}

/** Binds to a deployed ledger. Reads the chain id; whether the contracts are there is for `verifyDeployment` to say. */
export async function connectLedger(provider: Provider, addresses: LedgerAddresses): Promise<Ledger> {
  const { chainId } = await provider.getNetwork();
  const tokens = [...addresses.tokens].map(
    ([code, address]) => [code, bind("settlementToken", address, provider)] as const,
  );
  const all = registryAddresses(addresses);
  return {
    ...bindRegistry(addresses, chainId, provider),
    addresses,
    accessManager: bind("accessManager", addresses.accessManager, provider),
    partnerRegistry: bind("partnerRegistry", addresses.partnerRegistry, provider),
    tokens: new Map(tokens),
    registries: all.map((each) => bindRegistry(each, chainId, provider)),
    treasuries: new Map(all.map(({ treasury }) => [treasury, treasuryAt(treasury, provider)])),
  };
}

/** A registry that the ledger's addresses do not have: an older or a younger one, of which nothing is known here. */
export class UnknownRegistry extends Error {
  constructor(registry: Hex) {
    super(
      `the ledger's addresses do not have the registry ${registry}: put it under draining, or under transferRegistry ` +
        "where new batches open in it, and start again",
    );
    this.name = "UnknownRegistry";
  }
}

/**
 * The registry at an address, whether batches still open in it or not.
 * @param address undefined for the ledger's first one: rows from before there was a second do not name it
 * @throws UnknownRegistry where the ledger's addresses do not have it
 */
export function registryAt({ registries }: Pick<Ledger, "registries">, address: Hex | undefined): BatchRegistry {
  const found = registries.find(({ chain }) => address === undefined || chain.transferRegistry === address);
  if (found === undefined) throw new UnknownRegistry(address ?? "0x");
  return found;
}

/** A treasury for reading, whether the ledger's addresses have it or not. */
export function treasuryAt(address: string, provider: Provider): Treasury {
  return bind("treasury", normalizeHex(address, 20), provider);
}

type RegistryAddresses = Pick<LedgerAddresses, "transferRegistry" | "treasury" | "corridorBook" | "quoteBook">;

/** The contracts of each registry, from the first on: that one never changes, whatever comes after it. */
export function registryAddresses(addresses: LedgerAddresses): readonly RegistryAddresses[] {
  const { transferRegistry, treasury, corridorBook, quoteBook, draining, announced } = addresses;
  const current = { transferRegistry, treasury, corridorBook, quoteBook };
  const whole = (other: OtherRegistry) => ({
    transferRegistry: other.transferRegistry,
    treasury: other.treasury ?? treasury,
    corridorBook: other.corridorBook ?? corridorBook,
    quoteBook: other.quoteBook ?? quoteBook,
  });
  return [...draining.map(whole), current, ...announced.map(whole)];
}

function bindRegistry(addresses: RegistryAddresses, chainId: bigint, provider: Provider): BatchRegistry {
  const { transferRegistry, quoteBook } = addresses;
  const registry = bind("transferRegistry", transferRegistry, provider);
  return {
    chain: { chainId, transferRegistry, quoteBook },
    provider,
    treasury: bind("treasury", addresses.treasury, provider),
    corridorBook: bind("corridorBook", addresses.corridorBook, provider),
    quoteBook: bind("quoteBook", quoteBook, provider),
    transferRegistry: registry,
    clockTerms: clockTermsOf(registry),
  };
}

function clockTermsOf(registry: TransferRegistry): BatchRegistry["clockTerms"] {
  let known: ClockTerms | undefined;
  return async (blockTag) => {
    if (known === undefined) {
      const [interval, grace] = await Promise.all([registry.beatInterval({ blockTag }), registry.grace({ blockTag })]);
      const seconds = (value: bigint): number => Number.parseInt(String(value), 10);
      known = { beatIntervalSeconds: seconds(interval), graceSeconds: seconds(grace) };
    }
    return known;
  };
}

interface Bound {
  readonly accessManager: AccessManager;
  readonly corridorBook: CorridorBook;
  readonly quoteBook: QuoteBook;
  readonly partnerRegistry: PartnerRegistry;
  readonly settlementToken: SettlementToken;
  readonly transferRegistry: TransferRegistry;
  readonly treasury: Treasury;
}

function bind<Name extends ContractName>(name: Name, address: Hex, runner: ContractRunner): Bound[Name] {
  // TypeChain's type and the ABI come from the same artifact; ethers' Contract has the methods but not their types.
  return new Contract(address, ABI[name], runner) as unknown as Bound[Name];
}
