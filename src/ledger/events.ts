import type { EventFragment, Log } from "ethers";
import type { BatchHeader } from "../domain/batch.ts";
import { normalizeHex, type Hex } from "../domain/bytes/hex.ts";
import { corridorFromId, type Corridor, type CorridorTerms } from "../domain/corridor.ts";
import { currencyByNumeric, type CurrencyCode } from "../domain/currency.ts";
import { unpackHeader } from "../domain/packed-header.ts";
import { parsePartnerId, type PartnerId } from "../domain/partner.ts";
import type { PublishedRejection } from "../domain/lifecycle.ts";
import { ABI } from "./abi.ts";
import { decodeEventData, type EventData } from "./event-data.ts";
import { registryAddresses, type Ledger, type LedgerAddresses } from "./contracts.ts";
import { PARTNER_STATUSES, type PartnerStatusName } from "./statuses.ts";

const UINT16 = 0xffffn;

/** Where an event stands in the one history that all partners share: first by block, then by log. */
export interface Cursor {
  readonly block: number;
  readonly logIndex: number;
}

interface OfBatch {
  readonly batchId: Hex;
  readonly source: PartnerId;
  readonly target: PartnerId;
}

interface OfMoney {
  readonly partner: PartnerId;
  readonly currency: CurrencyCode;
  /** Minor units. */
  readonly amount: bigint;
  /** The account at the other end. */
  readonly account: Hex;
}

/** What a module holds, or held, of a partner's money. */
interface OfHolding {
  readonly module: Hex;
  readonly partner: PartnerId;
  readonly currency: CurrencyCode;
  /** Minor units. */
  readonly amount: bigint;
}

export type LedgerEventBody =
  | ({ readonly kind: "Opened"; readonly header: BatchHeader } & OfBatch)
  | ({
      readonly kind: "Settled";
      readonly settledSource: bigint;
      readonly settledTarget: bigint;
      readonly fee: bigint;
      readonly rejected: readonly PublishedRejection[];
    } & OfBatch)
  | ({ readonly kind: "Rejected"; readonly rejected: readonly PublishedRejection[] } & OfBatch)
  | ({ readonly kind: "Expired" } & OfBatch)
  | { readonly kind: "QuoteCancelled"; readonly quoteId: Hex; readonly provider: PartnerId }
  | ({ readonly kind: "Deposited" } & OfMoney)
  | ({ readonly kind: "Withdrawn" } & OfMoney)
  | ({ readonly kind: "Held" } & OfHolding)
  | ({ readonly kind: "Released" } & OfHolding)
  | ({ readonly kind: "Moved"; readonly to: PartnerId } & OfHolding)
  | { readonly kind: "StatusChanged"; readonly partner: PartnerId; readonly status: PartnerStatusName }
  | { readonly kind: "CorridorChanged"; readonly corridor: Corridor; readonly terms: CorridorTerms }
  | { readonly kind: "TimeLost"; readonly ledgerTime: number; readonly lostSeconds: number };

export type LedgerEvent = LedgerEventBody & {
  /** Which of the ledger's contracts says it: of a batch, its registry. */
  readonly contract: Hex;
  readonly cursor: Cursor;
  readonly transactionHash: Hex;
};

/**
 * Events of the ledger in blocks `from` to `to`, both included, in the order of their cursors.
 * @param emitters whose; all of its contracts unless given
 */
export async function readEvents(
  { addresses, provider }: Pick<Ledger, "addresses" | "provider">,
  from: number,
  to: number,
  emitters: Emitters = emittersOf(addresses),
): Promise<readonly LedgerEvent[]> {
  const logs = await provider.getLogs({ address: [...emitters.keys()], fromBlock: from, toBlock: to });
  return logs
    .map((log) => decodeEvent(emitters, log))
    .filter((event) => event !== undefined)
    .sort((left, right) => left.cursor.block - right.cursor.block || left.cursor.logIndex - right.cursor.logIndex);
}

/**
 * A log of the ledger's own contracts as an event; undefined where it is none of the kinds above. What an event means
 * depends on who says it: a log of another contract is none of the ledger's, whatever it is called.
 */
export function decodeEvent(emitters: Emitters, log: Log): LedgerEvent | undefined {
  const contract = normalizeHex(log.address, 20);
  const emitter = emitters.get(contract);
  const kind = emitter === undefined ? undefined : KINDS[emitter].get(log.topics[0] ?? "");
  if (emitter === undefined || kind === undefined) return undefined;
  const args = decodeEventData(kind.event, log.topics, log.data);
  const cursor = { block: log.blockNumber, logIndex: log.index };
  return { ...kind.decode(args), contract, cursor, transactionHash: normalizeHex(log.transactionHash) };
}

type EmitterName = "transferRegistry" | "treasury" | "partnerRegistry" | "corridorBook" | "quoteBook";
/** The contracts whose events are to be decoded, by their addresses: there is more than one of some of them. */
export type Emitters = ReadonlyMap<Hex, EmitterName>;

/** All contracts of a ledger that say what happens on it. */
export function emittersOf(addresses: LedgerAddresses): Emitters {
  const emitters = new Map<Hex, EmitterName>([[addresses.partnerRegistry, "partnerRegistry"]]);
  for (const each of registryAddresses(addresses)) {
    emitters.set(each.transferRegistry, "transferRegistry");
    emitters.set(each.treasury, "treasury").set(each.corridorBook, "corridorBook").set(each.quoteBook, "quoteBook");
  }
  return emitters;
}

type Decoders = Readonly<Record<string, (args: EventData) => LedgerEventBody>>;

const ofBatches: Decoders = {
  Opened: (args) => ({ kind: "Opened", ...batchOf(args), header: headerOf(tuple(args, "header")) }),
  Settled: (args) => ({
    kind: "Settled",
    ...batchOf(args),
    settledSource: amount(args, "settledSource"),
    settledTarget: amount(args, "settledTarget"),
    fee: amount(args, "fee"),
    rejected: rejectedOf(args),
  }),
  Rejected: (args) => ({ kind: "Rejected", ...batchOf(args), rejected: rejectedOf(args) }),
  Expired: (args) => ({ kind: "Expired", ...batchOf(args) }),
  TimeLost: (args) => ({ kind: "TimeLost", ledgerTime: integer(args, "time"), lostSeconds: integer(args, "lost") }),
};

const ofMoney: Decoders = {
  Deposited: (args) => ({ kind: "Deposited", ...moneyOf(args, "from") }),
  Withdrawn: (args) => ({ kind: "Withdrawn", ...moneyOf(args, "to") }),
  Held: (args) => ({ kind: "Held", ...holdingOf(args) }),
  Released: (args) => ({ kind: "Released", ...holdingOf(args) }),
  Moved: (args) => ({ kind: "Moved", ...holdingOf(args), to: partnerOf(args, "to") }),
};

const ofPartners: Decoders = {
  StatusChanged: (args) => ({
    kind: "StatusChanged",
    partner: partnerOf(args, "partner"),
    status: statusOf(args, "current"),
  }),
};

const ofCorridors: Decoders = {
  CorridorChanged: (args) => {
    const terms = tuple(args, "terms");
    return {
      kind: "CorridorChanged",
      corridor: corridorFromId(amount(args, "corridor")),
      terms: {
        open: terms.getValue("open") === true,
        feeBps: amount(terms, "feeBps"),
        maxPerBatch: amount(terms, "maxPerBatch"),
        maxPerDay: amount(terms, "maxPerDay"),
      },
    };
  },
};

const ofQuotes: Decoders = {
  QuoteCancelled: (args) => ({
    kind: "QuoteCancelled",
    quoteId: hex(args, "quoteId"),
    provider: partnerOf(args, "provider"),
  }),
};

interface EventKind {
  readonly event: EventFragment;
  readonly decode: (args: EventData) => LedgerEventBody;
}

/** By topic: ethers works out the topic of every event of a contract again for each log that it parses. */
const KINDS: Readonly<Record<EmitterName, ReadonlyMap<string, EventKind>>> = {
  transferRegistry: kindsOf("transferRegistry", ofBatches),
  treasury: kindsOf("treasury", ofMoney),
  partnerRegistry: kindsOf("partnerRegistry", ofPartners),
  corridorBook: kindsOf("corridorBook", ofCorridors),
  quoteBook: kindsOf("quoteBook", ofQuotes),
};

function kindsOf(emitter: EmitterName, decoders: Decoders): ReadonlyMap<string, EventKind> {
  const kinds = Object.entries(decoders).map(([name, decode]) => {
    const event = ABI[emitter].getEvent(name);
    if (event === null) throw new Error(`the ${emitter} has no event ${name}`);
    return [event.topicHash, { event, decode }] as const;
  });
  return new Map(kinds);
}

function batchOf(args: EventData): OfBatch {
  return {
    batchId: hex(args, "batchId"),
    source: partnerOf(args, "source"),
    target: partnerOf(args, "target"),
  };
}

function moneyOf(args: EventData, account: string): OfMoney {
  return {
    partner: partnerOf(args, "partner"),
    currency: currencyByNumeric(integer(args, "currency")).code,
    amount: amount(args, "amount"),
    account: hex(args, account),
  };
}

/** See the type HoldingId of the contracts: module (160 bits), partner (16), currency (16). */
function holdingOf(args: EventData): OfHolding {
  const id = amount(args, "holding");
  return {
    module: normalizeHex(`0x${(id >> 32n).toString(16).padStart(40, "0")}`, 20),
    partner: parsePartnerId((id >> 16n) & UINT16, "partner"),
    currency: currencyByNumeric(Number.parseInt((id & UINT16).toString(), 10)).code,
    amount: amount(args, "amount"),
  };
}

function headerOf(packed: EventData): BatchHeader {
  return unpackHeader({
    terms: amount(packed, "terms"),
    totals: amount(packed, "totals"),
    root: hex(packed, "root"),
    quoteTerms: amount(packed, "quoteTerms"),
    quoteRate: amount(packed, "quoteRate"),
    limits: amount(packed, "limits"),
  });
}

function rejectedOf(args: EventData): readonly PublishedRejection[] {
  return list(args, "rejected").map((entry) => ({ leaf: hex(entry, "leaf"), code: hex(entry, "reason") }));
}

function statusOf(args: EventData, name: string): PartnerStatusName {
  const value = integer(args, name);
  // The keys of a constant object are its own names.
  const names = Object.keys(PARTNER_STATUSES) as PartnerStatusName[];
  return names.find((status) => PARTNER_STATUSES[status] === value) ?? "unknown";
}

function partnerOf(args: EventData, name: string): PartnerId {
  return parsePartnerId(amount(args, name), name);
}

// The ABI that decoded a log fixes the type of each of its fields; nothing knows it statically.

function amount(args: EventData, name: string): bigint {
  return BigInt(String(args.getValue(name)));
}

function integer(args: EventData, name: string): number {
  return Number.parseInt(String(args.getValue(name)), 10);
}

function hex(args: EventData, name: string): Hex {
  return normalizeHex(String(args.getValue(name)));
}

function tuple(args: EventData, name: string): EventData {
  // A struct in the ABI.
  return args.getValue(name) as EventData;
}

function list(args: EventData, name: string): readonly EventData[] {
  // An array of structs in the ABI.
  return args.getValue(name) as readonly EventData[];
}
