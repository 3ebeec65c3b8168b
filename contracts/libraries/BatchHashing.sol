// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, Quote, RejectedLeaf, Transfer} from "../types/Batch.sol";
import {BatchId} from "../types/BatchId.sol";

/// @title Hashes of the protocol
/// @notice EIP-712 struct hashes, Merkle leaves and the rejections hash. Signers, relays and this ledger compute the
/// same values: `vectors/protocol.json` proves it.
library BatchHashing {
    bytes internal constant QUOTE_TYPE =
        "Quote(uint16 provider,uint16 taker,uint16 sourceCurrency,uint16 targetCurrency,uint128 rateNumerator,"
        "uint128 rateDenominator,uint128 capacity,uint48 validUntil,uint32 maxHold,uint64 nonce)";

    bytes32 internal constant QUOTE_TYPEHASH = keccak256(QUOTE_TYPE);

    /// The hash of the quote that a same-currency batch carries: every field zero.
    bytes32 internal constant NO_QUOTE_HASH = keccak256(abi.encode(QUOTE_TYPEHASH, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));

    bytes32 internal constant BATCH_TYPEHASH = keccak256(
        bytes.concat(
            "Batch(uint16 source,uint16 target,uint16 sourceCurrency,uint16 targetCurrency,uint32 count,"
            "uint128 sourceTotal,uint128 targetTotal,uint128 fee,uint48 expiresAt,bytes32 root,Quote quote)",
            QUOTE_TYPE
        )
    );

    bytes32 internal constant SETTLEMENT_TYPEHASH = keccak256("Settlement(bytes32 batchId,bytes32 rejectionsHash)");

    /// @notice EIP-712 hashStruct of a quote.
    function hashQuote(Quote calldata quote) internal pure returns (bytes32) {
        // A struct of value types encodes as its fields in order, which is what hashStruct asks for.
        return keccak256(abi.encode(QUOTE_TYPEHASH, quote));
    }

    /// @notice EIP-712 hashStruct of a batch header.
    function hashBatch(BatchHeader calldata header, bytes32 quoteHash) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    BATCH_TYPEHASH,
                    header.source,
                    header.target,
                    header.sourceCurrency,
                    header.targetCurrency,
                    header.count,
                    header.sourceTotal,
                    header.targetTotal,
                    header.fee,
                    header.expiresAt,
                    header.root,
                    quoteHash
                )
            );
    }

    /// @notice EIP-712 hashStruct of a settlement.
    function hashSettlement(BatchId batchId, bytes32 rejectionsHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(SETTLEMENT_TYPEHASH, batchId, rejectionsHash));
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
