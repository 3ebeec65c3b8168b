// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {Hold, toHold} from "../../../contracts/types/Hold.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {Release, toRelease} from "../../../contracts/types/Release.sol";
import {vm} from "../support/Vm.sol";

/// Holds and releases in one word each.
contract MovementsTest {
    function testFuzz_UnpackingGivesTheHoldThatWasPacked(
        PartnerId partner,
        CurrencyCode currency,
        uint128 amount
    ) public pure {
        (PartnerId p, CurrencyCode c, uint128 a) = toHold(partner, currency, amount).unpack();
        vm.assertTrue(p == partner && c == currency, "partner and currency");
        vm.assertEq(a, amount, "amount");
    }

    function testFuzz_PackingGivesTheHoldThatWasUnpacked(Hold hold) public pure {
        (PartnerId partner, CurrencyCode currency, uint128 amount) = hold.unpack();
        vm.assertEq(Hold.unwrap(toHold(partner, currency, amount)), Hold.unwrap(hold), "hold");
    }

    function testFuzz_UnpackingGivesTheReleaseThatWasPacked(
        PartnerId from,
        PartnerId to,
        CurrencyCode currency,
        uint128 amount
    ) public pure {
        (PartnerId f, PartnerId t, CurrencyCode c, uint128 a) = toRelease(from, to, currency, amount).unpack();
        vm.assertTrue(f == from && t == to && c == currency, "partners and currency");
        vm.assertEq(a, amount, "amount");
    }

    function testFuzz_PackingGivesTheReleaseThatWasUnpacked(Release release) public pure {
        (PartnerId from, PartnerId to, CurrencyCode currency, uint128 amount) = release.unpack();
        vm.assertEq(Release.unwrap(toRelease(from, to, currency, amount)), Release.unwrap(release), "release");
    }

    /// Field by field, so that a field in the wrong place cannot hide behind one that is wrong the same way back.
    function testFuzz_FieldsStandInOrder(uint16 from, uint16 to, uint16 currency, uint128 amount) public pure {
        CurrencyCode code = CurrencyCode.wrap(currency);
        bytes memory expected = abi.encodePacked(from, currency, amount);
        Hold hold = toHold(PartnerId.wrap(from), code, amount);
        vm.assertEq(Hold.unwrap(hold), uint160(bytes20(expected)), "hold");
        expected = abi.encodePacked(from, to, currency, amount);
        Release release = toRelease(PartnerId.wrap(from), PartnerId.wrap(to), code, amount);
        vm.assertEq(Release.unwrap(release), uint176(bytes22(expected)), "release");
    }
}
