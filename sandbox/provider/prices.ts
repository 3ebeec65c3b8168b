import type { PartnerId } from "../../src/domain/partner.ts";
import { WALLETS } from "../wallet/wallets.ts";

/** What sending money costs in a corridor by the World Bank's survey. */
export interface SurveyedPrice {
  /** Fee and exchange margin together, in basis points of the amount sent; for about USD 200, averaged over services. */
  readonly costBps: bigint;
  /** Quarter of the survey, YYYYQn. */
  readonly quarter: string;
}

/**
 * Average total cost per corridor, in basis points (the source's per cent × 100, rounded half up), in the newest quarter
 * that has a figure: sender, receiver, basis points, quarter.
 *
 * Source: The World Bank, Remittance Prices Worldwide, series ATCR.CORR (average of the total cost of sending the local
 * equivalent of USD 200), edition of 2020-12-07. Licence: CC BY 4.0. These 13 are all the corridors between the ten
 * countries that the survey covers; its means by corridor for 2017 are of the same 13. India to Pakistan has a price
 * but, in the bilateral estimates, no flow.
 */
const SURVEYED: readonly (readonly [sender: string, receiver: string, costBps: bigint, quarter: string])[] = [
  ["IND", "BGD", 348n, "2020Q3"],
  ["IND", "PAK", 408n, "2020Q3"],
  ["THA", "CHN", 1_436n, "2020Q3"],
  ["THA", "IND", 1_566n, "2020Q3"],
  ["THA", "IDN", 1_407n, "2020Q3"],
  ["KOR", "CHN", 574n, "2020Q3"],
  ["MYS", "CHN", 588n, "2020Q3"],
  ["MYS", "IND", 277n, "2020Q3"],
  ["MYS", "THA", 584n, "2020Q3"],
  ["MYS", "PHL", 373n, "2020Q3"],
  ["MYS", "IDN", 539n, "2020Q3"],
  ["MYS", "BGD", 350n, "2020Q3"],
  ["PAK", "BGD", 1_655n, "2020Q3"],
];

const alpha3ById: ReadonlyMap<PartnerId, string> = new Map(WALLETS.map((entry) => [entry.id, entry.countryAlpha3]));
const byCountries: ReadonlyMap<string, SurveyedPrice> = new Map(
  SURVEYED.map(([sender, receiver, costBps, quarter]) => [`${sender}>${receiver}`, { costBps, quarter }]),
);

/** The World Bank's price for the corridor; undefined where its survey has none, which is most of them. */
export function worldBankPrice(source: PartnerId, target: PartnerId): SurveyedPrice | undefined {
  return byCountries.get(`${alpha3ById.get(source)}>${alpha3ById.get(target)}`);
}
