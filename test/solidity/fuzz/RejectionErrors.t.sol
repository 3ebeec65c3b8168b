// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITransferRegistry} from "../../../contracts/remittance/ITransferRegistry.sol";
import {Settlement} from "../../../contracts/remittance/Settlements.sol";
import {BatchHeader, MultiProof, Rejection, Transfer} from "../../../contracts/remittance/Batch.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {ProtocolHarness} from "../../contracts/helpers/ProtocolHarness.sol";
import {vm} from "../support/Vm.sol";
import {DrawnBatches} from "./DrawnBatches.sol";

/// Proofs and totals that are off by one step, and the exact error for each.
contract RejectionErrorsTest is DrawnBatches {
    BatchId internal constant BATCH = BatchId.wrap(keccak256("batch"));

    struct Case {
        Transfer[] transfers;
        BatchHeader header;
        Rejection[] rejections;
        MultiProof proof;
    }

    ProtocolHarness internal harness;

    function setUp() external {
        harness = new ProtocolHarness();
    }

    function testFuzz_RevertWhen_ASiblingIsChanged(uint256 seed, uint16 mask, uint256 index, uint8 bit) external {
        Case memory c = _draw(seed, mask, 1);
        if (c.proof.siblings.length == 0) return;
        c.proof.siblings[index % c.proof.siblings.length] ^= bytes32(1 << bit);
        _expectInvalidProof();
        _compute(c);
    }

    function testFuzz_RevertWhen_TheRootIsAnothers(uint256 seed, uint16 mask, bytes32 root) external {
        Case memory c = _draw(seed, mask, 1);
        vm.assume(root != c.header.root);
        c.header.root = root;
        _expectInvalidProof();
        _compute(c);
    }

    function testFuzz_RevertWhen_TheProofHasTheWrongLength(
        uint256 seed,
        uint16 mask,
        bytes32[] calldata moreSiblings,
        bool[] calldata moreFlags
    ) external {
        Case memory c = _draw(seed, mask, 1);
        vm.assume(moreSiblings.length != moreFlags.length);
        bytes32[] memory siblings = new bytes32[](c.proof.siblings.length + moreSiblings.length);
        bool[] memory flags = new bool[](c.proof.flags.length + moreFlags.length);
        for (uint256 i = 0; i < siblings.length; ++i) {
            uint256 own = c.proof.siblings.length;
            siblings[i] = i < own ? c.proof.siblings[i] : moreSiblings[i - own];
        }
        for (uint256 i = 0; i < flags.length; ++i) {
            uint256 own = c.proof.flags.length;
            flags[i] = i < own ? c.proof.flags[i] : moreFlags[i - own];
        }
        c.proof = MultiProof(siblings, flags);
        _expectInvalidProof();
        _compute(c);
    }

    /// The root as the only sibling proves an empty list, says OpenZeppelin: here it must not.
    function testFuzz_RevertWhen_NothingIsRejectedWithTheRoot(uint256 seed) external {
        Case memory c = _draw(seed, 0, 0);
        c.proof.siblings = new bytes32[](1);
        c.proof.siblings[0] = c.header.root;
        bytes32[] memory none = new bytes32[](0);
        vm.assertTrue(harness.verifyMultiProof(c.proof.siblings, c.proof.flags, c.header.root, none), "premise");
        _expectInvalidProof();
        _compute(c);
    }

    /// A header that its tree does not add up to, by a few units in any of its totals, against the rule in words: what
    /// is left is enough for the transfers that are left, and nothing where none are.
    function testFuzz_TotalsThatDoNotAddUp(
        uint256 seed,
        uint16 mask,
        uint8 missing,
        uint8 sourceStep,
        uint8 targetStep
    ) external {
        Case memory c = _draw(seed, mask, 1);
        // A rate that never binds: anything at all buys whatever there is.
        (c.header.quote.rateNumerator, c.header.quote.rateDenominator) = (type(uint128).max, 1);
        c.header.targetCurrency = CurrencyCode.wrap(608);
        (uint256 source, uint256 target) = _sumOf(c.rejections);
        uint256 left = missing % 5;
        // The header counts one transfer less than are rejected, or up to three more. Its totals are at most two units
        // away from what those need.
        c.header.count = uint32(c.rejections.length + left - (left == 4 ? 5 : 0));
        if (left == 4) left = 0;
        c.header.sourceTotal = _clamp(source + left + (sourceStep % 4), 2);
        c.header.targetTotal = _clamp(target + left + (targetStep % 4), 2);

        (bool sourceFits, uint256 sourceLeft) = _subtract(c.header.sourceTotal, source);
        (bool targetFits, uint256 targetLeft) = _subtract(c.header.targetTotal, target);
        bool fits = sourceFits && targetFits && c.rejections.length <= c.header.count;
        if (fits) {
            uint256 others = c.header.count - c.rejections.length;
            fits = others == 0 ? sourceLeft + targetLeft == 0 : sourceLeft >= others && targetLeft >= others;
        }
        if (!fits) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    ITransferRegistry.TransferRegistry_TotalsMismatch.selector,
                    c.rejections.length,
                    sourceLeft,
                    targetLeft
                )
            );
        }
        Settlement memory s = _compute(c);
        if (!fits) return;
        vm.assertEq(s.settledSource, sourceLeft, "settled source amount");
        vm.assertEq(s.settledTarget, targetLeft, "settled target amount");
    }

    /// Amounts whose sum leaves the type, under a header that cannot hold them.
    function testFuzz_RevertWhen_AmountsOverflow(uint256 seed, uint128 sourceTotal, uint128 targetTotal) external {
        Case memory c = _draw(seed, 0, 2);
        for (uint256 i = 0; i < c.transfers.length; ++i) {
            c.transfers[i].sourceAmount = type(uint128).max;
            c.transfers[i].targetAmount = type(uint128).max;
        }
        (c.rejections, c.proof) = MerkleTree.reject(c.transfers, type(uint256).max, "AC03");
        c.header.root = MerkleTree.build(c.transfers)[0];
        (c.header.sourceTotal, c.header.targetTotal) = (sourceTotal, targetTotal);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITransferRegistry.TransferRegistry_TotalsMismatch.selector,
                c.rejections.length,
                0,
                0
            )
        );
        _compute(c);
    }

    /// @param least number of rejections; at most two
    function _draw(uint256 seed, uint16 mask, uint256 least) private pure returns (Case memory c) {
        (c.transfers, c.header) = _drawBatch(seed);
        if (c.transfers.length < least) {
            c.transfers = new Transfer[](least);
            for (uint256 i = 0; i < least; ++i) {
                c.transfers[i] = _drawTransfer(draw(seed, bytes32(i)), c.header.quote, MAX_AMOUNT / least);
            }
            _sumUp(c.transfers, c.header);
        }
        // Enough of them, wherever they are.
        uint256 always = ((1 << least) - 1) << ((seed >> 128) % (c.transfers.length - (least > 0 ? least - 1 : 0)));
        uint256 rejected = least == 0 ? 0 : mask | always;
        (c.rejections, c.proof) = MerkleTree.reject(c.transfers, rejected, "AC03");
    }

    function _compute(Case memory c) private view returns (Settlement memory) {
        return harness.compute(BATCH, c.header, c.rejections, c.proof);
    }

    function _expectInvalidProof() private {
        vm.expectRevert(abi.encodeWithSelector(ITransferRegistry.TransferRegistry_InvalidProof.selector, BATCH));
    }

    function _sumOf(Rejection[] memory rejections) private pure returns (uint256 source, uint256 target) {
        for (uint256 i = 0; i < rejections.length; ++i) {
            source += rejections[i].transfer.sourceAmount;
            target += rejections[i].transfer.targetAmount;
        }
    }

    function _clamp(uint256 value, uint256 less) private pure returns (uint128) {
        uint256 lowered = value < less ? 0 : value - less;
        return lowered > MAX_AMOUNT ? type(uint128).max : uint128(lowered);
    }

    function _subtract(uint256 total, uint256 part) private pure returns (bool fits, uint256 left) {
        return total < part ? (false, 0) : (true, total - part);
    }
}
