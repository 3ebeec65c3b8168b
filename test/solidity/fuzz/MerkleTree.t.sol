// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {MultiProof, Rejection, Transfer} from "../../../contracts/remittance/Batch.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {TestBase} from "../support/TestBase.sol";
import {vm} from "../support/Vm.sol";

/// The trees of these tests are StandardMerkleTree's.
contract MerkleTreeTest is TestBase {
    /// Roots that OpenZeppelin's merkle-tree 1.0.8 gives for the transfers below.
    function test_RootsAreStandardMerkleTrees() public pure {
        bytes32[4] memory roots = [
            bytes32(0xf2537f05d8741cf6f709b39358682ecc3c4e42922e8d07a3f0c9a1854a6125e3),
            0x3635db926ae94c9d01b6b7fb9531e43fbe7355e3bf2f5454623efc93ef0be1fb,
            0xce2c3f83761a8cadf3b175379c1de4c86a1812db723ca9eb4d86746d81133363,
            0xbbef6f4c44248ab23450ef62efee6c08244135f4dd413b8f0ebced0a896d6a42
        ];
        uint8[4] memory counts = [1, 2, 5, 8];
        for (uint256 i = 0; i < roots.length; ++i) {
            vm.assertEq(MerkleTree.build(_known(counts[i]))[0], roots[i], "root");
        }
    }

    /// The multiproof that OpenZeppelin's merkle-tree 1.0.8 gives for the second and the fourth of five.
    function test_MultiProofsAreStandardMerkleTrees() public pure {
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(_known(5), 10, "AC03");
        vm.assertEq(rejections.length, 2, "rejections");
        vm.assertEq(uint128(rejections[0].transfer.uetr), 4, "first in order of leaves");
        vm.assertEq(uint128(rejections[1].transfer.uetr), 2, "second in order of leaves");
        bytes32[3] memory siblings = [
            bytes32(0x94dc00f4e7d9b462cb65d3582dc1dc06d7c22e68c9a24b9e1db372ee6361fab7),
            0x9b2426c1a8984ec7a5e41a023897504854e8560b2f82b441876dd71572936a1f,
            0xf2537f05d8741cf6f709b39358682ecc3c4e42922e8d07a3f0c9a1854a6125e3
        ];
        vm.assertEq(proof.siblings.length, siblings.length, "siblings");
        for (uint256 i = 0; i < siblings.length; ++i) vm.assertEq(proof.siblings[i], siblings[i], "sibling");
        vm.assertEq(keccak256(abi.encode(proof.flags)), keccak256(abi.encode(_flags())), "flags");
    }

    function testFuzz_ProofsVerify(uint256 seed, uint256 mask) public pure {
        Transfer[] memory transfers = _random(seed);
        bytes32[] memory nodes = MerkleTree.build(transfers);
        for (uint256 i = 0; i < transfers.length; ++i) {
            bytes32 leaf = MerkleTree.leafOf(transfers[i]);
            vm.assertTrue(MerkleProof.verify(MerkleTree.prove(nodes, leaf), nodes[0], leaf), "proof of one");
        }
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, mask, "AC03");
        if (rejections.length == 0) return;
        bytes32[] memory leaves = new bytes32[](rejections.length);
        for (uint256 i = 0; i < leaves.length; ++i) leaves[i] = MerkleTree.leafOf(rejections[i].transfer);
        bool verified = MerkleProof.multiProofVerify(proof.siblings, proof.flags, nodes[0], leaves);
        vm.assertTrue(verified, "proof of several");
    }

    function _known(uint256 count) private pure returns (Transfer[] memory transfers) {
        transfers = new Transfer[](count);
        for (uint128 i = 0; i < count; ++i)
            transfers[i] = Transfer(bytes16(i + 1), 100 + i, 700 + i, bytes32(uint256(i + 1)));
    }

    function _random(uint256 seed) private pure returns (Transfer[] memory transfers) {
        transfers = new Transfer[](1 + (seed % 17));
        for (uint256 i = 0; i < transfers.length; ++i) {
            uint256 own = uint256(keccak256(abi.encode(seed, i)));
            transfers[i] = Transfer(bytes16(uint128(own)), uint128(own >> 128), uint128(own >> 64), bytes32(own));
        }
    }

    function _flags() private pure returns (bool[] memory flags) {
        flags = new bool[](4);
        flags[3] = true;
    }
}
