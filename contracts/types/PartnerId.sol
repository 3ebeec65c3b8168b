// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// A partner of the network, numbered by governance when it is registered.
type PartnerId is uint16;

using {equal as ==, notEqual as !=} for PartnerId global;

// The hub is the first partner. Network fees are credited to it.
PartnerId constant HUB = PartnerId.wrap(1);

// No partner: the provider of a same-currency batch, or the taker of a quote that is open to all.
PartnerId constant NO_PARTNER = PartnerId.wrap(0);

function equal(PartnerId a, PartnerId b) pure returns (bool) {
    return PartnerId.unwrap(a) == PartnerId.unwrap(b);
}

function notEqual(PartnerId a, PartnerId b) pure returns (bool) {
    return PartnerId.unwrap(a) != PartnerId.unwrap(b);
}
