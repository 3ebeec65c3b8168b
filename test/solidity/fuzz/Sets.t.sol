// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ACCEPT, FIRST_PURPOSES, FUND, KeyPurpose, QUOTE, SEND} from "../../../contracts/types/KeyPurpose.sol";
import {FIRST_ROLES, LIQUIDITY_PROVIDER, PartnerRole, WALLET} from "../../../contracts/types/PartnerRole.sol";
import {vm} from "../support/Vm.sol";

/// Sets of purposes and of roles: single ones can all be tried, pairs are drawn.
contract SetsTest {
    function test_ThereArePurposesFromTheFirstBlockOn() external pure {
        KeyPurpose all = KeyPurpose.wrap(0);
        KeyPurpose[4] memory purposes = [SEND, ACCEPT, QUOTE, FUND];
        for (uint256 i = 0; i < purposes.length; ++i) {
            vm.assertEq(KeyPurpose.unwrap(purposes[i]), 2 ** i, "one bit each");
            all = all | purposes[i];
        }
        vm.assertEq(KeyPurpose.unwrap(FIRST_PURPOSES), KeyPurpose.unwrap(all), "first purposes");
    }

    function test_ThereAreRolesFromTheFirstBlockOn() external pure {
        vm.assertEq(PartnerRole.unwrap(WALLET), 1, "wallet");
        vm.assertEq(PartnerRole.unwrap(LIQUIDITY_PROVIDER), 2, "liquidity provider");
        vm.assertEq(PartnerRole.unwrap(FIRST_ROLES), PartnerRole.unwrap(WALLET | LIQUIDITY_PROVIDER), "first roles");
    }

    function test_SingleIsOneBit() external pure {
        for (uint256 set = 0; set <= type(uint16).max; ++set) {
            uint256 bits = 0;
            for (uint256 rest = set; rest > 0; rest >>= 1) bits += rest & 1;
            bool purposes = KeyPurpose.wrap(uint16(set)).isSingle() != (bits == 1);
            bool roles = PartnerRole.wrap(uint16(set)).isSingle() != (bits == 1);
            // A call of the cheatcode for each would take seconds.
            if (purposes || roles) revert("isSingle is not one bit");
        }
    }

    function testFuzz_SetsOfPurposes(uint16 set, uint16 other) external pure {
        KeyPurpose united = KeyPurpose.wrap(set) | KeyPurpose.wrap(other);
        vm.assertEq(KeyPurpose.unwrap(united), set | other, "union");
        vm.assertTrue(united.includes(KeyPurpose.wrap(other)), "a union includes its parts");
        vm.assertTrue(KeyPurpose.wrap(set).includes(KeyPurpose.wrap(other)) == (set | other == set), "includes");
        vm.assertTrue(KeyPurpose.wrap(set).isEmpty() == (set == 0), "isEmpty");
    }

    function testFuzz_SetsOfRoles(uint16 set, uint16 other) external pure {
        PartnerRole united = PartnerRole.wrap(set) | PartnerRole.wrap(other);
        vm.assertEq(PartnerRole.unwrap(united), set | other, "union");
        vm.assertTrue(united.includes(PartnerRole.wrap(other)), "a union includes its parts");
        vm.assertTrue(PartnerRole.wrap(set).includes(PartnerRole.wrap(other)) == (set | other == set), "includes");
        vm.assertTrue(PartnerRole.wrap(set).isEmpty() == (set == 0), "isEmpty");
        vm.assertTrue((PartnerRole.wrap(set) != PartnerRole.wrap(other)) == (set != other), "not equal");
    }
}
