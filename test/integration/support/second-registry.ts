import { deploySuccessor } from "../../../ignition/succeed.ts";
import { connectLedger } from "../../../src/ledger/contracts.ts";
import { successionSteps } from "../../../src/ledger/deployment/succession.ts";
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

/**
 * A second registry beside a ledger's first, as governance brings it: deployed, announced, and active once the notice is
 * over. The first one is active, too, until it is drained, which is due already.
 */
export async function secondRegistry(sandbox: Sandbox): Promise<SecondRegistry> {
  const moved = await deploySuccessor(connection, sandbox.config, sandbox.ledger.addresses, "registry");
  const { announce, activate, drain } = successionSteps(moved, sandbox.config);
  const upgrader = await sandbox.submitterOf({ kind: "upgrader" });
  await govern(sandbox, announce);
  // Its delay passes with the notice.
  for (const step of drain) await upgrader.submit(scheduleCall(sandbox, step));
  await govern(sandbox, activate);
  return {
    moved: { ...sandbox, ledger: await connectLedger(provider, moved) },
    drainFirst: () => Promise.all(drain.map((step) => upgrader.submit(executeCall(sandbox, step)))),
  };
}
