// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ITransferRegistry} from "./ITransferRegistry.sol";
import {BatchHeader, MultiProof, RejectedLeaf, Rejection, Transfer} from "./Batch.sol";
import {BatchId} from "./BatchId.sol";
import {BatchHashing} from "./BatchHashing.sol";

/// What settling a batch comes to. All amounts in minor units.
struct Settlement {
    /// source amounts of the transfers that are not rejected; zero where all are
    uint128 settledSource;
    /// their target amounts
    uint128 settledTarget;
    /// the batch's fee, for the settled part of its source total, rounded up
    uint128 fee;
    bytes32 rejectionsHash;
    RejectedLeaf[] rejected;
}

/// @title What a settlement comes to
/// @notice Proves the rejections against the batch and computes what is left to settle.
library Settlements {
    /// @notice Computes the settlement, or reverts with the first rule that the rejections break.
    function compute(
        BatchId batchId,
        BatchHeader memory header,
        Rejection[] calldata rejections,
        MultiProof calldata proof
    ) internal pure returns (Settlement memory s) {
        if (rejections.length == 0) {
            if (proof.siblings.length + proof.flags.length > 0) {
                revert ITransferRegistry.TransferRegistry_InvalidProof(batchId);
            }
            (s.settledSource, s.settledTarget, s.fee) = (header.sourceTotal, header.targetTotal, header.fee);
            return s;
        }

        (uint256 rejectedSource, uint256 rejectedTarget, bytes32[] memory leaves) = _collect(rejections, s);
        if (
            !_isWellFormed(proof, leaves.length) ||
            !MerkleProof.multiProofVerifyCalldata(proof.siblings, proof.flags, header.root, leaves)
        ) revert ITransferRegistry.TransferRegistry_InvalidProof(batchId);
        _subtract(header, rejections.length, rejectedSource, rejectedTarget, s);
        requireRate(header, s.settledSource, s.settledTarget);
        // At most the batch's fee, since what is settled is at most its source total.
        s.fee = uint128(Math.mulDiv(header.fee, s.settledSource, header.sourceTotal, Math.Rounding.Ceil));
    }

    /// @notice Reverts if the target amount is more than the source amount buys at the batch's quote, rounded down. It
    /// must hold for what is settled as it did for the whole: otherwise source and target partner could choose
    /// rejections that refund one currency and not the other, at the provider's cost. Where both currencies are the
    /// same, both amounts must be.
    function requireRate(BatchHeader memory header, uint128 sourceAmount, uint128 targetAmount) internal pure {
        bool exceeded =
            header.sourceCurrency == header.targetCurrency
                ? sourceAmount != targetAmount
                : !header.quote.buys(sourceAmount, targetAmount);
        if (exceeded) revert ITransferRegistry.TransferRegistry_RateExceeded(sourceAmount, targetAmount);
    }

    /// @dev Strictly ascending leaves are distinct leaves: none is refunded twice, even where a tree repeats one.
    function _collect(
        Rejection[] calldata rejections,
        Settlement memory s
    ) private pure returns (uint256 rejectedSource, uint256 rejectedTarget, bytes32[] memory leaves) {
        s.rejected = new RejectedLeaf[](rejections.length);
        leaves = new bytes32[](rejections.length);
        bytes32 previous = 0;
        for (uint256 i = 0; i < rejections.length; ++i) {
            Transfer calldata transfer = rejections[i].transfer;
            bytes4 reason = rejections[i].reason;
            if (reason == 0) revert ITransferRegistry.TransferRegistry_ReasonMissing(i);
            bytes32 leaf = BatchHashing.leafOf(transfer);
            if (leaf <= previous) revert ITransferRegistry.TransferRegistry_RejectionsOutOfOrder(i, previous, leaf);
            previous = leaf;
            leaves[i] = leaf;
            s.rejected[i] = RejectedLeaf(leaf, reason);
            s.rejectionsHash = BatchHashing.chain(s.rejectionsHash, leaf, reason);
            rejectedSource += transfer.sourceAmount;
            rejectedTarget += transfer.targetAmount;
        }
    }

    /// @dev A proof takes each sibling once and joins everything into one root. OpenZeppelin answers one that does not
    /// with an error without values, or a panic.
    function _isWellFormed(MultiProof calldata proof, uint256 leaves) private pure returns (bool) {
        uint256 taken = 0;
        for (uint256 i = 0; i < proof.flags.length; ++i) if (!proof.flags[i]) ++taken;
        return taken == proof.siblings.length && leaves + taken == proof.flags.length + 1;
    }

    /// @dev The ledger sees only the leaves that are rejected, so it can hold them only to what the header says: what
    /// is left must be enough for the transfers that are not rejected, and nothing where there are none.
    function _subtract(
        BatchHeader memory header,
        uint256 rejected,
        uint256 rejectedSource,
        uint256 rejectedTarget,
        Settlement memory s
    ) private pure {
        if (rejectedSource <= header.sourceTotal) s.settledSource = header.sourceTotal - uint128(rejectedSource);
        if (rejectedTarget <= header.targetTotal) s.settledTarget = header.targetTotal - uint128(rejectedTarget);
        bool adds = rejectedSource <= header.sourceTotal && rejectedTarget <= header.targetTotal;
        bool enough =
            rejected >= header.count
                ? rejected == header.count && s.settledSource == 0 && s.settledTarget == 0
                : s.settledSource >= header.count - rejected && s.settledTarget >= header.count - rejected;
        if (!adds || !enough) {
            revert ITransferRegistry.TransferRegistry_TotalsMismatch(rejected, s.settledSource, s.settledTarget);
        }
    }
}
