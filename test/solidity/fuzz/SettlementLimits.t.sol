// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITransferRegistry} from "../../../contracts/remittance/ITransferRegistry.sol";
import {Settlement} from "../../../contracts/remittance/Settlements.sol";
import {BatchHeader, MultiProof, Rejection, Transfer} from "../../../contracts/remittance/Batch.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {ProtocolHarness} from "../../contracts/helpers/ProtocolHarness.sol";
import {vm} from "../support/Vm.sol";
import {DrawnBatches} from "./DrawnBatches.sol";

/// What settling comes to, at rates and amounts of every magnitude.
contract SettlementLimitsTest is DrawnBatches {
    ProtocolHarness internal harness;

    function setUp() external {
        harness = new ProtocolHarness();
    }

    function testFuzz_AnyRejectionsOfAnHonestBatch(BatchId batchId, uint256 seed, uint16 mask) external view {
        (Transfer[] memory transfers, BatchHeader memory header) = _drawBatch(seed);
        _check(batchId, header, transfers, mask, seed);
    }

    function testFuzz_SameCurrencyMeansSameAmount(
        BatchHeader memory header,
        uint128 sourceAmount,
        uint128 targetAmount
    ) external {
        header.targetCurrency = header.sourceCurrency;
        harness.requireRate(header, sourceAmount, sourceAmount);
        vm.assume(sourceAmount != targetAmount);
        vm.expectRevert(
            abi.encodeWithSelector(ITransferRegistry.TransferRegistry_RateExceeded.selector, sourceAmount, targetAmount)
        );
        harness.requireRate(header, sourceAmount, targetAmount);
    }

    /// A source partner may spread the target total over the transfers as it likes. Whatever is rejected then, what
    /// settles is at the provider's rate or refused, and in one currency the same on both sides or refused.
    function testFuzz_UnevenBatchNeverCostsTheProvider(BatchId batchId, uint256 seed, uint16 mask) external {
        (Transfer[] memory transfers, BatchHeader memory header) = _drawBatch(seed);
        _spreadTargets(transfers, seed);
        _sumUp(transfers, header);
        (uint256 source, uint256 target) = _keptBy(transfers, mask);
        bool hasRejections = mask & ((1 << transfers.length) - 1) > 0;
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, mask, "AC03");
        bool exceeded =
            header.quote.rateDenominator == 0
                ? target != source
                : target * header.quote.rateDenominator > source * header.quote.rateNumerator;
        if (hasRejections && exceeded) {
            vm.expectRevert(
                abi.encodeWithSelector(ITransferRegistry.TransferRegistry_RateExceeded.selector, source, target)
            );
        }
        Settlement memory s = harness.compute(batchId, header, rejections, proof);
        if (hasRejections && exceeded) return;
        vm.assertEq(s.settledSource, source, "settled source amount");
        vm.assertEq(s.settledTarget, target, "settled target amount");
        vm.assertFalse(exceeded, "above the rate");
    }

    function _check(
        BatchId batchId,
        BatchHeader memory header,
        Transfer[] memory transfers,
        uint256 mask,
        uint256 seed
    ) private view returns (Settlement memory s) {
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, mask, "AC03");
        for (uint256 i = 0; i < rejections.length; ++i) {
            rejections[i].reason = bytes4(uint32(bound(draw(seed, "reason") >> i, 1, type(uint32).max)));
        }
        s = harness.compute(batchId, header, rejections, proof);
        _checkAmounts(header, transfers, mask, s);
        _checkRejected(rejections, s);
    }

    function _checkAmounts(
        BatchHeader memory header,
        Transfer[] memory transfers,
        uint256 mask,
        Settlement memory s
    ) private pure {
        (uint256 rejectedSource, uint256 rejectedTarget) = _keptBy(transfers, ~mask);
        vm.assertEq(s.settledSource + rejectedSource, header.sourceTotal, "source: settled and refunded");
        vm.assertEq(s.settledTarget + rejectedTarget, header.targetTotal, "target: settled and refunded");
        if (header.quote.rateDenominator == 0) {
            vm.assertEq(s.settledTarget, s.settledSource, "same currency, same amount");
        } else {
            uint256 bought = (uint256(s.settledSource) * header.quote.rateNumerator) / header.quote.rateDenominator;
            vm.assertLe(s.settledTarget, bought, "the provider's rate");
        }
        vm.assertLe(s.fee, header.fee, "fee of a part");
        // Rounded up, by multiplication only: the least fee that is not below the exact share.
        uint256 share = uint256(header.fee) * s.settledSource;
        vm.assertGe(uint256(s.fee) * header.sourceTotal, share, "fee not below its share");
        if (s.fee > 0) vm.assertGt(share, uint256(s.fee - 1) * header.sourceTotal, "fee less one below its share");
    }

    function _checkRejected(Rejection[] memory rejections, Settlement memory s) private view {
        if (rejections.length == 0) {
            vm.assertEq(s.rejected.length, 0, "rejected leaves");
            return;
        }
        vm.assertEq(s.rejected.length, rejections.length, "rejected leaves");
        bytes32 previous = 0;
        for (uint256 i = 0; i < rejections.length; ++i) {
            vm.assertEq(s.rejected[i].leaf, MerkleTree.leafOf(rejections[i].transfer), "leaf");
            vm.assertTrue(s.rejected[i].reason == rejections[i].reason, "reason");
            vm.assertTrue(s.rejected[i].leaf > previous, "ascending leaves");
            previous = s.rejected[i].leaf;
        }
        vm.assertEq(s.rejectionsHash, harness.hashRejections(s.rejected), "rejections hash");
    }

    /// Moves target amounts between the transfers, of which each keeps one minor unit at least.
    function _spreadTargets(Transfer[] memory transfers, uint256 seed) private pure {
        for (uint256 i = 1; i < transfers.length; ++i) {
            uint128 moved = uint128(_drawBetween(draw(seed, bytes32(i)), "moved", 0, transfers[i].targetAmount - 1));
            transfers[i].targetAmount -= moved;
            transfers[i - 1].targetAmount += moved;
        }
    }

    /// Sums of the transfers that the mask does not reject.
    function _keptBy(Transfer[] memory transfers, uint256 mask) private pure returns (uint256 source, uint256 target) {
        for (uint256 i = 0; i < transfers.length; ++i) {
            if ((mask >> i) & 1 == 1) continue;
            source += transfers[i].sourceAmount;
            target += transfers[i].targetAmount;
        }
    }
}
