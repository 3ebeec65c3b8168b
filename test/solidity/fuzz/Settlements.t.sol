// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITransferRegistry} from "../../../contracts/remittance/ITransferRegistry.sol";
import {Settlement} from "../../../contracts/remittance/Settlements.sol";
import {BatchHeader, MultiProof, Rejection, Transfer} from "../../../contracts/remittance/Batch.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {Computing} from "../support/Computing.sol";
import {TestBase} from "../support/TestBase.sol";
import {vm} from "../support/Vm.sol";

/// What a settlement comes to: nothing is lost, nobody is charged too much, and no choice of rejections beats the rate.
contract SettlementsTest is TestBase {
    BatchId private constant BATCH_ID = BatchId.wrap(keccak256("batch"));

    Computing private computing;

    function setUp() public {
        computing = new Computing();
    }

    /// Any batch that adds up, any rejections: settled and refunded make the whole, in both currencies.
    function testFuzz_SettledAndRefundedMakeTheWhole(uint256 seed, uint256 mask) public view {
        (BatchHeader memory header, Transfer[] memory transfers) = _honest(seed);
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, mask, "AC03");
        Settlement memory s = computing.compute(BATCH_ID, header, rejections, proof);
        (uint256 source, uint256 target) = _sum(rejections);
        vm.assertEq(s.settledSource + source, header.sourceTotal, "source settled and refunded");
        vm.assertEq(s.settledTarget + target, header.targetTotal, "target settled and refunded");
        vm.assertEq(s.rejected.length, rejections.length, "rejected transfers");
        for (uint256 i = 0; i < rejections.length; ++i) {
            vm.assertEq(s.rejected[i].leaf, MerkleTree.leafOf(rejections[i].transfer), "rejected leaf");
            vm.assertEq(s.rejected[i].reason, bytes4("AC03"), "reason");
        }
    }

    /// The fee is the settled part of the batch's fee, rounded up to a whole minor unit and never above the whole.
    function testFuzz_FeeIsTheSettledPart(uint256 seed, uint256 mask, uint128 fee) public view {
        (BatchHeader memory header, Transfer[] memory transfers) = _honest(seed);
        header.fee = fee;
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, mask, "AC03");
        Settlement memory s = computing.compute(BATCH_ID, header, rejections, proof);
        uint256 exact = uint256(fee) * s.settledSource;
        vm.assertLe(s.fee, fee, "fee, and the batch's");
        vm.assertGe(uint256(s.fee) * header.sourceTotal, exact, "fee, rounded up");
        if (s.fee > 0) vm.assertGt(exact, uint256(s.fee - 1) * header.sourceTotal, "fee, by less than one unit");
        if (rejections.length == 0) vm.assertEq(s.fee, fee, "fee without rejections");
        if (rejections.length == transfers.length) vm.assertEq(s.fee, 0, "fee where all is rejected");
    }

    /// Target amounts dealt out at will: whatever settles is at the provider's rate or below it, and what would not be
    /// is refused for that and no other reason.
    function testFuzz_RateHoldsAfterAnyRejections(uint256 seed, uint256 mask) public view {
        (BatchHeader memory header, Transfer[] memory transfers) = _dealtOut(seed);
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, mask, "AC03");
        vm.assume(rejections.length > 0);
        (uint256 source, uint256 target) = _sum(rejections);
        source = header.sourceTotal - source;
        target = header.targetTotal - target;
        uint256 most = source * header.quote.rateNumerator;
        try computing.compute(BATCH_ID, header, rejections, proof) returns (Settlement memory s) {
            vm.assertLe(
                uint256(s.settledTarget) * header.quote.rateDenominator,
                most,
                "settled, and the provider's rate"
            );
        } catch (bytes memory reason) {
            vm.assertEq(bytes4(reason), ITransferRegistry.TransferRegistry_RateExceeded.selector, "error");
            vm.assertGt(target * header.quote.rateDenominator, most, "refused, and above the provider's rate");
        }
    }

    /// In one currency, what is rejected leaves the same on both sides or is refused.
    function testFuzz_OneCurrencySettlesOneAmount(uint256 seed, uint256 mask) public view {
        (BatchHeader memory header, Transfer[] memory transfers) = _dealtOut(seed);
        header.targetCurrency = header.sourceCurrency;
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, mask, "AC03");
        vm.assume(rejections.length > 0);
        try computing.compute(BATCH_ID, header, rejections, proof) returns (Settlement memory s) {
            vm.assertEq(s.settledSource, s.settledTarget, "settled of both sides");
        } catch (bytes memory reason) {
            vm.assertEq(bytes4(reason), ITransferRegistry.TransferRegistry_RateExceeded.selector, "error");
        }
    }

    /// A header that says something else than its tree: what is left carries every transfer left, or it is refused.
    function testFuzz_HeadersThatDoNotAddUp(
        uint256 seed,
        uint256 mask,
        uint32 count,
        uint128 sourceTotal,
        uint128 targetTotal
    ) public view {
        (BatchHeader memory header, Transfer[] memory transfers) = _honest(seed);
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, mask, "AC03");
        vm.assume(rejections.length > 0);
        (uint256 source, uint256 target) = _sum(rejections);
        header.count = uint32(bound(count, 1, 2 * transfers.length));
        header.sourceTotal = bound128(sourceTotal, source / 2, 2 * source + 2);
        header.targetTotal = bound128(targetTotal, target / 2, 2 * target + 2);
        (header.quote.rateNumerator, header.quote.rateDenominator) = (type(uint128).max, 1);
        uint256 left = header.count > rejections.length ? header.count - rejections.length : 0;
        try computing.compute(BATCH_ID, header, rejections, proof) returns (Settlement memory s) {
            vm.assertEq(s.settledSource + source, header.sourceTotal, "source settled and refunded");
            vm.assertEq(s.settledTarget + target, header.targetTotal, "target settled and refunded");
            vm.assertGe(s.settledSource, left, "source settled, and transfers left");
            vm.assertGe(s.settledTarget, left, "target settled, and transfers left");
            vm.assertGe(header.count, rejections.length, "count, and rejections");
            if (left == 0) vm.assertEq(s.settledSource + s.settledTarget, 0, "settled, with nothing left");
        } catch (bytes memory reason) {
            vm.assertEq(bytes4(reason), ITransferRegistry.TransferRegistry_TotalsMismatch.selector, "error");
        }
    }

    /// The widest amounts there are: the protocol's errors, never an overflow.
    function testFuzz_WidestAmountsNeverOverflow(uint256 seed, uint256 mask, BatchHeader memory header) public view {
        Transfer[] memory transfers = new Transfer[](1 + (seed % 4));
        for (uint256 i = 0; i < transfers.length; ++i) {
            uint256 own = uint256(keccak256(abi.encode(seed, i)));
            uint128 amount = own % 3 == 0 ? type(uint128).max : uint128(own >> 128);
            transfers[i] = Transfer(bytes16(uint128(own)), amount, own % 5 == 0 ? 0 : ~amount, bytes32(own));
        }
        header.root = MerkleTree.build(transfers)[0];
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, mask, "AC03");
        if (header.sourceTotal == 0) header.sourceTotal = 1;
        try computing.compute(BATCH_ID, header, rejections, proof) returns (Settlement memory s) {
            vm.assertLe(s.settledSource, header.sourceTotal, "settled source");
            vm.assertLe(s.settledTarget, header.targetTotal, "settled target");
            vm.assertLe(s.fee, header.fee, "fee");
        } catch (bytes memory reason) {
            bool known =
                bytes4(reason) == ITransferRegistry.TransferRegistry_RateExceeded.selector ||
                    bytes4(reason) == ITransferRegistry.TransferRegistry_TotalsMismatch.selector;
            vm.assertTrue(known, "an error of the protocol's");
        }
    }

    function test_WidestBatchSettles() public view {
        BatchHeader memory header = _exchange(1, 1);
        Transfer[] memory transfers = new Transfer[](2);
        transfers[0] = Transfer(bytes16(uint128(1)), type(uint128).max - 1, type(uint128).max - 1, 0);
        transfers[1] = Transfer(bytes16(uint128(2)), 1, 1, 0);
        _addUp(header, transfers);
        header.fee = type(uint128).max;
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, 2, "AC03");
        Settlement memory s = computing.compute(BATCH_ID, header, rejections, proof);
        vm.assertEq(s.settledSource, type(uint128).max - 1, "settled source");
        vm.assertEq(s.fee, type(uint128).max - 1, "fee");
    }

    /// The rate is compared exactly: one minor unit more is refused, whatever the size of amounts and rate.
    function testFuzz_RateIsExact(uint128 source, uint128 numerator, uint128 denominator) public {
        source = bound128(source, 1, type(uint128).max);
        numerator = bound128(numerator, 1, type(uint128).max);
        denominator = bound128(denominator, 1, type(uint128).max);
        BatchHeader memory header = _exchange(numerator, denominator);
        uint256 most = (uint256(source) * numerator) / denominator;
        if (most > type(uint128).max) {
            computing.requireRate(header, source, type(uint128).max);
            return;
        }
        computing.requireRate(header, source, uint128(most));
        if (most == type(uint128).max) return;
        uint128 more = uint128(most) + 1;
        vm.expectRevert(abi.encodeWithSelector(ITransferRegistry.TransferRegistry_RateExceeded.selector, source, more));
        computing.requireRate(header, source, more);
    }

    /// Rounded down transfer by transfer, a batch never comes to more than the rate of its total.
    function testFuzz_RoundingDownEachKeepsTheRateOfAll(uint256 seed, uint256 mask) public view {
        (BatchHeader memory header, Transfer[] memory transfers) = _honest(seed);
        uint128 source = 0;
        uint128 target = 0;
        for (uint256 i = 0; i < transfers.length; ++i) {
            if ((mask >> i) & 1 == 1) continue;
            source += transfers[i].sourceAmount;
            target += transfers[i].targetAmount;
        }
        computing.requireRate(header, source, target);
    }

    /// A batch as an honest relay makes it: each transfer's target amount is rounded down, and none is zero.
    function _honest(uint256 seed) private pure returns (BatchHeader memory header, Transfer[] memory transfers) {
        uint256 numerator = bound(draw(seed, "numerator"), 1, 2 ** (draw(seed, "wide") % 64));
        uint256 denominator = bound(draw(seed, "denominator"), 1, 2 ** (draw(seed, "wide too") % 64));
        header = _exchange(uint128(numerator), uint128(denominator));
        transfers = new Transfer[](1 + (draw(seed, "count") % 9));
        // Sizes up to what a batch may be in all, 2^112, and from what buys one minor unit.
        uint256 least = (denominator + numerator - 1) / numerator;
        uint256 most = type(uint112).max / transfers.length;
        if (most > type(uint112).max / numerator) most = type(uint112).max / numerator + least;
        for (uint256 i = 0; i < transfers.length; ++i) {
            uint256 own = uint256(keccak256(abi.encode(seed, i)));
            uint256 amount = bound(own, least, own % 2 == 0 ? least + 100 : most + least);
            uint128 target = uint128((amount * numerator) / denominator);
            transfers[i] = Transfer(bytes16(uint128(own)), uint128(amount), target, bytes32(own));
        }
        _addUp(header, transfers);
        header.fee = uint128((uint256(header.sourceTotal) * (draw(seed, "fee") % 1_001) + 9_999) / 10_000);
    }

    /// A batch whose totals are at the rate of 1 and whose transfers need not be.
    function _dealtOut(uint256 seed) private pure returns (BatchHeader memory header, Transfer[] memory transfers) {
        header = _exchange(1, 1);
        transfers = new Transfer[](2 + (draw(seed, "count") % 6));
        for (uint256 i = 0; i < transfers.length; ++i) {
            uint256 own = uint256(keccak256(abi.encode(seed, i)));
            transfers[i] = Transfer(bytes16(uint128(own)), uint128(2 + (own % 20)), 0, bytes32(own));
        }
        for (uint256 i = 0; i < transfers.length; ++i) {
            transfers[i].targetAmount = transfers[transfers.length - 1 - i].sourceAmount;
        }
        _addUp(header, transfers);
    }

    function _exchange(uint128 numerator, uint128 denominator) private pure returns (BatchHeader memory header) {
        header.sourceCurrency = CurrencyCode.wrap(344);
        header.targetCurrency = CurrencyCode.wrap(608);
        header.quote.provider = PartnerId.wrap(11);
        header.quote.rateNumerator = numerator;
        header.quote.rateDenominator = denominator;
    }

    function _addUp(BatchHeader memory header, Transfer[] memory transfers) private pure {
        header.count = uint32(transfers.length);
        for (uint256 i = 0; i < transfers.length; ++i) {
            header.sourceTotal += transfers[i].sourceAmount;
            header.targetTotal += transfers[i].targetAmount;
        }
        header.root = MerkleTree.build(transfers)[0];
    }

    function _sum(Rejection[] memory rejections) private pure returns (uint256 source, uint256 target) {
        for (uint256 i = 0; i < rejections.length; ++i) {
            source += rejections[i].transfer.sourceAmount;
            target += rejections[i].transfer.targetAmount;
        }
    }
}
