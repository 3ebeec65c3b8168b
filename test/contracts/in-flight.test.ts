import { expect } from "chai";
import type { BaseContract } from "ethers";
import type { Batch } from "../../src/domain/batch.ts";
import { corridorId } from "../../src/domain/corridor.ts";
import { BatchStatus } from "../../src/domain/lifecycle.ts";
import { expectChanges, expectConserved, heldIn } from "./support/balances.ts";
import { expireBatch, idOf, makeBatch, openBatch, openedBatch, settleArgs, settleBatch } from "./support/batches.ts";
import { PROVIDER } from "../support/transfers.ts";
import { latestTimestamp, nextBlockAt } from "./support/clock.ts";
import { expectRevert } from "./support/expect-revert.ts";
import { reactivate, replaceAdmin, setRoles, setTerms } from "./support/governance.ts";
import { giveRights, takeRights } from "./support/modules.ts";
import { holdOf } from "../support/movements.ts";
import {
  CORRIDORS,
  HKD,
  KEYS_VALID_UNTIL,
  ModuleStatus,
  PHP,
  PartnerStatus,
  Purpose,
  Role,
  TERMS,
  fail,
  freshNetwork,
  keysOf,
  type Network,
} from "./support/network.ts";

const CORRIDOR = corridorId(CORRIDORS.hkdToPhp);
const [SOURCE, TARGET] = [7, 4];

interface Refusal {
  readonly by: (network: Network) => BaseContract;
  readonly error: string;
  /** Its values, of the network and of the batch that was open. */
  readonly values: (network: Network) => readonly unknown[] | Promise<readonly unknown[]>;
}

/** Something that happens while a batch is open, and what it means for the batch and for new ones. */
interface Event {
  readonly title: string;
  readonly happen: (network: Network, batch: Batch) => Promise<unknown>;
  /** Undefined where the open batch settles as if nothing had happened. */
  readonly settle?: Refusal;
  /** Undefined where new batches open as before. */
  readonly open?: Refusal;
}

function notActive(partner: number, status: bigint): Refusal {
  return {
    by: ({ registry }) => registry,
    error: "PartnerRegistry_PartnerNotActive",
    values: () => [partner, status],
  };
}

function roleMissing(partner: number, granted: bigint, needed: bigint): Refusal {
  return {
    by: ({ registry }) => registry,
    error: "PartnerRegistry_RoleMissing",
    values: () => [partner, granted, needed],
  };
}

function keyNotAuthorized(partner: number, name: "send" | "accept" | "quote"): Refusal {
  return {
    by: ({ registry }) => registry,
    error: "PartnerRegistry_KeyNotAuthorized",
    values: (network) => [partner, keysOf(network, partner)[name].address, Purpose[name]],
  };
}

function moduleNotAuthorized(status: bigint): Refusal {
  return {
    by: ({ treasury }) => treasury,
    error: "ForModules_NotActive",
    values: async ({ transfers }) => [await transfers.getAddress(), status],
  };
}

async function revokeKey(network: Network, partner: number, name: "send" | "accept" | "quote"): Promise<unknown> {
  const keys = keysOf(network, partner);
  return network.registry.connect(keys.admin).revokeKey(partner, keys[name]);
}

async function letKeyExpire(network: Network, partner: number, name: "send" | "accept" | "quote"): Promise<unknown> {
  const keys = keysOf(network, partner);
  const validUntil = (await latestTimestamp()) + 5;
  await network.registry.connect(keys.admin).authorizeKey(partner, keys[name], Purpose[name], validUntil);
  await nextBlockAt(validUntil + 1);
  return network.transfers.beat();
}

const onPartners: readonly Event[] = (
  [
    ["source", SOURCE, "send"],
    ["target", TARGET, "accept"],
    ["provider", PROVIDER, "quote"],
  ] as const
).flatMap(([party, partner, key]): Event[] => {
  const isTarget = partner === TARGET;
  const role = partner === PROVIDER ? Role.provider : Role.wallet;
  const other = partner === PROVIDER ? Role.wallet : Role.provider;
  // The target's key does not open batches, the others' do not settle them.
  const onKey = keyNotAuthorized(partner, key);
  const keyRefuses: Pick<Event, "settle" | "open"> = isTarget ? { settle: onKey } : { open: onKey };
  return [
    {
      title: `the ${party} partner is suspended`,
      happen: ({ registry, cast }) => registry.connect(cast.guardian).suspend(partner),
      open: notActive(partner, PartnerStatus.Suspended),
    },
    {
      title: `the ${party} partner is frozen`,
      happen: ({ registry, cast }) => registry.connect(cast.guardian).freeze(partner),
      open: notActive(partner, PartnerStatus.Frozen),
      ...(isTarget ? { settle: notActive(partner, PartnerStatus.Frozen) } : {}),
    },
    {
      title: `the ${party} partner is frozen and reactivated`,
      happen: async (network) => {
        await network.registry.connect(network.cast.guardian).freeze(partner);
        return reactivate(network, partner);
      },
    },
    {
      title: `the ${party} partner loses its role`,
      happen: (network) => setRoles(network, partner, other),
      open: roleMissing(partner, other, role),
    },
    {
      title: `the ${party} partner revokes the key that signed or will sign`,
      happen: (network) => revokeKey(network, partner, key),
      ...keyRefuses,
    },
    {
      title: `the ${party} partner's key expires`,
      happen: (network) => letKeyExpire(network, partner, key),
      ...keyRefuses,
    },
    {
      title: `the ${party} partner adds a key beside the one it has`,
      happen: (network) =>
        network.registry
          .connect(keysOf(network, partner).admin)
          .authorizeKey(partner, network.cast.spare[0], Purpose[key], KEYS_VALID_UNTIL),
    },
    {
      title: `the ${party} partner gets another admin`,
      happen: (network) => replaceAdmin(network, partner, network.cast.stranger),
      open: notActive(partner, PartnerStatus.Suspended),
      ...(isTarget ? { settle: onKey } : {}),
    },
    {
      title: `the ${party} partner's admin hands over`,
      happen: async ({ registry, cast }) => {
        await registry
          .connect(cast.partners.get(partner)?.admin ?? fail("no admin"))
          .offerAdmin(partner, cast.stranger);
        return registry.connect(cast.stranger).acceptAdmin(partner);
      },
    },
  ];
});

const onTheRest: readonly Event[] = [
  {
    title: "the corridor is closed",
    happen: ({ corridors, cast }) => corridors.connect(cast.guardian).closeCorridor(CORRIDOR),
    open: {
      by: ({ registry }) => registry,
      error: "CorridorBook_Closed",
      values: () => [CORRIDOR],
    },
  },
  {
    title: "the corridor's limits fall below the batch",
    happen: (network) => setTerms(network, CORRIDOR, { ...TERMS, maxPerBatch: 1n, maxPerDay: 1n }),
    open: {
      by: ({ transfers }) => transfers,
      error: "CorridorBook_BatchLimitExceeded",
      values: async (network) => [CORRIDOR, (await makeBatch(network, { seed: "new" })).header.sourceTotal, 1],
    },
  },
  {
    title: "the corridor's fee changes",
    happen: (network) => setTerms(network, CORRIDOR, { ...TERMS, feeBps: 1_000n }),
    open: {
      by: ({ transfers }) => transfers,
      error: "TransferRegistry_FeeMismatch",
      values: async (network) => {
        const old = await makeBatch(network, { seed: "new" });
        const { header } = await makeBatch(network, { seed: "new", feeBps: 1_000n });
        return [old.header.fee, header.fee];
      },
    },
  },
  {
    title: "the registry is paused",
    happen: ({ transfers, cast }) => transfers.connect(cast.guardian).pause(),
    open: { by: ({ transfers }) => transfers, error: "EnforcedPause", values: () => [] },
  },
  {
    title: "the quote is cancelled and another made",
    happen: (network, { header }) => network.quotes.connect(keysOf(network, PROVIDER).quote).cancelQuote(header.quote),
  },
  {
    title: "the quote's validity ends and another is made",
    happen: async (network) => {
      await nextBlockAt((await latestTimestamp()) + 3_601);
      return network.transfers.beat();
    },
  },
  {
    title: "the registry is made to drain",
    happen: (network) => takeRights(network, network.transfers, ModuleStatus.Draining),
    open: moduleNotAuthorized(ModuleStatus.Draining),
  },
  {
    title: "the registry is revoked as a module and made to drain again",
    happen: async (network) => {
      await takeRights(network, network.transfers, ModuleStatus.None);
      return giveRights(network, network.transfers, ModuleStatus.Draining);
    },
    open: moduleNotAuthorized(ModuleStatus.Draining),
  },
  {
    title: "the settlement bank's attestation goes stale",
    happen: async (network) => {
      await nextBlockAt((await latestTimestamp()) + 90_000);
      return network.transfers.beat();
    },
  },
];

/** A batch that was opened before `event` happened. */
async function openBefore(event: Event): Promise<{ network: Network; batch: Batch }> {
  const network = await freshNetwork();
  const batch = await openedBatch(network);
  await event.happen(network, batch);
  return { network, batch };
}

async function expectRefusal(network: Network, call: () => Promise<unknown>, refusal: Refusal): Promise<void> {
  const values = await refusal.values(network);
  await expectRevert(call(), refusal.error, values);
}

describe("Batches in flight", () => {
  for (const event of [...onPartners, ...onTheRest]) {
    describe(`when ${event.title}`, () => {
      const { settle, open } = event;
      it(
        settle === undefined
          ? "an open batch settles, rejections refunded"
          : `an open batch does not settle: ${settle.error}`,
        async () => {
          const { network, batch } = await openBefore(event);
          const call = () => settleBatch(network, batch, { 1: "AC03" });
          if (settle !== undefined) {
            await expectRefusal(network, call, settle);
            return;
          }
          await expect(call()).to.emit(network.transfers, "Settled");
          expect(await network.transfers.statusOf(idOf(network, batch))).to.equal(BatchStatus.Settled);
          expect([await heldIn(network, HKD), await heldIn(network, PHP)]).to.deep.equal([0n, 0n]);
          await expectConserved(network);
        },
      );

      it("an open batch expires, everything refunded", async () => {
        const { network, batch } = await openBefore(event);
        const { sourceTotal, targetTotal, fee } = batch.header;
        await expectChanges(network, () => expireBatch(network, batch), [
          { partner: SOURCE, currency: HKD, held: -(sourceTotal + fee), available: sourceTotal + fee },
          { partner: PROVIDER, currency: PHP, held: -targetTotal, available: targetTotal },
        ]);
      });

      it(open === undefined ? "new batches open" : `new batches do not open: ${open.error}`, async () => {
        const { network } = await openBefore(event);
        const batch = await makeBatch(network, { seed: "new" });
        const call = () => openBatch(network, batch);
        if (open !== undefined) await expectRefusal(network, call, open);
        else await expect(call()).to.emit(network.transfers, "Opened");
      });
    });
  }

  describe("when the target partner rotates its key", () => {
    it("both keys settle while they overlap, and the old one no more once it is revoked", async () => {
      const network = await freshNetwork();
      const { registry, transfers, cast } = network;
      const { admin, accept: old } = keysOf(network, TARGET);
      const [next] = cast.spare;
      const first = await openedBatch(network, { seed: "first" });
      const second = await openedBatch(network, { seed: "second" });
      const third = await openedBatch(network, { seed: "third" });
      await registry.connect(admin).authorizeKey(TARGET, next, Purpose.accept, KEYS_VALID_UNTIL);
      await transfers.settle(...(await settleArgs(network, first, {}, old)));
      await transfers.settle(...(await settleArgs(network, second, {}, next)));
      await registry.connect(admin).revokeKey(TARGET, old);
      const call = transfers.settle(...(await settleArgs(network, third, {}, old)));
      const args = [TARGET, old.address, Purpose.accept];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
      await transfers.settle(...(await settleArgs(network, third, {}, next)));
    });
  });

  describe("when the registry is revoked as a module", () => {
    it("an open batch neither settles nor expires, until the registry is made to drain", async () => {
      const network = await freshNetwork();
      const { transfers } = network;
      const [settled, expired] = [await openedBatch(network, { seed: "first" }), await openedBatch(network)];
      await takeRights(network, transfers, ModuleStatus.None);
      const args = [await transfers.getAddress(), ModuleStatus.None];
      await expectRevert(settleBatch(network, settled), "Treasury_ModuleNotAuthorized", args);
      await giveRights(network, transfers, ModuleStatus.Draining);
      await settleBatch(network, settled);
      await takeRights(network, transfers, ModuleStatus.None);
      await expectRevert(expireBatch(network, expired), "Treasury_ModuleNotAuthorized", args);
      await giveRights(network, transfers, ModuleStatus.Draining);
      await expireBatch(network, expired);
      expect([await heldIn(network, HKD), await heldIn(network, PHP)]).to.deep.equal([0n, 0n]);
      await expectConserved(network);
    });
  });

  describe("when a second registry is the active module and the first drains", () => {
    it("the first finishes what it holds, and cannot touch what the second holds", async () => {
      const network = await freshNetwork();
      const { treasury, transfers, cast } = network;
      const batch = await openedBatch(network);
      const { sourceTotal, fee, targetTotal } = batch.header;
      const [module] = cast.spare;
      await takeRights(network, transfers, ModuleStatus.Draining);
      await giveRights(network, module, ModuleStatus.Active);
      await treasury.connect(module).hold([holdOf(SOURCE, HKD, 500)]);
      await expectChanges(network, () => settleBatch(network, batch), [
        { partner: SOURCE, currency: HKD, held: -(sourceTotal + fee) },
        { partner: PROVIDER, currency: HKD, available: sourceTotal },
        { partner: 1, currency: HKD, available: fee },
        { partner: PROVIDER, currency: PHP, held: -targetTotal },
        { partner: TARGET, currency: PHP, available: targetTotal },
      ]);
      expect(await heldIn(network, HKD)).to.equal(500);
    });
  });
});
