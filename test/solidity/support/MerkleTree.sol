// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MultiProof, Rejection, Transfer} from "../../../contracts/remittance/Batch.sol";

/// OpenZeppelin's StandardMerkleTree, for a handful of leaves: sorted leaves, complete binary tree, sorted pairs. The
/// root is `nodes[0]`, the children of node i are 2i + 1 and 2i + 2, and the leaves stand last, greatest first.
library MerkleTree {
    error UnknownLeaf(bytes32 leaf);

    function leafOf(Transfer memory transfer) internal pure returns (bytes32) {
        return
            keccak256(
                bytes.concat(
                    keccak256(
                        abi.encode(transfer.uetr, transfer.sourceAmount, transfer.targetAmount, transfer.detailsHash)
                    )
                )
            );
    }

    function build(Transfer[] memory transfers) internal pure returns (bytes32[] memory nodes) {
        bytes32[] memory leaves = new bytes32[](transfers.length);
        for (uint256 i = 0; i < leaves.length; ++i) leaves[i] = leafOf(transfers[i]);
        return build(leaves);
    }

    function build(bytes32[] memory leaves) internal pure returns (bytes32[] memory nodes) {
        bytes32[] memory sorted = _sort(leaves);
        nodes = new bytes32[](2 * sorted.length - 1);
        for (uint256 i = 0; i < sorted.length; ++i) nodes[nodes.length - 1 - i] = sorted[i];
        for (uint256 i = sorted.length - 1; i > 0; --i) nodes[i - 1] = hashPair(nodes[2 * i - 1], nodes[2 * i]);
    }

    function hashPair(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }

    /// Where a leaf stands in the tree.
    function indexOf(bytes32[] memory nodes, bytes32 leaf) internal pure returns (uint256) {
        for (uint256 i = nodes.length / 2; i < nodes.length; ++i) if (nodes[i] == leaf) return i;
        revert UnknownLeaf(leaf);
    }

    function prove(bytes32[] memory nodes, bytes32 leaf) internal pure returns (bytes32[] memory siblings) {
        siblings = new bytes32[](nodes.length);
        uint256 length = 0;
        for (uint256 i = indexOf(nodes, leaf); i > 0; i = (i - 1) / 2) {
            siblings[length] = nodes[_siblingOf(i)];
            ++length;
        }
        return _truncate(siblings, length);
    }

    /// @param leaves in strictly ascending order, at least one
    function prove(bytes32[] memory nodes, bytes32[] memory leaves) internal pure returns (MultiProof memory proof) {
        uint256[] memory queue = new uint256[](2 * nodes.length);
        uint256 end = leaves.length;
        for (uint256 i = 0; i < end; ++i) queue[i] = indexOf(nodes, leaves[i]);
        bytes32[] memory siblings = new bytes32[](nodes.length);
        bool[] memory flags = new bool[](nodes.length);
        uint256 siblingCount = 0;
        uint256 flagCount = 0;
        for (uint256 next = 0; queue[next] > 0; ++next) {
            uint256 sibling = _siblingOf(queue[next]);
            queue[end] = (queue[next] - 1) / 2;
            bool isProved = next + 1 < end && queue[next + 1] == sibling;
            ++end;
            flags[flagCount] = isProved;
            ++flagCount;
            if (isProved) {
                ++next;
            } else {
                siblings[siblingCount] = nodes[sibling];
                ++siblingCount;
            }
        }
        return MultiProof(_truncate(siblings, siblingCount), _truncate(flags, flagCount));
    }

    /// Rejects the transfers whose bit is set in `mask`, in the order of their leaves.
    function reject(
        Transfer[] memory transfers,
        uint256 mask,
        bytes4 reason
    ) internal pure returns (Rejection[] memory rejections, MultiProof memory proof) {
        uint256 count = 0;
        bytes32[] memory leaves = new bytes32[](transfers.length);
        for (uint256 i = 0; i < transfers.length; ++i) {
            if ((mask >> i) & 1 == 0) continue;
            leaves[count] = leafOf(transfers[i]);
            ++count;
        }
        if (count == 0) return (rejections, proof);
        leaves = _sort(_truncate(leaves, count));
        rejections = new Rejection[](count);
        for (uint256 i = 0; i < transfers.length; ++i) {
            if ((mask >> i) & 1 == 0) continue;
            bytes32 leaf = leafOf(transfers[i]);
            for (uint256 j = 0; j < count; ++j) if (leaves[j] == leaf) rejections[j] = Rejection(transfers[i], reason);
        }
        proof = prove(build(transfers), leaves);
    }

    function _siblingOf(uint256 index) private pure returns (uint256) {
        return index % 2 == 0 ? index - 1 : index + 1;
    }

    function _sort(bytes32[] memory values) private pure returns (bytes32[] memory sorted) {
        sorted = new bytes32[](values.length);
        for (uint256 i = 0; i < values.length; ++i) {
            uint256 j = i;
            for (; j > 0 && sorted[j - 1] > values[i]; --j) sorted[j] = sorted[j - 1];
            sorted[j] = values[i];
        }
    }

    function _truncate(bytes32[] memory values, uint256 length) private pure returns (bytes32[] memory kept) {
        kept = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) kept[i] = values[i];
    }

    function _truncate(bool[] memory values, uint256 length) private pure returns (bool[] memory kept) {
        kept = new bool[](length);
        for (uint256 i = 0; i < length; ++i) kept[i] = values[i];
    }
}
