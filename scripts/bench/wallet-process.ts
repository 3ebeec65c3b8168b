// A wallet of the sandbox in a process of its own: `path.ts` starts it.
import { systemClock } from "../../src/kernel/clock/clock.ts";
import { openBooks } from "../../sandbox/wallet/books.ts";
import { openJournal } from "../../sandbox/wallet/journal.ts";
import { startWalletServer } from "../../sandbox/wallet/wallet-server.ts";
import { walletOf } from "../../sandbox/wallet/wallets.ts";
import { customersOf, optionsOf, until, type WalletOptions } from "./path-parts.ts";

/** Nobody is ever short of money. */
const OPENING_MINOR = 10n ** 12n;
/** Far more than are under way at a time. */
const MOST_KEPT = 100_000;

const { partner, secret, journal } = optionsOf() as WalletOptions;
const wallet = walletOf(partner);
const server = await startWalletServer({
  wallet,
  books: openBooks({
    wallet: partner,
    currency: wallet.currency.code,
    holders: customersOf(partner).map((customer) => ({ ...customer, openingMinor: OPENING_MINOR })),
    clock: systemClock,
    journal: await openJournal(journal),
    mostKept: MOST_KEPT,
  }),
  secret,
  clock: systemClock,
});
process.send?.(server.url);
await until("stop");
await server.stop();
process.disconnect();
