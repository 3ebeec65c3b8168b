import type { TypedDataField } from "ethers";

/** What a target partner signs before a batch is opened, for ethers' `signTypedData`. */
export const ACCEPTANCE_TYPES: Record<"Acceptance", TypedDataField[]> = {
  Acceptance: [
    { name: "batchId", type: "bytes32" },
    { name: "validUntil", type: "uint48" },
  ],
};
