// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Settlement, Settlements} from "../../../contracts/remittance/Settlements.sol";
import {BatchHeader, MultiProof, Rejection} from "../../../contracts/remittance/Batch.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";

/// The settlement library on its own, for calls with calldata.
contract Computing {
    function compute(
        BatchId batchId,
        BatchHeader calldata header,
        Rejection[] calldata rejections,
        MultiProof calldata proof
    ) external pure returns (Settlement memory) {
        return Settlements.compute(batchId, header, rejections, proof);
    }

    function requireRate(BatchHeader calldata header, uint128 sourceAmount, uint128 targetAmount) external pure {
        Settlements.requireRate(header, sourceAmount, targetAmount);
    }
}
