// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a partner's operator key may do: a set of purposes, one bit each. Those below are there from the first block
/// on; governance adds others with the modules that ask for them, and a key can be granted no purpose before that.
type KeyPurpose is uint16;

using {unite as |, includes, isEmpty, isSingle} for KeyPurpose global;

// Sign batch headers as the source partner.
KeyPurpose constant SEND = KeyPurpose.wrap(1);
// Sign settlements as the target partner.
KeyPurpose constant ACCEPT = KeyPurpose.wrap(2);
// Sign and cancel quotes as a liquidity provider.
KeyPurpose constant QUOTE = KeyPurpose.wrap(4);
// Deposit to and withdraw from the treasury.
KeyPurpose constant FUND = KeyPurpose.wrap(8);

KeyPurpose constant FIRST_PURPOSES = KeyPurpose.wrap(15);

function unite(KeyPurpose a, KeyPurpose b) pure returns (KeyPurpose) {
    return KeyPurpose.wrap(KeyPurpose.unwrap(a) | KeyPurpose.unwrap(b));
}

/// Whether the set has all of the other's purposes.
function includes(KeyPurpose set, KeyPurpose other) pure returns (bool) {
    return KeyPurpose.unwrap(set) & KeyPurpose.unwrap(other) == KeyPurpose.unwrap(other);
}

function isEmpty(KeyPurpose set) pure returns (bool) {
    return KeyPurpose.unwrap(set) == 0;
}

function isSingle(KeyPurpose set) pure returns (bool) {
    uint256 bits = KeyPurpose.unwrap(set);
    return bits != 0 && bits & (bits - 1) == 0;
}
