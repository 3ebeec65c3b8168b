import { expect } from "chai";
import { MaxUint256 } from "ethers";
import fc from "fast-check";
import type { Batch } from "../../src/domain/batch.ts";
import { packHeader } from "../../src/domain/packed-header.ts";
import { corridorId, networkFeeUp } from "../../src/domain/corridor.ts";
import { BatchStatus } from "../../src/domain/lifecycle.ts";
import { parsePartnerId } from "../../src/domain/partner.ts";
import { NO_QUOTE, quoteId, type Quote } from "../../src/domain/quote.ts";
import { expectConserved, readBalances, type Balances } from "./support/balances.ts";
import { acceptedBatch, idOf, makeBatch, makeQuote, openArgs, settleArgs, withHeader } from "./support/batches.ts";
import { proveRefusals } from "../support/transfers.ts";
import { load } from "./support/chain.ts";
import { dayOf, latestTimestamp, ledgerTime, nextBlockAt } from "./support/clock.ts";
import { expectRevert } from "./support/expect-revert.ts";
import { TERMS_IN_TURN, histories, type Act, type Lie, type Step } from "./support/histories.ts";
import {
  applyBeat,
  applyCancelQuote,
  applyClose,
  applyDeposit,
  applyExpire,
  applyModule,
  applyMove,
  applyOpen,
  applyOpenAndSettle,
  applyPause,
  applySettle,
  applyWithdraw,
  keyName,
  modelTime,
  type KeyName,
  type Model,
  type Opening,
  type Refused,
} from "./support/model.ts";
import { reactivate, setRoles, setTerms, unpause } from "./support/governance.ts";
import { MODULE_NOTICE, announce, giveRights } from "./support/modules.ts";
import {
  BEAT_INTERVAL,
  CORRIDORS,
  KEYS_VALID_UNTIL,
  ModuleStatus,
  PARTNERS,
  PartnerStatus,
  Purpose,
  Role,
  TERMS,
  deployNetwork,
  fail,
  keysOf,
  mintTo,
  tokenOf,
  type Network,
} from "./support/network.ts";

const RUNS = Number.parseInt(process.env["FEIQIAN_RUNS"] ?? "25", 10);
const SEED = Number.parseInt(process.env["FEIQIAN_SEED"] ?? "20260302", 10);
const MS_PER_RUN = 30_000;

/** So many histories reach all of these, whatever the seed: that they agree must not be because nothing happens. */
const ENOUGH_RUNS = 25;
const ALWAYS_REACHED = [
  "open: done",
  "open: PartnerRegistry_PartnerNotActive",
  "open: TransferRegistry_HoldTooLong",
  "open: QuoteBook_Mismatch",
  "open and settle: done",
  "open and settle: TransferRegistry_AcceptanceExpired",
  "settle: done",
  "settle: TransferRegistry_Expired",
  "settle: TransferRegistry_IllegalStatus",
  "expire: done",
  "expire: TransferRegistry_NotExpired",
  "withdraw: done",
];

const CORRIDOR_LIST = Object.values(CORRIDORS);
const KEY_NAMES = ["send", "accept", "quote", "fund"] as const;

/** The ledger and its model side by side. */
interface World {
  readonly network: Network;
  readonly model: Model;
  /** Two quotes a corridor; none where nothing is exchanged. */
  readonly quotes: readonly (readonly [Quote, Quote])[];
  /** Every batch that anyone tried to open. */
  readonly batches: Batch[];
  /** What calls came to, over all histories. */
  readonly reached: Set<string>;
}

/** What a step asks of the ledger, and what the model says of it. */
interface Asked {
  readonly expected: Refused;
  readonly call: () => Promise<unknown>;
}

describe("The domain's model and the contracts", () => {
  it(`agree on ${RUNS} histories, seed ${SEED}`, async function () {
    this.timeout(MS_PER_RUN * RUNS);
    const reached = new Set<string>();
    const play = (history: readonly Step[]) => follow(history, reached);
    // What fast-check throws names the seed, the path to the failing history and the history itself.
    await fc.assert(fc.asyncProperty(histories, play), { numRuns: RUNS, seed: SEED });
    if (RUNS >= ENOUGH_RUNS) expect([...reached]).to.include.members(ALWAYS_REACHED);
  });
});

async function follow(history: readonly Step[], reached: Set<string>): Promise<void> {
  const world = { ...(await newWorld()), reached };
  for (const [number, step] of history.entries()) {
    try {
      await take(world, step);
    } catch (error) {
      const text = JSON.stringify(step, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
      throw new Error(`step ${number}, ${text}: ${String(error)}`, { cause: error });
    }
  }
  await expectRefundable(world);
}

async function take(world: World, { after, act }: Step): Promise<void> {
  world.model.wall = (await latestTimestamp()) + after;
  const asked = await ask(world, act);
  if (asked === undefined) return;
  await nextBlockAt(world.model.wall);
  const { expected, call } = asked;
  world.reached.add(`${act.kind}: ${expected?.error ?? "done"}`);
  if (expected === undefined) await call();
  else await expectRevert(call(), expected.error, expected.values);
  await expectAgreement(world);
}

/** Whatever happened, what is held comes free by the clock and anyone's calls alone. */
async function expectRefundable(world: World): Promise<void> {
  const { network, model } = world;
  const { transfers, cast } = network;
  if (model.module === ModuleStatus.None) {
    await giveRights(network, transfers, ModuleStatus.Draining);
  }
  const open = openBatches(world);
  const latest = Math.max(0, ...open.map(({ header }) => header.expiresAt));
  while ((await ledgerTime(transfers)) < latest) {
    const grace = await transfers.grace();
    await nextBlockAt((await latestTimestamp()) + Number.parseInt(grace.toString(), 10));
    await transfers.beat();
  }
  for (const { header } of open) await transfers.connect(cast.stranger).expire(packHeader(header));
  for (const [account, { held }] of await readBalances(network)) expect(held, `held by ${account}`).to.equal(0n);
  await expectConserved(network);
}

function openBatches({ network, model, batches }: World): Batch[] {
  return batches.filter((batch) => model.batches.get(idOf(network, batch)) === BatchStatus.Open);
}

async function expectAgreement({ network, model, batches, quotes }: World): Promise<void> {
  const { transfers } = network;
  expect(sorted(await readBalances(network))).to.deep.equal(sorted(model.balances));
  expect(await ledgerTime(transfers)).to.equal(modelTime(model));
  for (const batch of batches) {
    const id = idOf(network, batch);
    expect(await transfers.statusOf(id), `status of ${id}`).to.equal(model.batches.get(id) ?? BatchStatus.None);
  }
  for (const quote of quotes.flat()) {
    const id = quoteId(quote, network.chain);
    expect(await network.quotes.drawnOf(id), `drawn on ${id}`).to.equal(model.drawn.get(id) ?? 0n);
  }
  for (const id of CORRIDOR_LIST.map(corridorId)) {
    const opened = model.opened.get(id);
    const today = dayOf(model.wall);
    const expected = opened?.day === today ? opened.total : 0n;
    expect(await network.corridors.drawnOn(id, today), `opened in corridor ${id}`).to.equal(expected);
  }
}

/** Balances that are not zero, in the order of their accounts. */
function sorted(balances: Balances) {
  return [...balances]
    .filter(([, { available, held }]) => available + held > 0n)
    .sort(([left], [right]) => left.localeCompare(right));
}

async function ask(world: World, act: Act): Promise<Asked | undefined> {
  const { network, model } = world;
  const { registry, corridors, transfers, cast } = network;
  switch (act.kind) {
    case "open": {
      const batch = await plan(world, act);
      world.batches.push(batch);
      return open(world, batch);
    }
    case "open and settle": {
      const batch = await plan(world, act);
      world.batches.push(batch);
      const acceptedUntil = (await latestTimestamp()) + act.acceptedFor;
      const accepted = await acceptedBatch(network, batch, { acceptedUntil });
      return {
        expected: applyOpenAndSettle(model, openingOf(network, batch), acceptedUntil),
        call: () => transfers.connect(cast.courier).openAndSettle(accepted),
      };
    }
    case "open again":
    case "settle":
    case "expire": {
      const open = openBatches(world);
      const among = act.ofAll || open.length === 0 ? world.batches : open;
      const batch = among[act.batch % Math.max(1, among.length)];
      return batch === undefined ? undefined : askOfBatch(world, act, batch);
    }
    case "beat":
      return { expected: applyBeat(model), call: () => transfers.beat() };
    case "cancel quote": {
      const quote = world.quotes.flat()[act.quote % world.quotes.flat().length] ?? fail("no quote");
      const key = keysOf(network, quote.provider).quote;
      const expected = applyCancelQuote(model, quoteId(quote, network.chain), quote.provider);
      return { expected, call: () => network.quotes.connect(key).cancelQuote(quote) };
    }
    case "deposit":
    case "withdraw":
      return askOfTreasury(world, act);
    case "move":
      return {
        expected: applyMove(model, act.partner, act.move),
        call: () =>
          act.move === "reactivate"
            ? reactivate(network, act.partner)
            : registry.connect(cast.guardian)[act.move](act.partner),
      };
    case "close": {
      const id = corridorAt(act.corridor);
      return { expected: applyClose(model, id), call: () => corridors.connect(cast.guardian).closeCorridor(id) };
    }
    case "pause":
      return {
        expected: applyPause(model, act.paused),
        call: () => (act.paused ? transfers.connect(cast.guardian).pause() : unpause(network)),
      };
    case "module":
      return askOfModule(world, act.status);
    default:
      return setOf(world, act);
  }
}

/** Rights are lost at once. They are gained by an announcement now and an activation after its notice. */
async function askOfModule({ network, model }: World, status: bigint): Promise<Asked> {
  const { treasury, transfers, cast } = network;
  const previous = model.module;
  const expected = applyModule(model, status);
  const gains = status !== previous && (previous === ModuleStatus.None || status === ModuleStatus.Active);
  if (!gains) {
    return { expected, call: () => treasury.connect(cast.council).restrictModule(transfers, previous, status) };
  }
  await nextBlockAt(model.wall);
  await announce(network, transfers, status);
  model.wall += MODULE_NOTICE;
  return { expected, call: () => treasury.connect(cast.council).activateModule(transfers, status) };
}

/** What the registry takes as it comes. */
function setOf({ network, model }: World, act: Extract<Act, { kind: "roles" | "key" | "terms" }>): Asked {
  const { registry } = network;
  if (act.kind === "roles") {
    const partner = model.partners.get(act.partner) ?? fail("no partner");
    partner.roles = act.roles;
    return { expected: undefined, call: () => setRoles(network, act.partner, act.roles) };
  }
  if (act.kind === "terms") {
    const [id, terms] = [corridorAt(act.corridor), TERMS_IN_TURN[act.terms] ?? TERMS];
    model.corridors.set(id, terms);
    return { expected: undefined, call: () => setTerms(network, id, terms) };
  }
  const key = model.keys.get(keyName(act.partner, act.name)) ?? fail("no key");
  key.granted = act.granted;
  const asAdmin = registry.connect(keysOf(network, act.partner).admin);
  const call = () =>
    act.granted
      ? asAdmin.authorizeKey(act.partner, key.address, Purpose[act.name], KEYS_VALID_UNTIL)
      : asAdmin.revokeKey(act.partner, key.address);
  return { expected: undefined, call };
}

function askOfTreasury({ network, model }: World, act: Extract<Act, { kind: "deposit" | "withdraw" }>): Asked {
  const { partner, amount } = act;
  const currency = PARTNERS.find(({ id }) => id === partner)?.homeCurrency ?? fail("no partner");
  const { fund } = keysOf(network, partner);
  const asFund = network.treasury.connect(fund);
  if (act.kind === "deposit") {
    const expected = applyDeposit(model, partner, currency, amount);
    return { expected, call: () => asFund.deposit(partner, currency, amount) };
  }
  const expected = applyWithdraw(model, partner, currency, amount);
  return { expected, call: () => asFund.withdraw(partner, currency, amount, fund) };
}

async function askOfBatch(
  world: World,
  act: Extract<Act, { kind: "open again" | "settle" | "expire" }>,
  batch: Batch,
): Promise<Asked> {
  const { network, model } = world;
  const { transfers, cast } = network;
  const asCourier = transfers.connect(cast.courier);
  if (act.kind === "open again") return open(world, batch);
  const id = idOf(network, batch);
  if (act.kind === "expire") {
    return { expected: applyExpire(model, id, batch.header), call: () => asCourier.expire(packHeader(batch.header)) };
  }
  const refusals = Object.fromEntries(
    batch.transfers.flatMap((_, index) => ((act.refused >> index) % 2 === 1 ? [[index, "AC03" as const]] : [])),
  );
  const args = await settleArgs(network, batch, refusals);
  const expected = applySettle(model, id, batch.header, proveRefusals(batch, refusals).rejections);
  return { expected, call: () => asCourier.settle(...args) };
}

async function open({ network, model }: World, batch: Batch): Promise<Asked> {
  const args = await openArgs(network, batch);
  return {
    expected: applyOpen(model, openingOf(network, batch)),
    call: () => network.transfers.connect(network.cast.courier).open(...args),
  };
}

function openingOf(network: Network, batch: Batch): Opening {
  const { header } = batch;
  const corridor = [header.source, header.sourceCurrency, header.target, header.targetCurrency].reduce(
    (id, part) => (id << 16n) | BigInt(part),
    0n,
  );
  return { header, batchId: idOf(network, batch), quoteId: quoteId(header.quote, network.chain), corridor };
}

/** A batch as asked for: honest transfers, and a header that may not be. */
async function plan(world: World, act: Extract<Act, { kind: "open" | "open and settle" }>): Promise<Batch> {
  const { network, model, quotes, batches } = world;
  const corridor = CORRIDOR_LIST[act.corridor] ?? fail("no corridor");
  const own = quotes[act.corridor];
  const { feeBps } = model.corridors.get(corridorId(corridor)) ?? TERMS;
  const honest = await makeBatch(network, {
    corridor,
    quote: own?.[0] ?? NO_QUOTE,
    count: act.count,
    feeBps,
    expiresAt: modelTime(model) + act.life,
    seed: `batch ${batches.length}`,
  });
  const quote = own?.[act.quote] ?? NO_QUOTE;
  return tell(
    withHeader(honest, { quote }),
    act.lie,
    feeBps,
    quotes[(act.corridor + 1) % quotes.length]?.[0] ?? NO_QUOTE,
  );
}

function tell(batch: Batch, lie: Lie, feeBps: bigint, otherQuote: Quote): Batch {
  const { count, sourceTotal, targetTotal, fee } = batch.header;
  const lies = {
    none: {},
    "count+1": { count: count + 1 },
    "count-1": { count: count - 1 },
    "source+1": { sourceTotal: sourceTotal + 1n, fee: networkFeeUp(sourceTotal + 1n, feeBps) },
    "target+1": { targetTotal: targetTotal + 1n },
    "target-1": { targetTotal: targetTotal - 1n },
    "fee+1": { fee: fee + 1n },
    "other quote": { quote: otherQuote },
  };
  return withHeader(batch, lies[lie]);
}

function corridorAt(index: number): bigint {
  return corridorId(CORRIDOR_LIST[index] ?? fail("no corridor"));
}

/** The network, its FUND keys with tokens at hand, and the model of it. */
async function deployWorld(): Promise<Pick<World, "network" | "quotes">> {
  const network = await deployNetwork();
  for (const { id, homeCurrency } of PARTNERS) {
    const { fund } = keysOf(network, id);
    await mintTo(network, homeCurrency, fund.address, 10n ** 14n);
    await tokenOf(network, homeCurrency).connect(fund).approve(network.treasury, MaxUint256);
  }
  const quotes: [Quote, Quote][] = [];
  for (const corridor of CORRIDOR_LIST.filter((each) => each.sourceCurrency !== each.targetCurrency)) {
    const until = (await latestTimestamp()) + 400 * 86_400;
    const large = { validUntil: until, maxHold: 86_400 };
    const [provider, taker] = [parsePartnerId(12), parsePartnerId(7)];
    const small = { provider, taker, capacity: 700_000n, validUntil: until - 399 * 86_400, maxHold: 100 };
    quotes.push([await makeQuote(corridor, large), await makeQuote(corridor, small)]);
  }
  return { network, quotes };
}

async function newWorld(): Promise<Omit<World, "reached">> {
  const { network, quotes } = await load(deployWorld);
  // So late after the last that this beat is written down: the model starts from it.
  await nextBlockAt((await latestTimestamp()) + BEAT_INTERVAL);
  await network.transfers.beat();
  return { network, quotes, model: await modelOf(network), batches: [] };
}

async function modelOf(network: Network): Promise<Model> {
  const { transfers } = network;
  const granted = (roles: bigint, name: KeyName) => name === "fund" || (name === "quote") === (roles === Role.provider);
  return {
    wall: await latestTimestamp(),
    beatTime: await ledgerTime(transfers),
    beatAt: await latestTimestamp(),
    paused: false,
    module: ModuleStatus.Active,
    registry: await transfers.getAddress(),
    partners: new Map(PARTNERS.map(({ id, roles }) => [id, { status: PartnerStatus.Active, roles }])),
    keys: new Map(
      PARTNERS.flatMap(({ id, roles }) =>
        KEY_NAMES.map((name) => [
          keyName(id, name),
          { address: keysOf(network, id)[name].address, granted: granted(roles, name) },
        ]),
      ),
    ),
    corridors: new Map(CORRIDOR_LIST.map((corridor) => [corridorId(corridor), TERMS])),
    opened: new Map(),
    drawn: new Map(),
    batches: new Map(),
    balances: new Map(await readBalances(network)),
  };
}
