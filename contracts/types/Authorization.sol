// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// A signature and the key said to have made it: an externally owned account, or a contract (ERC-1271).
struct Authorization {
    address key;
    bytes signature;
}
