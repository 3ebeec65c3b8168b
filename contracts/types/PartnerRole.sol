// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a partner is in the network: a set of roles, one bit each. Those below are there from the first block on;
/// governance adds others with the modules that ask for them.
type PartnerRole is uint16;

using {notEqual as !=, unite as |, includes, isEmpty, isSingle} for PartnerRole global;

// Its customers send and receive transfers.
PartnerRole constant WALLET = PartnerRole.wrap(1);
// It sells target currency for source currency at signed quotes.
PartnerRole constant LIQUIDITY_PROVIDER = PartnerRole.wrap(2);

PartnerRole constant FIRST_ROLES = PartnerRole.wrap(3);

function notEqual(PartnerRole a, PartnerRole b) pure returns (bool) {
    return PartnerRole.unwrap(a) != PartnerRole.unwrap(b);
}

function unite(PartnerRole a, PartnerRole b) pure returns (PartnerRole) {
    return PartnerRole.wrap(PartnerRole.unwrap(a) | PartnerRole.unwrap(b));
}

/// Whether the set has all of the other's roles.
function includes(PartnerRole set, PartnerRole other) pure returns (bool) {
    return PartnerRole.unwrap(set) & PartnerRole.unwrap(other) == PartnerRole.unwrap(other);
}

function isEmpty(PartnerRole set) pure returns (bool) {
    return PartnerRole.unwrap(set) == 0;
}

function isSingle(PartnerRole set) pure returns (bool) {
    uint256 bits = PartnerRole.unwrap(set);
    return bits != 0 && bits & (bits - 1) == 0;
}
