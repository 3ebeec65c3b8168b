import { Contract, type ContractRunner, type Provider } from "ethers";
import type {
  AccessManager,
  CorridorBook,
  PartnerRegistry,
  QuoteBook,
  SettlementToken,
  TransferRegistry,
  Treasury,
} from "../../types/ethers-contracts/index.ts";
import type { Hex } from "../domain/bytes/hex.ts";
import type { CurrencyCode } from "../domain/currency.ts";
import type { Chain } from "../domain/typed-data.ts";
import { ABI, type ContractName } from "./abi.ts";

/** Where a ledger's contracts are. */
export interface LedgerAddresses {
  readonly accessManager: Hex;
  readonly partnerRegistry: Hex;
  readonly treasury: Hex;
  readonly corridorBook: Hex;
  readonly quoteBook: Hex;
  readonly transferRegistry: Hex;
  readonly tokens: ReadonlyMap<CurrencyCode, Hex>;
  /** The last block of the deployment, up to which nothing but that has happened: see `verifyDeployment`. */
  readonly deployedBy?: number | undefined;
}

/** A ledger as its clients hold it: bound for reading, with what signatures are bound to. */
export interface Ledger {
  readonly addresses: LedgerAddresses;
  /** What EIP-712 signatures for this ledger are valid on. */
  readonly chain: Chain;
  readonly provider: Provider;
  readonly accessManager: AccessManager;
  readonly partnerRegistry: PartnerRegistry;
  readonly treasury: Treasury;
  readonly corridorBook: CorridorBook;
  readonly quoteBook: QuoteBook;
  readonly transferRegistry: TransferRegistry;
  readonly tokens: ReadonlyMap<CurrencyCode, SettlementToken>;
}

/** Binds to a deployed ledger. Reads the chain id; whether the contracts are there is for `verifyDeployment` to say. */
export async function connectLedger(provider: Provider, addresses: LedgerAddresses): Promise<Ledger> {
  const { chainId } = await provider.getNetwork();
  const tokens = [...addresses.tokens].map(
    ([code, address]) => [code, bind("settlementToken", address, provider)] as const,
  );
  return {
    addresses,
    chain: { chainId, transferRegistry: addresses.transferRegistry, quoteBook: addresses.quoteBook },
    provider,
    accessManager: bind("accessManager", addresses.accessManager, provider),
    partnerRegistry: bind("partnerRegistry", addresses.partnerRegistry, provider),
    treasury: bind("treasury", addresses.treasury, provider),
    corridorBook: bind("corridorBook", addresses.corridorBook, provider),
    quoteBook: bind("quoteBook", addresses.quoteBook, provider),
    transferRegistry: bind("transferRegistry", addresses.transferRegistry, provider),
    tokens: new Map(tokens),
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
