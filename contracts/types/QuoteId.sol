// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The id of a quote: its EIP-712 digest, which its provider signs.
type QuoteId is bytes32;
