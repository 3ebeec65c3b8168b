// Deploys a ledger by Hardhat Ignition, then reads all of it back. See docs/operations.md.
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import hre from "hardhat";
import { deployLedger } from "../ignition/deploy.ts";
import { deploySuccessor } from "../ignition/succeed.ts";
import { InvalidInput } from "../src/domain/errors.ts";
import { connectLedger, type Ledger, type LedgerAddresses } from "../src/ledger/contracts.ts";
import { formatAddresses, formatConfig, parseAddresses, parseConfig } from "../src/ledger/deployment/config-file.ts";
import type { LedgerConfig } from "../src/ledger/deployment/config.ts";
import { successionSteps } from "../src/ledger/deployment/succession.ts";
import { verifySuccessors } from "../src/ledger/deployment/successors.ts";
import { differences, verifyDeployment } from "../src/ledger/deployment/verify.ts";
import { renderTable } from "../src/kernel/table.ts";
import { sandboxConfig, sandboxKeys } from "../sandbox/network.ts";
import { requireNetwork } from "./lib/require-network.ts";
import { runScript } from "./lib/script.ts";

const USAGE = `Deploys a ledger and reads every role and setting back.

  npm run deploy -- [options]

  --network NAME      a network of hardhat.config.ts (default: a chain in this process)
  --config FILE       the ledger's configuration (default: the sandbox's network of ten)
  --print-config      prints that configuration and stops
  --addresses FILE    where to write the contracts' addresses; with --verify-only, where to read them
  --journal NAME      under which name to keep the deployment's journal (default: one a chain)
  --succeed FILE      the addresses of a ledger in use: deploys a new registry of batches there, and prints what is left
                      for governance
  --new-treasury      with --succeed: a new treasury as well, with the new registry on it
  --verify-only       deploys nothing, and compares what is there with the configuration
  --from-block N      any block before the deployment (default: the chain's first)
  --to-block N        the deployment's last block (default: the one in the file of addresses, or else the latest)
`;

runScript(async () => {
  const { values } = parseArgs({
    options: {
      network: { type: "string" },
      config: { type: "string" },
      "print-config": { type: "boolean", default: false },
      addresses: { type: "string" },
      journal: { type: "string" },
      succeed: { type: "string" },
      "new-treasury": { type: "boolean", default: false },
      "verify-only": { type: "boolean", default: false },
      "from-block": { type: "string" },
      "to-block": { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const config =
    values.config === undefined ? sandboxConfig(sandboxKeys()) : parseConfig(await readFile(values.config, "utf8"));
  if (values.help || values["print-config"]) {
    process.stdout.write(values.help ? USAGE : formatConfig(config));
    return 0;
  }
  if (values.network !== undefined) await requireNetwork(values.network);
  const connection = await hre.network.create(values.network);
  if (values.succeed !== undefined) {
    const addresses = parseAddresses(await readFile(values.succeed, "utf8"));
    const renewal = values["new-treasury"] ? "treasury" : "registry";
    const next = await deploySuccessor(connection, config, addresses, renewal, values.journal);
    if (values.addresses !== undefined) await writeFile(values.addresses, formatAddresses(next));
    process.stdout.write(`${formatAddresses(next)}${formatSteps(next, config)}`);
    return 0;
  }
  const known = values["verify-only"] ? parseAddresses(await readFile(values.addresses ?? "", "utf8")) : undefined;
  const addresses = known ?? (await deployLedger(connection, config, { journal: values.journal }));
  if (known === undefined && values.addresses !== undefined) {
    await writeFile(values.addresses, formatAddresses(addresses));
  }
  process.stdout.write(formatAddresses(addresses));
  const fromBlock = blockNumber("--from-block", values["from-block"]);
  const toBlock = blockNumber("--to-block", values["to-block"]) ?? addresses.deployedBy;
  return verify(await connectLedger(connection.ethers.provider, addresses), config, { fromBlock, toBlock });
});

const STAGES = [
  ["announce", "first: schedule each role's together, wait for its delay, execute in this order"],
  ["activate", "schedule right after announceModule, execute from 7 to 14 days after it"],
  ["drain", "when the relays of all partners have the new addresses"],
] as const;

/** What governance has to schedule and execute on the AccessManager. */
function formatSteps(addresses: LedgerAddresses, config: LedgerConfig): string {
  const steps = successionSteps(addresses, config);
  return STAGES.map(([stage, when]) => {
    const calls = steps[stage].map(({ role, what, to, data }) => `- ${role}: ${what}\n  to ${to}\n  data ${data}\n`);
    return `\n${when}:\n${calls.join("")}`;
  }).join("");
}

function blockNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new InvalidInput(option, "the number of a block", text);
  return Number.parseInt(text, 10);
}

async function verify(
  ledger: Ledger,
  config: LedgerConfig,
  range: NonNullable<Parameters<typeof verifyDeployment>[2]>,
): Promise<number> {
  const successors = { fromBlock: range.fromBlock ?? 0, toBlock: await ledger.provider.getBlockNumber() };
  const settings = [
    ...(await verifyDeployment(ledger, config, range)),
    ...(await verifySuccessors(ledger, config, successors)),
  ];
  const wrong = differences(settings);
  if (wrong.length === 0) {
    process.stdout.write(`${settings.length} roles, settings and events checked on the ledger, all as configured\n`);
    return 0;
  }
  const columns = [
    { title: "setting", value: ({ name }: (typeof wrong)[number]) => name },
    { title: "configured", value: ({ expected }: (typeof wrong)[number]) => expected },
    { title: "on the ledger", value: ({ found }: (typeof wrong)[number]) => found },
  ];
  process.stdout.write(`${renderTable(columns, wrong)}\n${wrong.length} of ${settings.length} settings differ\n`);
  return 1;
}
