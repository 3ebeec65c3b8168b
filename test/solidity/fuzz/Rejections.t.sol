// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ITransferRegistry} from "../../../contracts/remittance/ITransferRegistry.sol";
import {BatchHeader, MultiProof, Rejection, Transfer} from "../../../contracts/remittance/Batch.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {Computing} from "../support/Computing.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {TestBase} from "../support/TestBase.sol";
import {vm} from "../support/Vm.sol";

/// Only transfers of the batch can be rejected, each once.
contract RejectionsTest is TestBase {
    BatchId private constant BATCH_ID = BatchId.wrap(keccak256("batch"));

    Computing private computing;

    function setUp() public {
        computing = new Computing();
    }

    /// A transfer of the batch with any one thing about it changed, under the proof of the real one.
    function testFuzz_OtherTransfersAreNotInTheBatch(uint256 seed, uint256 mask, uint256 flip) public {
        (BatchHeader memory header, Transfer[] memory transfers) = _batch(seed);
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, mask, "AC03");
        vm.assume(rejections.length > 0);
        bytes memory fields = abi.encode(rejections[0].transfer);
        // The first member is left in its word, the others right: flip a bit that belongs to one.
        uint256 member = flip % 4;
        fields[member == 0 ? 15 : member * 32 + 31] ^= bytes1(uint8(1 << ((flip >> 8) % 8)));
        rejections[0].transfer = abi.decode(fields, (Transfer));
        _reorder(rejections);
        vm.expectRevert(abi.encodeWithSelector(ITransferRegistry.TransferRegistry_InvalidProof.selector, BATCH_ID));
        computing.compute(BATCH_ID, header, rejections, proof);
    }

    /// A proof with anything about it changed proves nothing.
    function testFuzz_MutilatedProofsProveNothing(uint256 seed, uint256 mask, uint256 how) public view {
        (BatchHeader memory header, Transfer[] memory transfers) = _batch(seed);
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, mask, "AC03");
        vm.assume(rejections.length > 0);
        uint256 where = how >> 8;
        if (how % 5 == 0) {
            vm.assume(proof.siblings.length > 0);
            proof.siblings[where % proof.siblings.length] ^= bytes32(uint256(1) << (where % 256));
        } else if (how % 5 == 1) {
            vm.assume(proof.flags.length > 0);
            proof.flags[where % proof.flags.length] = !proof.flags[where % proof.flags.length];
        } else if (how % 5 == 2) {
            proof.siblings = _resize(proof.siblings, proof.siblings.length + 1);
        } else if (how % 5 == 3) {
            vm.assume(proof.siblings.length > 0);
            proof.siblings = _resize(proof.siblings, proof.siblings.length - 1);
        } else {
            proof.siblings = _resize(proof.siblings, proof.siblings.length + 1);
            proof.flags = new bool[](proof.flags.length + 1);
        }
        try computing.compute(BATCH_ID, header, rejections, proof) {
            vm.assertTrue(false, "a mutilated proof was taken");
        } catch {}
    }

    /// Proofs made up at random, of any shape.
    function testFuzz_InventedProofsProveNothing(
        uint256 seed,
        Transfer memory invented,
        bytes32[] memory siblings,
        bool[] memory flags
    ) public view {
        (BatchHeader memory header, ) = _batch(seed);
        Rejection[] memory rejections = new Rejection[](1);
        rejections[0] = Rejection(invented, "AC03");
        if (flags.length > siblings.length) flags = new bool[](siblings.length);
        try computing.compute(BATCH_ID, header, rejections, MultiProof(siblings, flags)) {
            vm.assertTrue(false, "an invented transfer was rejected");
        } catch {}
    }

    /// The same transfer twice, anywhere in the list, is out of order.
    function testFuzz_NothingIsRejectedTwice(uint256 seed, uint256 mask, uint256 which) public {
        (BatchHeader memory header, Transfer[] memory transfers) = _batch(seed);
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, mask, "AC03");
        vm.assume(rejections.length > 0);
        which %= rejections.length;
        Rejection[] memory twice = new Rejection[](rejections.length + 1);
        for (uint256 i = 0; i < twice.length; ++i) twice[i] = rejections[i > which ? i - 1 : i];
        bytes32 leaf = MerkleTree.leafOf(rejections[which].transfer);
        vm.expectRevert(_outOfOrder(which + 1, leaf, leaf));
        computing.compute(BATCH_ID, header, twice, proof);
    }

    /// A tree that holds a leaf twice, which a source partner can sign: the multiproof of both verifies, and is still
    /// refused, so neither currency is refunded twice for one transfer.
    function test_RepeatedLeafIsRejectedOnceAtMost() public {
        Transfer[] memory transfers = new Transfer[](2);
        transfers[0] = transfers[1] = Transfer(bytes16(uint128(1)), 10, 10, 0);
        BatchHeader memory header;
        header.count = 2;
        (header.sourceTotal, header.targetTotal) = (20, 20);
        bytes32 leaf = MerkleTree.leafOf(transfers[0]);
        header.root = MerkleTree.hashPair(leaf, leaf);
        bytes32[] memory leaves = new bytes32[](2);
        leaves[0] = leaves[1] = leaf;
        MultiProof memory proof = MultiProof(new bytes32[](0), new bool[](1));
        proof.flags[0] = true;
        vm.assertTrue(MerkleProof.multiProofVerify(proof.siblings, proof.flags, header.root, leaves), "the proof");
        Rejection[] memory rejections = new Rejection[](2);
        rejections[0] = rejections[1] = Rejection(transfers[0], "AC03");
        vm.expectRevert(_outOfOrder(1, leaf, leaf));
        computing.compute(BATCH_ID, header, rejections, proof);
    }

    /// Descending anywhere is out of order, at that place.
    function testFuzz_OrderIsStrict(uint256 seed, uint256 which) public {
        (BatchHeader memory header, Transfer[] memory transfers) = _batch(seed);
        vm.assume(transfers.length > 1);
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(
            transfers,
            type(uint256).max,
            "AC03"
        );
        which = 1 + (which % (rejections.length - 1));
        (rejections[which - 1], rejections[which]) = (rejections[which], rejections[which - 1]);
        bytes32 greater = MerkleTree.leafOf(rejections[which - 1].transfer);
        bytes32 smaller = MerkleTree.leafOf(rejections[which].transfer);
        vm.expectRevert(_outOfOrder(which, greater, smaller));
        computing.compute(BATCH_ID, header, rejections, proof);
    }

    /// Second pre-image: an inner node verifies as if it were a leaf, so the ledger must never see one as a leaf. It
    /// hashes transfers itself, and twice, so no transfer has a node for its leaf, not even one whose bytes are the
    /// node's children.
    function testFuzz_InnerNodesAreNoLeaves(uint256 seed, uint256 which) public {
        (BatchHeader memory header, Transfer[] memory transfers) = _batch(seed);
        vm.assume(transfers.length > 2);
        bytes32[] memory nodes = MerkleTree.build(transfers);
        which = 1 + (which % (transfers.length - 2));
        bytes32[] memory path = _pathOf(nodes, which);
        vm.assertTrue(MerkleProof.verify(path, nodes[0], nodes[which]), "the inner node's own proof");
        (bytes32 left, bytes32 right) = (nodes[2 * which + 1], nodes[2 * which + 2]);
        if (left > right) (left, right) = (right, left);
        Rejection[] memory rejections = new Rejection[](1);
        rejections[0].reason = "AC03";
        rejections[0].transfer = Transfer(bytes16(left), uint128(uint256(left)), uint128(uint256(right >> 128)), right);
        MultiProof memory proof = MultiProof(path, new bool[](path.length));
        vm.expectRevert(abi.encodeWithSelector(ITransferRegistry.TransferRegistry_InvalidProof.selector, BATCH_ID));
        computing.compute(BATCH_ID, header, rejections, proof);
    }

    /// Without rejections there is nothing to prove, and a proof all the same is an error.
    function testFuzz_NoRejectionsTakeNoProof(uint256 seed, bytes32[] memory siblings, bool[] memory flags) public {
        vm.assume(siblings.length + flags.length > 0);
        (BatchHeader memory header, ) = _batch(seed);
        vm.expectRevert(abi.encodeWithSelector(ITransferRegistry.TransferRegistry_InvalidProof.selector, BATCH_ID));
        computing.compute(BATCH_ID, header, new Rejection[](0), MultiProof(siblings, flags));
    }

    function testFuzz_EveryRejectionHasAReason(uint256 seed, uint256 mask, uint256 which) public {
        (BatchHeader memory header, Transfer[] memory transfers) = _batch(seed);
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, mask, "AC03");
        vm.assume(rejections.length > 0);
        which %= rejections.length;
        rejections[which].reason = 0;
        vm.expectRevert(abi.encodeWithSelector(ITransferRegistry.TransferRegistry_ReasonMissing.selector, which));
        computing.compute(BATCH_ID, header, rejections, proof);
    }

    function _batch(uint256 seed) private pure returns (BatchHeader memory header, Transfer[] memory transfers) {
        transfers = new Transfer[](1 + (seed % 9));
        for (uint256 i = 0; i < transfers.length; ++i) {
            uint256 own = uint256(keccak256(abi.encode(seed, i)));
            uint128 amount = 1 + uint128(own % 1e9);
            transfers[i] = Transfer(bytes16(uint128(own)), amount, amount, bytes32(own));
            header.sourceTotal += amount;
            header.targetTotal += amount;
        }
        header.count = uint32(transfers.length);
        header.root = MerkleTree.build(transfers)[0];
    }

    /// The first rejection's leaf has changed: puts it where it now belongs.
    function _reorder(Rejection[] memory rejections) private pure {
        for (uint256 i = 1; i < rejections.length; ++i) {
            bytes32 previous = MerkleTree.leafOf(rejections[i - 1].transfer);
            if (previous < MerkleTree.leafOf(rejections[i].transfer)) return;
            (rejections[i - 1], rejections[i]) = (rejections[i], rejections[i - 1]);
        }
    }

    function _pathOf(bytes32[] memory nodes, uint256 index) private pure returns (bytes32[] memory path) {
        uint256 length = 0;
        for (uint256 i = index; i > 0; i = (i - 1) / 2) ++length;
        path = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            path[i] = nodes[index % 2 == 0 ? index - 1 : index + 1];
            index = (index - 1) / 2;
        }
    }

    function _resize(bytes32[] memory values, uint256 length) private pure returns (bytes32[] memory resized) {
        resized = new bytes32[](length);
        for (uint256 i = 0; i < length && i < values.length; ++i) resized[i] = values[i];
    }

    function _outOfOrder(uint256 index, bytes32 previous, bytes32 leaf) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                ITransferRegistry.TransferRegistry_RejectionsOutOfOrder.selector,
                index,
                previous,
                leaf
            );
    }
}
