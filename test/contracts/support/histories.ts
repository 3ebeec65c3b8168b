import fc from "fast-check";
import type { KeyName, Move } from "./model.ts";
import { CORRIDORS, ModuleStatus, PARTNERS, Role, TERMS } from "./network.ts";

/** How a batch's header departs from its tree, its corridor or its quote. */
export const LIES = ["none", "count+1", "count-1", "source+1", "target+1", "target-1", "fee+1", "other quote"] as const;
export type Lie = (typeof LIES)[number];

/**
 * One call of the ledger. Numbers that name something are taken modulo how many there are. A batch `ofAll` is one that
 * anybody ever tried to open, else it is an open one, where there is one.
 */
export type Act =
  | {
      readonly kind: "open";
      readonly corridor: number;
      readonly quote: number;
      readonly count: number;
      readonly life: number;
      readonly lie: Lie;
    }
  | {
      readonly kind: "open and settle";
      readonly corridor: number;
      readonly quote: number;
      readonly count: number;
      readonly life: number;
      readonly lie: Lie;
      /** By how many seconds the acceptance outlasts the block before. */
      readonly acceptedFor: number;
    }
  | { readonly kind: "open again"; readonly batch: number; readonly ofAll: boolean }
  | { readonly kind: "settle"; readonly batch: number; readonly ofAll: boolean; readonly refused: number }
  | { readonly kind: "expire"; readonly batch: number; readonly ofAll: boolean }
  | { readonly kind: "beat" }
  | { readonly kind: "cancel quote"; readonly quote: number }
  | { readonly kind: "deposit" | "withdraw"; readonly partner: number; readonly amount: bigint }
  | { readonly kind: "move"; readonly partner: number; readonly move: Move }
  | { readonly kind: "roles"; readonly partner: number; readonly roles: bigint }
  | { readonly kind: "key"; readonly partner: number; readonly name: KeyName; readonly granted: boolean }
  | { readonly kind: "terms"; readonly corridor: number; readonly terms: number }
  | { readonly kind: "close"; readonly corridor: number }
  | { readonly kind: "pause"; readonly paused: boolean }
  | { readonly kind: "module"; readonly status: bigint };

/** An act, so many seconds after the one before. */
export interface Step {
  readonly after: number;
  readonly act: Act;
}

/** Terms that corridors are given in turn: those of the network first. */
export const TERMS_IN_TURN = [
  TERMS,
  { ...TERMS, feeBps: 0n },
  { ...TERMS, feeBps: 1_000n },
  { ...TERMS, maxPerBatch: 120_000n, maxPerDay: 150_000n },
] as const;

const PARTNER_IDS = PARTNERS.map(({ id }) => id);
const index = fc.nat(1_000);
const ofAll = fc.constantFrom(false, false, false, false, true);
const partner = fc.constantFrom(...PARTNER_IDS);
const corridor = fc.nat(Object.keys(CORRIDORS).length - 1);
const amount = fc.constantFrom(0n, 1n, 10n ** 12n - 40_000n, 10n ** 12n, 2n * 10n ** 12n);

const opening = {
  corridor,
  // The first of a corridor's quotes is the one that always fits.
  quote: fc.constantFrom(0, 0, 0, 1),
  count: fc.integer({ min: 1, max: 4 }),
  life: fc.constantFrom(600, 600, 600, 600, 600, 60, 60, 60, 5, 1_800, 86_401),
  lie: fc.oneof(
    { weight: 6, arbitrary: fc.constant("none" as const) },
    { weight: 1, arbitrary: fc.constantFrom(...LIES) },
  ),
};
const open = fc.record({ kind: fc.constant("open" as const), ...opening });
const openAndSettle = fc.record({
  kind: fc.constant("open and settle" as const),
  ...opening,
  acceptedFor: fc.constantFrom(60, 60, 60, 60, 0),
});

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 16, arbitrary: open },
  { weight: 6, arbitrary: openAndSettle },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("open again" as const), batch: index, ofAll: fc.constant(true) }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      batch: index,
      ofAll,
      refused: fc.constantFrom(0, 0, 1, 2, 6, 15),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("expire" as const), batch: index, ofAll }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("beat" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel quote" as const), quote: index }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("deposit" as const, "withdraw" as const), partner, amount }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("move" as const),
      partner,
      move: fc.constantFrom("suspend", "freeze", "reactivate", "reactivate"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("roles" as const),
      partner,
      roles: fc.constantFrom(Role.wallet, Role.provider, Role.both, Role.both),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("key" as const),
      partner,
      name: fc.constantFrom<KeyName[]>("send", "accept", "quote", "fund"),
      granted: fc.constantFrom(true, false),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("terms" as const),
      corridor,
      terms: fc.nat(TERMS_IN_TURN.length - 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("close" as const), corridor }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("pause" as const), paused: fc.constantFrom(true, false, false, false) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("module" as const),
      status: fc.constantFrom(ModuleStatus.Active, ModuleStatus.Active, ModuleStatus.Draining, ModuleStatus.None),
    }),
  },
);

const step: fc.Arbitrary<Step> = fc.record({
  after: fc.constantFrom(1, 1, 1, 1, 1, 1, 5, 10, 29, 30, 31, 3_600, 86_400),
  act,
});

/** A history of the ledger: calls by anyone, one after the other, some of which it must refuse. */
export const histories: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 20, maxLength: 45, size: "max" });
