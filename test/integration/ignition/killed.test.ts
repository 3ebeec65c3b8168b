import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HardhatArtifactResolver } from "@nomicfoundation/hardhat-ignition/helpers";
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import {
  deploy,
  DeploymentResultType,
  type ArtifactResolver,
  type EIP1193Provider,
} from "@nomicfoundation/ignition-core";
import { expect } from "chai";
import hre from "hardhat";
import { mendJournal } from "../../../ignition/journal.ts";
import { createRandom } from "../../../src/kernel/random.ts";

const MANAGER = "Small#AccessManager";
/** A contract, three calls that go out together, and one that waits for them. */
const STEPS = 5;
const KILLS = ["before it reaches the node", "before it is answered", "and its last line is torn"] as const;
/** More kills than a run has requests to be killed at. */
const MAX_KILLS = 200;
const SEEDS = 20;
const MAX_KILLS_PER_SEED = 4;

/** No more than the steps need: Ignition reads, writes and parses all of it again in each run. */
const CALLED = ["grantRole", "labelRole"];
const files = new HardhatArtifactResolver(hre.artifacts);
const artifacts: ArtifactResolver = {
  async loadArtifact(contract) {
    const artifact = await files.loadArtifact(contract);
    const isNeeded = ({ type, name }: AbiEntry): boolean => type === "constructor" || CALLED.includes(name ?? "");
    return { ...artifact, abi: (artifact.abi as readonly AbiEntry[]).filter(isNeeded) };
  },
  getBuildInfo: () => Promise.resolve(undefined),
};
interface AbiEntry {
  readonly type: string;
  readonly name?: string;
}

interface Kill {
  /** Which request is the last. */
  readonly atRequest: number;
  readonly how: (typeof KILLS)[number];
}

describe("a deployment that is killed", function () {
  let folder: string;
  let journal: string;
  let accounts: readonly string[];
  let chain: Awaited<ReturnType<typeof hre.network.create>>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-journal-"));
    journal = join(folder, "journal.jsonl");
    chain = await hre.network.create();
    accounts = (await chain.ethers.getSigners()).map(({ address }) => address);
  });

  afterEach(async () => {
    await chain.close();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (provider: EIP1193Provider, requiredConfirmations: number) => {
    const [deployer = "", other = ""] = accounts;
    const ignitionModule = buildModule("Small", (m) => {
      const manager = m.contract("AccessManager", [deployer]);
      const after = [1n, 2n, 3n].map((role) => m.call(manager, "grantRole", [role, other, 0], { id: `grant_${role}` }));
      m.call(manager, "labelRole", [1n, "last"], { id: "last", after });
      return { manager };
    });
    return deploy({
      config: { blockPollingInterval: 1, requiredConfirmations, retryInterval: 1 },
      provider,
      deploymentDir: folder,
      ignitionModule,
      artifactResolver: artifacts,
      deploymentParameters: {},
      accounts: [...accounts],
    });
  };

  /** @returns whether it was killed before its end */
  const runUntil = async ({ atRequest, how }: Kill, provider: EIP1193Provider, confirmations: number) => {
    const { promise: killed, resolve: kill } = Promise.withResolvers<"killed">();
    let requests = 0;
    const request: EIP1193Provider["request"] = async (call): Promise<unknown> => {
      requests++;
      if (requests < atRequest) return provider.request(call);
      if (requests === atRequest && how === "before it is answered") await provider.request(call);
      kill("killed");
      return Promise.withResolvers().promise; // nobody is left to be answered
    };
    const isKilled = (await Promise.race([run({ request }, confirmations), killed])) === "killed";
    if (isKilled && how === "and its last line is torn") await tearLastLine(journal);
    return isKilled;
  };

  const expectResumes = async (provider: EIP1193Provider, confirmations: number, kills: string) => {
    await mendJournal(folder, chain.ethers.provider);
    const result = await run(provider, confirmations);
    if (result.type !== DeploymentResultType.SUCCESSFUL_DEPLOYMENT) throw new Error(`${kills}: ${result.type}`);
    const sent = await chain.ethers.provider.getTransactionCount(accounts[0] ?? "");
    expect(sent, `${kills}: every step is sent once`).to.equal(STEPS);
    const addresses: unknown = JSON.parse(await readFile(join(folder, "deployed_addresses.json"), "utf8"));
    expect(addresses, kills).to.deep.equal({ [MANAGER]: result.contracts[MANAGER]?.address });
  };

  for (const how of KILLS) {
    it(`at a request, ${how}, goes on where it stopped, whichever request that is`, async () => {
      const fresh = await chain.networkHelpers.takeSnapshot();
      let atRequest = 1;
      while (atRequest < MAX_KILLS && (await runUntil({ atRequest, how }, chain.provider, 1))) {
        await expectResumes(chain.provider, 1, `killed at request ${atRequest}`);
        await fresh.restore();
        await rm(folder, { recursive: true });
        atRequest++;
      }
      // Each step asks for fees, gas and a simulation, sends, and reads its receipt.
      expect(atRequest).to.be.within(STEPS * 5, MAX_KILLS - 1);
    });
  }

  for (const isMinedAtOnce of [true, false]) {
    it(`several times, by a seed, goes on where it stopped, transactions mined ${isMinedAtOnce ? "at once" : "later"}`, async () => {
      await chain.provider.request({ method: "evm_setAutomine", params: [isMinedAtOnce] });
      const fresh = await chain.networkHelpers.takeSnapshot();
      const confirmations = isMinedAtOnce ? 1 : 2;
      let resumed = 0;
      for (let seed = 0; seed < SEEDS; seed++) {
        const random = createRandom(`${seed}`);
        const provider = isMinedAtOnce ? chain.provider : miningNowAndThen(chain.provider, 3 + random.below(20));
        const kills: Kill[] = [];
        let isKilled = true;
        while (isKilled && kills.length < MAX_KILLS_PER_SEED) {
          const kill = { atRequest: 1 + random.below(40), how: random.pick(KILLS) };
          isKilled = await runUntil(kill, provider, confirmations);
          await mendJournal(folder, chain.ethers.provider);
          kills.push(kill);
        }
        resumed += isKilled ? 1 : 0;
        await expectResumes(provider, confirmations, `seed ${seed}: ${JSON.stringify(kills)}`);
        await fresh.restore();
        await rm(folder, { recursive: true });
      }
      expect(resumed, "seeds whose last kill came before the end").to.be.above(SEEDS / 3);
    });
  }
});

/** A node that mines a block at every so many requests. */
function miningNowAndThen(provider: EIP1193Provider, every: number): EIP1193Provider {
  let requests = 0;
  return {
    async request(call): Promise<unknown> {
      if (++requests % every === 0) await provider.request({ method: "evm_mine" });
      return provider.request(call);
    },
  };
}

async function tearLastLine(path: string): Promise<void> {
  if (!existsSync(path)) return; // killed before its first line
  const text = await readFile(path, "utf8");
  await truncate(path, text.length - Math.ceil((text.length - text.lastIndexOf("\n")) / 2));
}
