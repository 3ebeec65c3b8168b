// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// A currency by its ISO 4217 numeric code: 156 is CNY, 608 is PHP.
type CurrencyCode is uint16;

using {equal as ==, notEqual as !=, isValid} for CurrencyCode global;

// No currency: every currency field of an absent quote.
CurrencyCode constant NO_CURRENCY = CurrencyCode.wrap(0);

// The highest that ISO 4217 can give.
CurrencyCode constant MAX_CURRENCY = CurrencyCode.wrap(999);

function equal(CurrencyCode a, CurrencyCode b) pure returns (bool) {
    return CurrencyCode.unwrap(a) == CurrencyCode.unwrap(b);
}

/// ISO 4217 numbers have three digits, and 000 is no currency.
function isValid(CurrencyCode code) pure returns (bool) {
    return code != NO_CURRENCY && CurrencyCode.unwrap(code) <= CurrencyCode.unwrap(MAX_CURRENCY);
}

function notEqual(CurrencyCode a, CurrencyCode b) pure returns (bool) {
    return CurrencyCode.unwrap(a) != CurrencyCode.unwrap(b);
}
