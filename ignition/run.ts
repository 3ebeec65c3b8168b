import { join } from "node:path";
import {
  errorDeploymentResultToExceptionMessage,
  HardhatArtifactResolver,
} from "@nomicfoundation/hardhat-ignition/helpers";
import {
  deploy,
  DeploymentResultType,
  type Artifact,
  type ArtifactResolver,
  type IgnitionModule,
} from "@nomicfoundation/ignition-core";
import { Interface } from "ethers";
import hre from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { fromHex, toHex, type Hex } from "../src/domain/bytes/hex.ts";
import { ABI, type ContractName } from "../src/ledger/abi.ts";
import { BUILD } from "../src/ledger/deployment/build.ts";
import { mendJournal } from "./journal.ts";
import { artifactName } from "./modules/names.ts";

/**
 * Whose code is deployed on a chain in this process: what the compiler has written last, or what is committed of it, which
 * needs no compiler. Where Ignition keeps a journal it is always the compiler's.
 */
export type CodeSource = "compiler" | "committed";

/** The connection's first account, which deploys. */
export async function deployerOf(connection: NetworkConnection) {
  const [deployer] = await connection.ethers.getSigners();
  if (deployer === undefined) throw new Error(`network ${connection.networkName} has no account to deploy with`);
  return deployer;
}

/**
 * Deploys a module. An interrupted deployment to a network that persists goes on where it stopped.
 * @param deploymentId under which name Ignition keeps its journal
 * @returns where a contract of the module is, by its name there
 */
export async function runModule(
  connection: NetworkConnection,
  module: IgnitionModule,
  deploymentId: string,
  code: CodeSource = "compiler",
): Promise<(name: string) => Promise<Hex>> {
  const { address: deployer } = await deployerOf(connection);
  const isPersistent = connection.networkConfig.type === "http";
  const addressOf = await (isPersistent
    ? deployWithJournal(connection, module, deploymentId, deployer)
    : deployInProcess(connection, module, deployer, code));
  return async (name) => {
    const address = await addressOf(name);
    if (address === undefined) throw new Error(`the deployment has no contract ${name}`);
    return toHex(fromHex(address));
  };
}

type AddressOf = (name: string) => Promise<string | undefined>;

async function deployWithJournal(
  connection: NetworkConnection,
  module: IgnitionModule,
  deploymentId: string,
  defaultSender: string,
): Promise<AddressOf> {
  await mendJournal(join("ignition", "deployments", deploymentId), connection.ethers.provider);
  const deployed: Readonly<Record<string, { getAddress(): Promise<string> } | undefined>> =
    await connection.ignition.deploy(module, { defaultSender, deploymentId });
  return async (name) => deployed[name]?.getAddress();
}

/** A chain in this process is gone with it: there is no journal to keep. */
async function deployInProcess(
  { provider, ethers }: NetworkConnection,
  module: IgnitionModule,
  defaultSender: string,
  code: CodeSource,
): Promise<AddressOf> {
  const files = code === "compiler" ? new HardhatArtifactResolver(hre.artifacts) : COMMITTED;
  const result = await deploy({
    provider,
    artifactResolver: parsedOnce(files),
    ignitionModule: module,
    deploymentParameters: {},
    accounts: (await ethers.getSigners()).map(({ address }) => address),
    defaultSender,
  });
  if (result.type !== DeploymentResultType.SUCCESSFUL_DEPLOYMENT) {
    throw new Error(errorDeploymentResultToExceptionMessage(result));
  }
  const { contracts } = result;
  return (name) => Promise.resolve(contracts[module.results[name]?.id ?? ""]?.address);
}

/** All that is asked for where no journal is kept. */
type ArtifactFiles = Pick<ArtifactResolver, "loadArtifact">;

const COMMITTED: ArtifactFiles = {
  loadArtifact(name) {
    const known = Object.keys(ABI) as ContractName[]; // its own keys
    const contract = known.find((each) => artifactName(each) === name);
    if (contract === undefined) return Promise.reject(new Error(`no code of ${name} is committed`));
    return Promise.resolve({
      _format: "hh3-artifact-1",
      contractName: name,
      sourceName: name,
      abi: ABI[contract].fragments,
      bytecode: BUILD[contract].creation,
      deployedBytecode: BUILD[contract].runtime,
      linkReferences: {},
      deployedLinkReferences: {},
    });
  },
};

/** Ignition parses the ABI of a contract several times for each call of it, which is most of what a deployment costs. */
function parsedOnce(files: ArtifactFiles): ArtifactResolver {
  const parsed = new Map<string, Promise<Artifact>>();
  const parse = async (contract: string): Promise<Artifact> => {
    const artifact = await files.loadArtifact(contract);
    return { ...artifact, abi: Interface.from(artifact.abi).fragments };
  };
  return {
    loadArtifact(contract) {
      const artifact = parsed.get(contract) ?? parse(contract);
      parsed.set(contract, artifact);
      return artifact;
    },
    // That is for the journal's folder.
    getBuildInfo: () => Promise.resolve(undefined),
  };
}
