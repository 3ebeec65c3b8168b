// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlementToken, ReserveAttestation} from "../../../contracts/core/interfaces/ISettlementToken.sol";
import {SettlementToken} from "../../../contracts/core/SettlementToken.sol";
import {Treasury} from "../../../contracts/core/Treasury.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {vm} from "../support/Vm.sol";

/// Nothing is minted that no fresh attestation covers, and everything can be redeemed.
contract SettlementTokenTest is LedgerFixture {
    SettlementToken private token;

    function setUp() public {
        _deploy();
        token = tokens[HKD];
    }

    /// Whatever was minted and redeemed before: tokens and redemptions since the count reach up to the reserve, and not
    /// one unit more, at any size.
    function testFuzz_SupplyStopsAtTheReserve(
        uint128 reserve,
        uint128 supply,
        uint128 redeemed,
        uint256 amount
    ) public {
        supply = bound128(supply, 0, reserve);
        redeemed = bound128(redeemed, 0, supply);
        _attest(token, reserve, uint48(START));
        token.mint(address(this), supply);
        token.redeem(redeemed, "account");
        uint256 left = reserve - supply;
        if (amount <= left) {
            token.mint(address(this), amount);
            vm.assertEq(token.totalSupply(), supply - redeemed + amount, "supply");
        } else {
            vm.expectRevert(
                abi.encodeWithSelector(
                    ISettlementToken.SettlementToken_ReserveExceeded.selector,
                    supply - redeemed,
                    redeemed,
                    amount,
                    reserve
                )
            );
            token.mint(address(this), amount);
        }
        vm.assertLe(token.totalSupply() + redeemed, reserve, "supply with redemptions, and reserve");
    }

    function testFuzz_OneUnitAboveTheReserveIsRefused(uint128 reserve, uint128 supply) public {
        supply = bound128(supply, 0, reserve);
        _attest(token, reserve, uint48(START));
        token.mint(address(this), supply);
        token.mint(address(this), reserve - supply);
        vm.expectPartialRevert(ISettlementToken.SettlementToken_ReserveExceeded.selector);
        token.mint(address(this), 1);
    }

    /// A reserve attested below the supply stops minting and takes nothing from anyone.
    function testFuzz_ALowerReserveStopsMinting(uint128 reserve, uint128 lower, uint128 amount) public {
        reserve = bound128(reserve, 1, type(uint128).max);
        lower = bound128(lower, 0, reserve - 1);
        _attest(token, reserve, uint48(START - 1));
        token.mint(address(this), reserve);
        _attest(token, lower, uint48(START));
        vm.expectPartialRevert(ISettlementToken.SettlementToken_ReserveExceeded.selector);
        token.mint(address(this), bound(amount, 0, type(uint128).max));
        token.redeem(reserve, "account");
        vm.assertEq(token.totalSupply(), 0, "supply");
    }

    /// To the second: the oldest age that still allows minting, and the first that does not.
    function testFuzz_StaleAttestationsStopMinting(uint48 age) public {
        _attest(token, 1_000, uint48(START));
        age = uint48(bound(age, 0, 3 * MAX_ATTESTATION_AGE));
        vm.warp(START + age);
        if (age > MAX_ATTESTATION_AGE) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    ISettlementToken.SettlementToken_AttestationStale.selector,
                    START,
                    MAX_ATTESTATION_AGE
                )
            );
        }
        token.mint(address(this), 1_000);
    }

    function test_NothingIsMintedBeforeAnAttestation() public {
        vm.expectRevert(
            abi.encodeWithSelector(ISettlementToken.SettlementToken_AttestationStale.selector, 0, MAX_ATTESTATION_AGE)
        );
        token.mint(address(this), 0);
    }

    /// Newer than the one before, and not from the future.
    function testFuzz_AttestationsComeInOrder(uint48 first, uint48 second) public {
        first = uint48(bound(first, 1, START));
        second = uint48(bound(second, 0, 2 * START));
        _attest(token, 1, first);
        ReserveAttestation memory next = ReserveAttestation(2, second, 0);
        bytes memory signature = _signAttestation(token, next, _privateKey("attestor"));
        bool inOrder = second > first && second <= START;
        if (!inOrder) {
            vm.expectRevert(
                abi.encodeWithSelector(ISettlementToken.SettlementToken_AttestationOutOfOrder.selector, second, first)
            );
        }
        token.attest(next, signature);
        vm.assertEq(token.latestAttestation().asOf, inOrder ? second : first, "latest attestation");
    }

    /// Signed by someone else, for another currency, or with another figure in it.
    function testFuzz_OnlyTheAttestorsOwnWordCounts(uint128 reserve, uint256 privateKey, uint8 how) public {
        ReserveAttestation memory attestation = ReserveAttestation(reserve, uint48(START), keccak256("report"));
        privateKey = how % 3 == 0 ? bound(privateKey, 1, type(uint128).max) : _privateKey("attestor");
        bytes memory signature = _signAttestation(how % 3 == 1 ? tokens[PHP] : token, attestation, privateKey);
        if (how % 3 == 2) attestation.reserve = ~reserve;
        vm.expectRevert(
            abi.encodeWithSelector(ISettlementToken.SettlementToken_InvalidSignature.selector, token.attestor())
        );
        token.attest(attestation, signature);
    }

    /// By no way but the treasury's own deposit do tokens reach a treasury, be it the latest or one before.
    function testFuzz_NothingReachesATreasuryPastItsDeposit(uint128 amount, uint128 sent, uint8 how, bool late) public {
        amount = bound128(amount, 0, type(uint128).max - 1);
        sent = bound128(sent, 0, amount);
        address to = address(treasury);
        if (how % 2 == 0) {
            address next = deploy("Treasury", abi.encode(manager, partners));
            token.offerTreasury(to, next);
            Treasury(next).registerToken(token);
            if (late) to = next;
        }
        _attest(token, type(uint128).max, uint48(START));
        token.mint(address(this), amount);
        token.approve(address(this), amount);
        bytes memory refused = abi.encodeWithSelector(ISettlementToken.SettlementToken_DepositInstead.selector, to);
        vm.expectRevert(refused);
        if (how % 3 == 0) token.mint(to, 1);
        else if (how % 3 == 1) token.transfer(to, sent);
        else token.transferFrom(address(this), to, sent);
        vm.assertEq(token.balanceOf(to), 0, "tokens in the treasury");
    }

    /// An account that does not accept goes on receiving tokens, whatever governance offers.
    function testFuzz_AnOfferKeepsNobodyFromReceiving(address account, uint128 amount) public {
        vm.assume(account != address(0) && account != address(treasury));
        token.offerTreasury(address(treasury), account);
        _attest(token, type(uint128).max, uint48(START));
        token.mint(account, amount);
        vm.assertEq(token.balanceOf(account), amount, "tokens of the account");
    }
}
