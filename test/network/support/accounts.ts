import { HDNodeWallet, Mnemonic } from "ethers";
import { normalizeHex } from "../../../src/domain/bytes/hex.ts";
import { parsePartnerId, type PartnerId } from "../../../src/domain/partner.ts";
import { sandboxKeys, type KeyHolder, type SandboxKeys } from "../../../sandbox/network.ts";
import { PROVIDER } from "../../support/transfers.ts";

/** Who takes part in the suite's ledger: the hub, two wallets and two liquidity providers. */
export const HUB = parsePartnerId(1);
export const GCASH = parsePartnerId(4);
export const ALIPAY_HK = parsePartnerId(7);
export const SECOND_PROVIDER = parsePartnerId(12);
export const PARTNERS: readonly PartnerId[] = [HUB, GCASH, ALIPAY_HK, PROVIDER, SECOND_PROVIDER];

/** Accounts that send transactions, besides the deployer. A ledger that lists accounts has to list all of them. */
const SENDERS: readonly KeyHolder[] = [
  { kind: "courier" },
  { kind: "secondCourier" },
  { kind: "guardian" },
  { kind: "supervisor" },
  { kind: "risk" },
  { kind: "bank", currency: "HKD" },
  { kind: "bank", currency: "PHP" },
  ...PARTNERS.map((partner): KeyHolder => ({ kind: "admin", partner })),
  ...PARTNERS.map((partner): KeyHolder => ({ kind: "operator", partner })),
  { kind: "relay", partner: ALIPAY_HK },
  { kind: "relay", partner: GCASH },
];

/** Keys that only sign, or that only the configuration names. */
const OTHERS: readonly KeyHolder[] = [
  { kind: "attestor", currency: "HKD" },
  { kind: "attestor", currency: "PHP" },
  { kind: "admin" },
  { kind: "registrar" },
  { kind: "upgrader" },
];

export interface Accounts {
  readonly deployer: HDNodeWallet;
  readonly keys: SandboxKeys;
  /** What sends transactions, by what it is for; the deployer first. */
  readonly senders: ReadonlyMap<string, HDNodeWallet>;
}

const PATH = "m/44'/60'/0'/0";
const PLAY_PHRASE = "test test test test test test test test test test test junk";

/**
 * The suite's accounts.
 * @param phrase BIP-39 words; the sandbox's, which everybody knows, where they are left out
 */
export function openAccounts(phrase: string | undefined): Accounts {
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(phrase ?? PLAY_PHRASE), PATH);
  const keys = phrase === undefined ? sandboxKeys() : keysOf(root);
  const deployer = root.deriveChild(0);
  const senders = SENDERS.map((holder) => [labelOf(holder), keys.walletOf(holder)] as const);
  return { deployer, keys, senders: new Map([["deployer", deployer], ...senders]) };
}

/** The accounts that follow the deployer's, in the order of the lists above. */
function keysOf(root: HDNodeWallet): SandboxKeys {
  const wallets = new Map(
    [...SENDERS, ...OTHERS].map((holder, index) => [labelOf(holder), root.deriveChild(1 + index)]),
  );
  const walletOf = (holder: KeyHolder): HDNodeWallet => {
    const wallet = wallets.get(labelOf(holder));
    if (wallet === undefined) throw new RangeError(`no account of ${labelOf(holder)} in this suite`);
    return wallet;
  };
  return {
    walletOf,
    addressOf: (holder) => normalizeHex(walletOf(holder).address),
    addresses: () => [...wallets.values()].map(({ address }) => normalizeHex(address)),
  };
}

export function labelOf(holder: KeyHolder): string {
  if ("partner" in holder) return `${holder.kind} of partner ${holder.partner}`;
  if ("currency" in holder) return `${holder.kind} of ${holder.currency}`;
  return holder.kind;
}
