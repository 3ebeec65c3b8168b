import { deploySuccessor } from "../../../ignition/succeed.ts";
import { connectLedger, type LedgerAddresses } from "../../../src/ledger/contracts.ts";
import { formatAddresses, parseAddresses } from "../../../src/ledger/deployment/config-file.ts";
import { successionSteps, type Renewal } from "../../../src/ledger/deployment/succession.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { connection, provider } from "./chain.ts";
import { executeCall, govern, scheduleCall } from "./governance.ts";

/** A ledger with a second registry of batches. */
export interface SecondRegistry {
  /** The same ledger, as those see it whose new batches open in the second. */
  readonly moved: Sandbox;
  /** Has the first registry open no more. */
  readonly drainFirst: () => Promise<unknown>;
}

/** A ledger that moves on, before governance has done anything. */
export interface Succession extends SecondRegistry {
  /** The file of addresses that a relay is given once the ledger has moved on. */
  readonly addresses: LedgerAddresses;
  readonly announce: () => Promise<unknown>;
  /** Once the notice is over. */
  readonly activate: () => Promise<unknown>;
}

/**
 * What a ledger moves on to, deployed as `npm run deploy -- --succeed` does, with what is left for governance. The steps
 * that drain the first are scheduled with the announcement, and due from then on.
 */
export async function succession(sandbox: Sandbox, renewal: Renewal): Promise<Succession> {
  const next = await deploySuccessor(connection, sandbox.config, sandbox.ledger.addresses, renewal);
  const addresses = parseAddresses(formatAddresses(next));
  const { announce, activate, drain } = successionSteps(addresses, sandbox.config);
  const upgrader = await sandbox.submitterOf({ kind: "upgrader" });
  return {
    addresses,
    moved: { ...sandbox, ledger: await connectLedger(provider, addresses) },
    async announce() {
      await govern(sandbox, announce);
      // Its delay passes with the notice.
      for (const step of drain) await upgrader.submit(scheduleCall(sandbox, step));
    },
    activate: () => govern(sandbox, activate),
    drainFirst: () => Promise.all(drain.map((step) => upgrader.submit(executeCall(sandbox, step)))),
  };
}

/**
 * A second registry beside a ledger's first, as governance brings it: deployed, announced, and active once the notice is
 * over. The first one is active, too, until it is drained, which is due already.
 */
export async function secondRegistry(sandbox: Sandbox): Promise<SecondRegistry> {
  const next = await succession(sandbox, "registry");
  await next.announce();
  await next.activate();
  return next;
}
