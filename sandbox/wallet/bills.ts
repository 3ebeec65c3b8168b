import { createHash } from "node:crypto";
import type { RelayClient } from "../../sdk/client.ts";
import { parseReference, type Biller } from "../../src/domain/biller.ts";
import { powerOfTen } from "../../src/domain/decimal.ts";
import { uetrFromRandom } from "../../src/domain/uetr.ts";
import type { WalletBooks } from "./books.ts";
import type { Wallet } from "./wallets.ts";

// Bills of a made-up company in each country: whoever has a reference owes what its digits say.

const REFERENCE = { characters: "digits", min: 10, max: 10, check: "luhn" } as const;
const LEAST_DUE = 100n;
const DUE_RANGE = 900n;
/** Bills do not end. The latest time that is agreed on. */
const NEVER = "2099-12-31T23:59:59.000Z";

/** The billers of one of the sandbox's wallets. */
export interface BillDesk {
  readonly billers: readonly Biller[];
  /** The request that is a bill, made at the relay: the same for the same reference. Undefined where there is no such bill. */
  findBill(biller: string, reference: string): Promise<string | undefined>;
}

export function openBillDesk(wallet: Wallet, books: WalletBooks, relay: RelayClient): BillDesk {
  const power: Biller = {
    id: "power",
    name: `${wallet.countryName} Power`,
    category: "electricity",
    reference: REFERENCE,
  };
  return {
    billers: [power],
    async findBill(biller, given) {
      // Whoever has opened an account first is the company.
      const [company] = books.accounts();
      if (biller !== power.id || company === undefined) return undefined;
      const reference = parseReference(REFERENCE, given, "reference");
      const hash = createHash("sha256").update(`${wallet.id} ${biller} ${reference}`).digest();
      const id = uetrFromRandom(new Uint8Array(hash.subarray(0, 16)));
      const { code, minorDigits } = wallet.currency;
      const due = (LEAST_DUE + (BigInt(reference) % DUE_RANGE)) * powerOfTen(minorDigits);
      const body = {
        id,
        payee: { name: power.name, alias: { type: "MSISDN" as const, value: company.phone } },
        amount: { currency: code, minor: String(due) },
        purpose: "UBIL",
        reference: `Bill ${reference}`,
        expiresAt: NEVER,
      };
      await relay.ask("POST /v1/requests", { body });
      return id;
    },
  };
}
