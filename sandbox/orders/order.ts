import type { Money } from "../../src/domain/money.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import type { Uetr } from "../../src/domain/uetr.ts";

/** One of the two people a transfer is between, as their wallet knows them. */
export interface Party {
  /** In Latin letters. */
  readonly name: string;
  /** In the person's own script; the same as `name` where that is Latin or not known. */
  readonly nameLocal: string;
  /** Mobile number in E.164 form; by it the wallet finds the customer. */
  readonly phone: string;
}

/** A customer's instruction to send money, as it reaches the source wallet. */
export interface Order {
  readonly uetr: Uetr;
  readonly source: PartnerId;
  readonly target: PartnerId;
  /** What leaves the debtor, in the source wallet's currency; more than zero. */
  readonly sourceAmount: Money;
  readonly debtor: Party;
  readonly creditor: Party;
  /** Why: ISO 20022 ExternalPurpose1Code, one of `PURPOSES`. */
  readonly purpose: string;
  /** Unstructured remittance information, at most 140 characters (Max140Text); may be empty. */
  readonly remittance: string;
  /** When: seconds since midnight UTC of the day. */
  readonly atSecond: number;
}

export interface Purpose {
  /** ISO 20022 ExternalPurpose1Code. */
  readonly code: string;
  /** Its share of a made-up day's orders, relative to the others. */
  readonly weight: number;
  /** What people write. */
  readonly remittances: readonly string[];
}

/** The reasons for which people send money to people here. The shares are plausible, not measured. */
export const PURPOSES: readonly Purpose[] = [
  {
    code: "DEPD",
    weight: 60,
    remittances: ["Family support", "For the family", "Monthly allowance", "Household", "For Mum"],
  },
  { code: "EDUC", weight: 11, remittances: ["School fees", "Tuition", "Books and uniform", "Exam fees"] },
  { code: "GIFT", weight: 9, remittances: ["Happy birthday", "Wedding gift", "For the holidays", "New baby"] },
  { code: "MDCS", weight: 7, remittances: ["Hospital bill", "Medicine", "Dentist"] },
  { code: "RENT", weight: 4, remittances: ["Rent", "Room deposit"] },
  { code: "UBIL", weight: 3, remittances: ["Electricity", "Water and gas"] },
  { code: "SAVG", weight: 2, remittances: ["Savings", "To my account at home"] },
  { code: "HLRP", weight: 1, remittances: ["House loan instalment"] },
  { code: "LOAR", weight: 1, remittances: ["Paying you back", "Loan repayment"] },
  { code: "CHAR", weight: 1, remittances: ["Donation"] },
  { code: "OTHR", weight: 1, remittances: ["As agreed", ""] },
];
