// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// A currency by its ISO 4217 numeric code: 156 is CNY, 608 is PHP.
type CurrencyCode is uint16;

using {equal as ==, notEqual as !=} for CurrencyCode global;

// No currency: every currency field of an absent quote.
CurrencyCode constant NO_CURRENCY = CurrencyCode.wrap(0);

function equal(CurrencyCode a, CurrencyCode b) pure returns (bool) {
    return CurrencyCode.unwrap(a) == CurrencyCode.unwrap(b);
}

function notEqual(CurrencyCode a, CurrencyCode b) pure returns (bool) {
    return CurrencyCode.unwrap(a) != CurrencyCode.unwrap(b);
}
