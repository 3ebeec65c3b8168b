// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {QUOTE_TYPE} from "../types/Quote.sol";
import {BatchHeader, RejectedLeaf, Transfer} from "./Batch.sol";
import {BatchId} from "./BatchId.sol";

/// @title Hashes of the protocol
/// @notice EIP-712 struct hashes, Merkle leaves and the rejections hash. Signers, relays and this ledger compute the
/// same values: `vectors/protocol.json` proves it.
library BatchHashing {
    bytes32 internal constant BATCH_TYPEHASH = keccak256(
        bytes.concat(
            "Batch(uint16 source,uint16 target,uint16 sourceCurrency,uint16 targetCurrency,uint32 count,"
            "uint128 sourceTotal,uint128 targetTotal,uint128 fee,uint48 expiresAt,bytes32 root,Quote quote)",
            QUOTE_TYPE
        )
    );

    bytes32 internal constant SETTLEMENT_TYPEHASH = keccak256("Settlement(bytes32 batchId,bytes32 rejectionsHash)");

    bytes32 internal constant ACCEPTANCE_TYPEHASH = keccak256("Acceptance(bytes32 batchId,uint48 validUntil)");

    /// @notice EIP-712 hashStruct of a batch header.
    /// @param quoteHash that of the header's quote
    /// @dev The fields before the quote lie in memory as they encode, a word each; the last word is where the quote is.
    function hashBatch(BatchHeader memory header, bytes32 quoteHash) internal pure returns (bytes32 hash) {
        bytes32 typeHash = BATCH_TYPEHASH;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let encoded := mload(0x40)
            mstore(encoded, typeHash)
            mcopy(add(encoded, 0x20), header, 0x140)
            mstore(add(encoded, 0x160), quoteHash)
            hash := keccak256(encoded, 0x180)
        }
    }

    /// @notice EIP-712 hashStruct of a settlement.
    function hashSettlement(BatchId batchId, bytes32 rejectionsHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(SETTLEMENT_TYPEHASH, batchId, rejectionsHash));
    }

    /// @notice EIP-712 hashStruct of an acceptance.
    function hashAcceptance(BatchId batchId, uint48 validUntil) internal pure returns (bytes32) {
        return keccak256(abi.encode(ACCEPTANCE_TYPEHASH, batchId, validUntil));
    }

    /// @notice Merkle leaf of a transfer: hashed twice, so that no inner node of a tree can pass for one.
    function leafOf(Transfer calldata transfer) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(transfer))));
    }

    /// @notice Adds one rejection to a rejections hash; the hash of no rejections is zero.
    function chain(bytes32 rejectionsHash, bytes32 leaf, bytes4 reason) internal pure returns (bytes32) {
        return keccak256(abi.encode(rejectionsHash, leaf, reason));
    }

    /// @notice Hash of a list of rejections, in its order.
    function hashRejections(RejectedLeaf[] calldata rejected) internal pure returns (bytes32 rejectionsHash) {
        for (uint256 i = 0; i < rejected.length; ++i) {
            rejectionsHash = chain(rejectionsHash, rejected[i].leaf, rejected[i].reason);
        }
    }
}
