// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a partner is in the network: a set of the roles below.
type PartnerRole is uint8;

using {includes, isValid, notEqual as !=} for PartnerRole global;

// Its customers send and receive transfers.
PartnerRole constant WALLET = PartnerRole.wrap(1);
// It sells target currency for source currency at signed quotes.
PartnerRole constant LIQUIDITY_PROVIDER = PartnerRole.wrap(2);

uint8 constant ALL_ROLES = 3;

function notEqual(PartnerRole a, PartnerRole b) pure returns (bool) {
    return PartnerRole.unwrap(a) != PartnerRole.unwrap(b);
}

function includes(PartnerRole granted, PartnerRole needed) pure returns (bool) {
    return PartnerRole.unwrap(granted) & PartnerRole.unwrap(needed) == PartnerRole.unwrap(needed);
}

/// A partner has at least one role, and none that the network does not know.
function isValid(PartnerRole granted) pure returns (bool) {
    return PartnerRole.unwrap(granted) > 0 && PartnerRole.unwrap(granted) <= ALL_ROLES;
}
