import type { Hex } from "../domain/bytes/hex.ts";
import { formatInstant } from "../domain/instant.ts";
import type { RelayContext } from "../features/context.ts";
import { openCorridor } from "../features/partners/corridors.ts";
import type { Secret } from "../kernel/secrets/secret.ts";
import { tokenEnd } from "../ledger/credentials.ts";
import { BATCH_GAS } from "../ledger/gas.ts";
import type { KeyPurpose } from "../ledger/deployment/config.ts";
import { keyEnd, type RegisteredPartner, type RegistryView } from "../ledger/registry.ts";
import {
  balancesAt,
  exitAccountAt,
  gasMoneyAt,
  latestHead,
  opensAt,
  type BlockHead,
  type ExitAccount,
} from "../ledger/state.ts";

/** What is missing on the ledger, or will be: the relay runs without it, as far as it gets. Each with what to do. */
export interface LedgerWarning {
  readonly what: "exitAccount" | "sendKey" | "acceptKey" | "corridors" | "money" | "gas" | "registry" | "ledgerToken";
  readonly detail: string;
  readonly toDo: string;
}

export type Standing = Pick<RelayContext, "partner" | "registry" | "ledger" | "keys" | "clock"> & {
  /** Who pays for transactions, and what it offers on top of the base fee, in wei per gas. */
  readonly payer: { readonly address: Hex; readonly priorityFeeWei: bigint };
};

const MS = 1_000;
/** What ends sooner is told of, and renewed by a registration. */
const ENDS_SOON_SECONDS = 30 * 86_400;

const REGISTER = "feiqian relay register --admin FILE --admin-password-file FILE";

/** The tokens for the ledger's endpoints that have ended, or do so soon; of one that is no JWT nobody knows. */
export function endingTokens(tokens: ReadonlyMap<string, Secret>, nowMs: number): readonly LedgerWarning[] {
  return [...tokens].flatMap(([url, token]) => {
    const endsSeconds = tokenEnd(token.reveal());
    if (endsSeconds === undefined || endsSeconds >= nowMs / MS + ENDS_SOON_SECONDS) return [];
    // A JWT may say anything: only an end that is soon, or was, is told as a date.
    const end = formatInstant(Math.max(0, endsSeconds) * MS);
    const detail = `the token for ${new URL(url).host} ${endsSeconds * MS > nowMs ? "ends" : "has ended"}: ${end}`;
    const toDo = "put a new one into its file (ledger.tokenFiles), then restart the relay";
    return [{ what: "ledgerToken", detail, toDo }];
  });
}

/** What an operator should know of the partner's standing on the ledger, beside whether the relay is registered. */
export async function ledgerWarnings(standing: Standing): Promise<readonly LedgerWarning[]> {
  const { partner: id, registry, ledger, keys, clock } = standing;
  const view = await registry.refresh();
  const partner = view.partners.get(id);
  if (partner === undefined) return [];
  const head = await latestHead(ledger);
  const asked = await Promise.all([
    exitAccountAt(ledger, id, head.number).then(exitWarning),
    moneyWarning(standing, view, head),
    gasWarning(standing, head),
    registryWarning(standing, head),
  ]);
  return [...asked, endingKeys(partner, keys, clock.nowMs()), corridorWarning(view, partner)].flat();
}

function exitWarning({ current, next }: ExitAccount): readonly LedgerWarning[] {
  if (next !== undefined) {
    const before = current === undefined ? "until then there is none" : `until then it is ${current}`;
    const detail = `${next.account} is the exit account from ${formatInstant(next.fromSeconds * MS)} on; ${before}`;
    const toDo = "if the partner's admin has not set it, somebody has the admin's key: docs/runbooks/rotate-keys.md";
    return [{ what: "exitAccount", detail, toDo }];
  }
  if (current !== undefined) return [];
  const detail = "there is no exit account: nobody can take the partner's money out while it is suspended";
  const toDo = `choose an account that nothing else uses, then ${REGISTER} --exit-account ADDRESS; it counts after 14 days`;
  return [{ what: "exitAccount", detail, toDo }];
}

/** The relay's keys that act now, and not for much longer. */
export function endingKeys(
  partner: RegisteredPartner,
  keys: RelayContext["keys"],
  nowMs: number,
): readonly LedgerWarning[] {
  const nowSeconds = Math.floor(nowMs / MS);
  const names: readonly (readonly [what: "sendKey" | "acceptKey", purpose: KeyPurpose & ("send" | "accept")])[] = [
    ["sendKey", "send"],
    ["acceptKey", "accept"],
  ];
  return names.flatMap(([what, purpose]) => {
    const { address } = keys[purpose];
    const endsSeconds = keyEnd(partner, address, purpose, nowSeconds);
    if (endsSeconds === undefined || endsSeconds >= nowSeconds + ENDS_SOON_SECONDS) return [];
    const detail = `${address} may ${purpose} until ${formatInstant(endsSeconds * MS)} only`;
    return [{ what, detail, toDo: `${REGISTER}, which renews it` }];
  });
}

function corridorWarning(view: RegistryView, { id }: RegisteredPartner): readonly LedgerWarning[] {
  const isOpen = [...view.corridors.values()].some(
    ({ corridor }) => [corridor.source, corridor.target].includes(id) && openCorridor(view, corridor).kind === "open",
  );
  if (isOpen) return [];
  const detail = "no corridor from or to the partner is open: it can neither send nor be paid";
  return [{ what: "corridors", detail, toDo: "ask the network's governance to open the corridors that were agreed" }];
}

/** Of the currencies that the partner can send: what is available on the ledger. */
async function moneyWarning(
  { ledger, partner }: Standing,
  { corridors }: RegistryView,
  { number }: BlockHead,
): Promise<readonly LedgerWarning[]> {
  const sent = [...corridors.values()].filter(({ corridor, terms }) => terms.open && corridor.source === partner);
  const currencies = [...new Set(sent.map(({ corridor }) => corridor.sourceCurrency))];
  const balances = await balancesAt(ledger, partner, currencies, number);
  const empty = balances.filter(({ available }) => available === 0n).map(({ currency }) => currency);
  if (empty.length === 0) return [];
  const detail = `nothing is available of ${empty.join(", ")}: no transfer in it can be sent`;
  return [{ what: "money", detail, toDo: "deposit in the treasury what the settlement bank has issued" }];
}

async function gasWarning({ ledger, payer }: Standing, head: BlockHead): Promise<readonly LedgerWarning[]> {
  const { balance, baseFee } = await gasMoneyAt(ledger, payer.address, head);
  const price = baseFee + payer.priorityFeeWei;
  if (balance >= price * BATCH_GAS) return [];
  const detail = `${payer.address} has ${balance} wei: gas costs ${price} wei, and a batch takes up to ${BATCH_GAS} of it`;
  return [{ what: "gas", detail, toDo: "have money sent to it: it pays for the relay's transactions" }];
}

async function registryWarning({ ledger }: Standing, { number }: BlockHead): Promise<readonly LedgerWarning[]> {
  if (await opensAt(ledger, number)) return [];
  const detail = `${ledger.addresses.transferRegistry} takes no new batches: it is paused, or the treasury has it end`;
  const toDo = "ask the network's governance; where another takes its place: docs/runbooks/new-registry.md";
  return [{ what: "registry", detail, toDo }];
}
