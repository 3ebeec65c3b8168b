// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a partner's operator key may do: a set of the purposes below.
type KeyPurpose is uint8;

using {includes, isEmpty, isKnown} for KeyPurpose global;

// Sign batch headers as the source partner.
KeyPurpose constant SEND = KeyPurpose.wrap(1);
// Sign settlements as the target partner.
KeyPurpose constant ACCEPT = KeyPurpose.wrap(2);
// Sign and cancel quotes as a liquidity provider.
KeyPurpose constant QUOTE = KeyPurpose.wrap(4);
// Deposit to and withdraw from the treasury.
KeyPurpose constant FUND = KeyPurpose.wrap(8);

uint8 constant ALL_PURPOSES = 15;

function includes(KeyPurpose granted, KeyPurpose needed) pure returns (bool) {
    return KeyPurpose.unwrap(granted) & KeyPurpose.unwrap(needed) == KeyPurpose.unwrap(needed);
}

function isEmpty(KeyPurpose granted) pure returns (bool) {
    return KeyPurpose.unwrap(granted) == 0;
}

function isKnown(KeyPurpose granted) pure returns (bool) {
    return KeyPurpose.unwrap(granted) <= ALL_PURPOSES;
}
