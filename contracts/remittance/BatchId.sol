// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The id of a batch: the EIP-712 digest of its header, which its source partner signs.
type BatchId is bytes32;
