import type { PartnerId } from "../../src/domain/partner.ts";
import { WALLETS } from "../wallet/wallets.ts";

/**
 * Bilateral remittance estimates for 2017 between the ten countries, in ten thousands of US dollars (hundredths of the
 * source's millions). Rows send, columns receive, both in the order of the partner ids: CHN, IND, THA, PHL, KOR, IDN,
 * HKG, MYS, BGD, PAK.
 *
 * Source: World Bank / KNOMAD, Bilateral Remittance Estimates for 2017 using Migrant Stocks, Host Country Incomes, and
 * Origin Country Incomes (millions of US$), April 2018 version. Licence: CC BY 4.0. The source has no figure for India
 * to Pakistan and Pakistan to India: 0 here.
 */
const USD_TEN_THOUSANDS_2017: readonly (readonly [sender: string, ...receivers: number[]])[] = [
  ["CHN", 0, 6_401, 13_710, 53_627, 52_342, 10_933, 373, 967, 926, 2_197],
  ["IND", 4_116, 0, 0, 0, 0, 149, 0, 1_118, 403_260, 0],
  ["THA", 85_542, 19_727, 0, 7_808, 3_431, 553, 66, 724, 1_152, 1_571],
  ["PHL", 20_562, 4_228, 201, 0, 1_636, 592, 14, 70, 21, 131],
  ["KOR", 414_356, 2_966, 22_264, 24_760, 0, 7_157, 0, 0, 2_153, 3_526],
  ["IDN", 35_912, 4_238, 11_552, 1_491, 6_572, 0, 0, 175, 0, 1_931],
  ["HKG", 1_554_756, 10_239, 13_251, 65_330, 1_186, 30_660, 0, 1_455, 98, 2_952],
  ["MYS", 33_479, 28_725, 58_590, 196_235, 1_157, 215_248, 19, 0, 20_842, 6_662],
  ["BGD", 99_192, 12_580, 6_077, 0, 0, 27_587, 0, 20_233, 0, 0],
  ["PAK", 0, 0, 0, 0, 0, 0, 0, 0, 22_681, 0],
];

/** One direction between two wallets in which, by the estimates, people send money. */
export interface CorridorFlow {
  readonly source: PartnerId;
  readonly target: PartnerId;
  /** The World Bank's estimate of 2017's volume, in ten thousands of US dollars; more than 0. */
  readonly usdTenThousands: bigint;
}

/** Every corridor of the network, by source, then target. */
export const CORRIDOR_FLOWS: readonly CorridorFlow[] = WALLETS.flatMap((source, row) =>
  WALLETS.flatMap((target, column) => {
    const usdTenThousands = BigInt(USD_TEN_THOUSANDS_2017[row]?.[column + 1] ?? 0);
    return usdTenThousands === 0n ? [] : [{ source: source.id, target: target.id, usdTenThousands }];
  }),
);

const existing: ReadonlySet<string> = new Set(CORRIDOR_FLOWS.map((flow) => `${flow.source}>${flow.target}`));

/** Whether the sandbox network has a corridor from one wallet to the other. */
export function hasCorridor(source: PartnerId, target: PartnerId): boolean {
  return existing.has(`${source}>${target}`);
}
