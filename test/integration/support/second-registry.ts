import type { LedgerAddresses } from "../../../src/ledger/contracts.ts";
import { connectLedger } from "../../../src/ledger/contracts.ts";
import { normalizeHex } from "../../../src/domain/bytes/hex.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { connection, provider } from "./chain.ts";
import { asGovernance, executeCall, governedCall, scheduleCall } from "./governance.ts";

const [ACTIVE, DRAINING] = [1, 2];

/** A ledger with a second registry of batches. */
export interface SecondRegistry {
  /** The same ledger, as those see it whose new batches open in the second. */
  readonly moved: Sandbox;
  /** Has the first registry open no more. */
  readonly drainFirst: () => Promise<unknown>;
}

/**
 * A second registry beside a ledger's first, as governance brings it: deployed, announced, and active once the notice is
 * over. The first one is active, too, until it is drained, which is due already.
 */
export async function secondRegistry(sandbox: Sandbox): Promise<SecondRegistry> {
  const { addresses } = sandbox.ledger;
  const { accessManager, partnerRegistry, treasury, corridorBook, quoteBook } = addresses;
  const { beatIntervalSeconds, graceSeconds } = sandbox.config.clock;
  const contract = await connection.ethers.deployContract("TransferRegistry", [
    ...[accessManager, partnerRegistry, treasury, corridorBook, quoteBook],
    ...[beatIntervalSeconds, graceSeconds],
  ]);
  const transferRegistry = normalizeHex(await contract.getAddress(), 20);
  await asGovernance(sandbox, "upgrader", "treasury", "announceModule", [transferRegistry, ACTIVE]);
  const upgrader = await sandbox.submitterOf({ kind: "upgrader" });
  const restriction = [addresses.transferRegistry, ACTIVE, DRAINING];
  const drain = governedCall(sandbox, "treasury", "restrictModule", restriction);
  await upgrader.submit(scheduleCall(sandbox, drain));
  await asGovernance(sandbox, "upgrader", "treasury", "activateModule", [transferRegistry, ACTIVE]);
  const moved: LedgerAddresses = {
    ...addresses,
    transferRegistry,
    draining: [...addresses.draining, { transferRegistry: addresses.transferRegistry }],
  };
  return {
    moved: { ...sandbox, ledger: await connectLedger(provider, moved) },
    drainFirst: () => upgrader.submit(executeCall(sandbox, drain)),
  };
}
