import type { Currency } from "../../src/domain/currency.ts";
import { parseCurrency } from "../../src/domain/currency.ts";
import { InvalidInput } from "../../src/domain/errors.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import { parsePartnerId } from "../../src/domain/partner.ts";

/** ISO 3166-1 alpha-2 codes of the ten countries. */
export type CountryCode = "CN" | "IN" | "TH" | "PH" | "KR" | "ID" | "HK" | "MY" | "BD" | "PK";

export interface Wallet {
  readonly id: PartnerId;
  readonly name: string;
  readonly country: CountryCode;
  /** ISO 3166-1 alpha-3. */
  readonly countryAlpha3: string;
  readonly countryName: string;
  /** Home currency: the only one its customers send and receive. */
  readonly currency: Currency;
  /** ITU-T E.164 country calling code, without "+". */
  readonly callingCode: string;
  /** ISO 15924 codes of the scripts its customers write their names in, the commonest first. */
  readonly scripts: readonly string[];
  /** Local standard time; none of the ten observes summer time. */
  readonly utcOffsetMinutes: number;
}

/** The ten wallets of the sandbox network, by partner id, ascending. The hub is the first. */
export const WALLETS: readonly Wallet[] = [
  wallet(1, "Alipay", "CN", "CHN", "China", "CNY", "86", ["Hans"], 480),
  wallet(2, "Paytm", "IN", "IND", "India", "INR", "91", ["Deva"], 330),
  wallet(3, "TrueMoney", "TH", "THA", "Thailand", "THB", "66", ["Thai"], 420),
  wallet(4, "GCash", "PH", "PHL", "Philippines", "PHP", "63", ["Latn"], 480),
  wallet(5, "KakaoPay", "KR", "KOR", "South Korea", "KRW", "82", ["Hang"], 540),
  wallet(6, "DANA", "ID", "IDN", "Indonesia", "IDR", "62", ["Latn"], 420),
  wallet(7, "AlipayHK", "HK", "HKG", "Hong Kong", "HKD", "852", ["Hant"], 480),
  wallet(8, "Touch 'n Go", "MY", "MYS", "Malaysia", "MYR", "60", ["Latn", "Hans", "Taml"], 480),
  wallet(9, "bKash", "BD", "BGD", "Bangladesh", "BDT", "880", ["Beng"], 360),
  wallet(10, "Easypaisa", "PK", "PAK", "Pakistan", "PKR", "92", ["Arab"], 300),
];

const byId: ReadonlyMap<PartnerId, Wallet> = new Map(WALLETS.map((entry) => [entry.id, entry]));
const byName: ReadonlyMap<string, Wallet> = new Map(WALLETS.map((entry) => [entry.name.toLowerCase(), entry]));

/** @throws InvalidInput when the partner is none of the ten wallets */
export function walletOf(id: PartnerId): Wallet {
  const found = byId.get(id);
  if (found === undefined) throw new InvalidInput("partner", "the id of one of the ten wallets, 1 to 10", id);
  return found;
}

/**
 * Finds a wallet by its name, in any case, or by its partner id in decimal.
 * @throws InvalidInput naming `field` when there is none
 */
export function parseWallet(text: string, field = "wallet"): Wallet {
  const found = byName.get(text.toLowerCase()) ?? WALLETS.find((entry) => String(entry.id) === text);
  if (found === undefined) {
    const known = WALLETS.map((entry) => `${entry.id} ${entry.name}`).join(", ");
    throw new InvalidInput(field, `a wallet's name or partner id (${known})`, text);
  }
  return found;
}

function wallet(
  id: number,
  name: string,
  country: CountryCode,
  countryAlpha3: string,
  countryName: string,
  currency: string,
  callingCode: string,
  scripts: readonly string[],
  utcOffsetMinutes: number,
): Wallet {
  return {
    id: parsePartnerId(id),
    name,
    country,
    countryAlpha3,
    countryName,
    currency: parseCurrency(currency),
    callingCode,
    scripts,
    utcOffsetMinutes,
  };
}
