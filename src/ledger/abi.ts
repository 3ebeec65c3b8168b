import { Interface } from "ethers";
import accessManager from "../../artifacts/@openzeppelin/contracts/access/manager/AccessManager.sol/AccessManager.json" with { type: "json" };
import partnerRegistry from "../../artifacts/contracts/PartnerRegistry.sol/PartnerRegistry.json" with { type: "json" };
import settlementToken from "../../artifacts/contracts/SettlementToken.sol/SettlementToken.json" with { type: "json" };
import transferRegistry from "../../artifacts/contracts/TransferRegistry.sol/TransferRegistry.json" with { type: "json" };
import treasury from "../../artifacts/contracts/Treasury.sol/Treasury.json" with { type: "json" };

/** The interfaces of the ledger's contracts, as the compiler wrote them (`npm run build`). */
export const ABI = {
  accessManager: new Interface(accessManager.abi),
  partnerRegistry: new Interface(partnerRegistry.abi),
  settlementToken: new Interface(settlementToken.abi),
  transferRegistry: new Interface(transferRegistry.abi),
  treasury: new Interface(treasury.abi),
} as const;

export type ContractName = keyof typeof ABI;
