import type { CurrencyCode } from "../src/domain/currency.ts";
import { currencyOf } from "../src/domain/currency.ts";
import type { PartnerId } from "../src/domain/partner.ts";
import { convertDown } from "../src/domain/rate.ts";
import { encodeCall } from "../src/ledger/calls.ts";
import type { Ledger } from "../src/ledger/contracts.ts";
import type { Postings } from "./wallet/books.ts";
import { corridorBetween, PROVIDERS } from "./network.ts";
import type { Order } from "./orders/order.ts";
import type { DailyRates } from "./provider/rates.ts";
import type { Sandbox } from "./sandbox.ts";

/** Money that a partner moved into the treasury, by its own records, in minor units; out of it, where negative. */
export interface Movement {
  readonly partner: PartnerId;
  readonly currency: CurrencyCode;
  readonly amountMinor: bigint;
}

/** More than a day's orders need: room for the network fee and the rounding of each transfer. */
const FUNDING_PERCENT = 102n;

/**
 * Gives every partner what the day's orders take.
 * @returns what was deposited
 */
export async function fundDay(
  sandbox: Sandbox,
  orders: readonly Order[],
  rates: DailyRates,
): Promise<readonly Movement[]> {
  const deposits = dayDeposits(orders, rates);
  await fund(sandbox, deposits);
  return deposits;
}

/**
 * What the day's orders take: of each wallet what its customers send, and of each provider all that is received, so that
 * either of them could serve the whole day.
 */
export function dayDeposits(orders: readonly Order[], rates: DailyRates): readonly Movement[] {
  const needs = new Map<string, Movement>();
  const add = (partner: PartnerId, currency: CurrencyCode, amountMinor: bigint) => {
    const key = `${partner} ${currency}`;
    needs.set(key, { partner, currency, amountMinor: (needs.get(key)?.amountMinor ?? 0n) + amountMinor });
  };
  for (const { source, target, sourceAmount } of orders) {
    const { sourceCurrency, targetCurrency } = corridorBetween(source, target);
    const mid = rates.rate(currencyOf(sourceCurrency), currencyOf(targetCurrency));
    add(source, sourceCurrency, sourceAmount.minor);
    for (const { id } of PROVIDERS) add(id, targetCurrency, convertDown(sourceAmount.minor, mid) + 1n);
  }
  return [...needs.values()].map((need) => ({
    ...need,
    amountMinor: (need.amountMinor * FUNDING_PERCENT) / 100n + 1n,
  }));
}

/**
 * In the evening every wallet takes out what it has credited to customers, and redeems it with its bank.
 * @returns what was withdrawn
 */
export async function closeDay(
  sandbox: Sandbox,
  books: ReadonlyMap<PartnerId, Postings>,
): Promise<readonly Movement[]> {
  const withdrawals: Movement[] = [];
  for (const [partner, { credits }] of books) {
    const credited = [...credits.values()].reduce((sum, amount) => sum + amount, 0n);
    const currency = sandbox.config.partners.find(({ id }) => id === partner)?.homeCurrency;
    if (credited === 0n || currency === undefined) continue;
    await withdrawAndRedeem(sandbox, partner, currency, credited);
    withdrawals.push({ partner, currency, amountMinor: -credited });
  }
  return withdrawals;
}

/** The settlement bank has the money attested and mints it for the partner, which deposits it in the treasury. */
export async function fund(sandbox: Sandbox, deposits: readonly Movement[]): Promise<void> {
  const byCurrency = Map.groupBy(deposits, ({ currency }) => currency);
  await Promise.all(
    [...byCurrency].map(async ([currency, wanted]) => {
      await attest(
        sandbox,
        currency,
        wanted.reduce((sum, { amountMinor }) => sum + amountMinor, 0n),
      );
      await Promise.all(wanted.map(({ partner, amountMinor }) => deposit(sandbox, partner, currency, amountMinor)));
    }),
  );
}

/** A partner takes money out of the treasury and redeems it with the settlement bank. */
async function withdrawAndRedeem(
  { ledger, keys, submitterOf }: Sandbox,
  partner: PartnerId,
  currency: CurrencyCode,
  amountMinor: bigint,
): Promise<void> {
  const token = await tokenOf(ledger, currency);
  const operator = await submitterOf({ kind: "operator", partner });
  const to = keys.addressOf({ kind: "operator", partner });
  await operator.submit(
    encodeCall("treasury", ledger.addresses.treasury, "withdraw", [partner, token.numeric, amountMinor, to]),
  );
  const destination = `0x${"0".repeat(64)}`;
  await operator.submit(encodeCall("settlementToken", token.address, "redeem", [amountMinor, destination]));
}

async function attest({ ledger, keys, submitterOf }: Sandbox, currency: CurrencyCode, more: bigint): Promise<void> {
  const token = await tokenOf(ledger, currency);
  const latest = await ledger.provider.getBlock("latest");
  const asOf = latest?.timestamp ?? 0;
  const [supply, redeemed] = await Promise.all([token.contract.totalSupply(), token.contract.redeemedSince(asOf)]);
  const attestation = {
    // What is redeemed in the second of the count is paid out after it.
    reserve: supply + redeemed + more,
    asOf,
    report: `0x${"0".repeat(64)}`,
  };
  const domain = {
    name: `Feiqian ${currency}`,
    version: "1",
    chainId: ledger.chain.chainId,
    verifyingContract: token.address,
  };
  const types = {
    ReserveAttestation: [
      { name: "reserve", type: "uint128" },
      { name: "asOf", type: "uint48" },
      { name: "report", type: "bytes32" },
    ],
  };
  const signature = await keys.walletOf({ kind: "attestor", currency }).signTypedData(domain, types, attestation);
  const bank = await submitterOf({ kind: "bank", currency });
  await bank.submit(encodeCall("settlementToken", token.address, "attest", [attestation, signature]));
}

async function deposit(
  { ledger, keys, submitterOf }: Sandbox,
  partner: PartnerId,
  currency: CurrencyCode,
  amountMinor: bigint,
): Promise<void> {
  const { treasury } = ledger.addresses;
  const token = await tokenOf(ledger, currency);
  const bank = await submitterOf({ kind: "bank", currency });
  const operator = await submitterOf({ kind: "operator", partner });
  const holder = keys.addressOf({ kind: "operator", partner });
  await bank.submit(encodeCall("settlementToken", token.address, "mint", [holder, amountMinor]));
  await operator.submit(encodeCall("settlementToken", token.address, "approve", [treasury, amountMinor]));
  await operator.submit(encodeCall("treasury", treasury, "deposit", [partner, token.numeric, amountMinor]));
}

async function tokenOf(ledger: Ledger, currency: CurrencyCode) {
  const contract = ledger.tokens.get(currency);
  const address = ledger.addresses.tokens.get(currency);
  if (contract === undefined || address === undefined) throw new RangeError(`no settlement token of ${currency}`);
  return { contract, address, numeric: await contract.currency() };
}
