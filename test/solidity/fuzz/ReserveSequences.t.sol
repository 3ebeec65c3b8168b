// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ISettlementToken, ReserveAttestation} from "../../../contracts/core/interfaces/ISettlementToken.sol";
import {SettlementToken} from "../../../contracts/core/SettlementToken.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {vm} from "../support/Vm.sol";
import {Forgeries} from "./Forgeries.sol";

/// The token against its reserve, in any order of events. This test is the settlement bank, and the holder.
contract ReserveSequencesTest is LedgerFixture, Forgeries {
    uint256 internal constant STEPS = 32;

    /// What the token should know.
    struct Model {
        SettlementToken token;
        uint48 maxAge;
        uint256 wall;
        uint256 supply;
        uint128 reserve;
        uint48 asOf;
        uint256 redemptions;
        uint256[STEPS] redeemed;
        uint256[STEPS] redeemedAt;
    }

    function setUp() external {
        _deploy();
    }

    function testFuzz_AnySequence(uint48 maxAge, uint256[STEPS] calldata steps) external {
        Model memory m = _start(maxAge);
        for (uint256 i = 0; i < STEPS; ++i) {
            uint256 kind = draw(steps[i], "kind") % 8;
            if (kind == 0) _pass(m, _drawGap(m, steps[i]));
            else if (kind < 3) _attestDrawn(m, steps[i]);
            else if (kind < 6) _mint(m, _drawAmount(m, steps[i]));
            else _redeem(m, _drawAmount(m, steps[i]));
            vm.assertEq(m.token.totalSupply(), m.supply, "supply");
            ReserveAttestation memory latest = m.token.latestAttestation();
            vm.assertEq(latest.asOf, m.asOf, "time of the latest attestation");
            vm.assertEq(latest.reserve, m.reserve, "attested reserve");
            vm.assertEq(m.token.redeemedSince(m.asOf), _redeemedSince(m), "redeemed since the count");
        }
    }

    function testFuzz_StaleIsExactlyOlderThanTheLongestAge(uint48 maxAge, uint48 since) external {
        maxAge = uint48(bound(maxAge, 0, 365 days));
        Model memory m = _start(maxAge);
        m.wall += bound(since, 0, 365 days);
        vm.warp(m.wall);
        _attest(m.token, type(uint128).max, uint48(START));
        if (m.wall > START + maxAge) _expectStale(uint48(START), maxAge);
        m.token.mint(address(this), 1);
        if (m.wall > START + maxAge) return;
        vm.warp(START + maxAge);
        m.token.mint(address(this), 1);
        vm.warp(START + maxAge + 1);
        _expectStale(uint48(START), maxAge);
        m.token.mint(address(this), 1);
    }

    function testFuzz_RefusesAForgedAttestation(uint256 seed, uint128 reserve, bytes32 report) external {
        Model memory m = _start(MAX_ATTESTATION_AGE);
        ReserveAttestation memory attestation = ReserveAttestation(reserve, uint48(START), report);
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("ReserveAttestation(uint128 reserve,uint48 asOf,bytes32 report)"),
                attestation.reserve,
                attestation.asOf,
                attestation.report
            )
        );
        // Another currency's token is another domain.
        bytes memory forged = _forge(
            seed,
            _privateKey("attestor"),
            keccak256(abi.encodePacked(hex"1901", m.token.DOMAIN_SEPARATOR(), structHash)),
            keccak256(abi.encodePacked(hex"1901", tokens[PHP].DOMAIN_SEPARATOR(), structHash))
        );
        _expectInvalidSignature(m);
        m.token.attest(attestation, forged);
        m.token.attest(attestation, _signAttestation(m.token, attestation, _privateKey("attestor")));
        vm.assertEq(m.token.latestAttestation().reserve, reserve, "reserve");
    }

    function testFuzz_RefusesAnAttestationThatWasChanged(
        uint128 reserve,
        uint48 asOf,
        bytes32 report,
        uint256 bit
    ) external {
        Model memory m = _start(MAX_ATTESTATION_AGE);
        asOf = uint48(bound(asOf, START / 2, START));
        ReserveAttestation memory attestation = ReserveAttestation(reserve, asOf, report);
        bytes memory signature = _signAttestation(m.token, attestation, _privateKey("attestor"));
        bit %= 385;
        if (bit < 128) attestation.reserve ^= uint128(1 << bit);
        else if (bit < 384) attestation.report ^= bytes32(1 << (bit - 128));
        else --attestation.asOf;
        _expectInvalidSignature(m);
        m.token.attest(attestation, signature);
    }

    function _start(uint48 maxAge) private returns (Model memory m) {
        m.maxAge = maxAge;
        m.wall = START;
        m.token = SettlementToken(
            deploy(
                "SettlementToken",
                abi.encode(manager, treasury, HKD, "HKD", uint8(2), maxAge, vm.addr(_privateKey("attestor")))
            )
        );
    }

    function _pass(Model memory m, uint256 gap) private {
        m.wall += gap;
        vm.warp(m.wall);
    }

    function _attestDrawn(Model memory m, uint256 step) private {
        uint256 near = (step & 1 == 0 ? m.wall : m.asOf) + (draw(step, "as of") % 5);
        uint48 asOf = uint48(near < 2 ? 0 : near - 2);
        uint128 reserve = uint128(draw(step, "reserve") >> (128 + (draw(step, "size") % 128)));
        ReserveAttestation memory attestation = ReserveAttestation(reserve, asOf, bytes32(step));
        bytes memory signature = _signAttestation(m.token, attestation, _privateKey("attestor"));
        bool isInOrder = asOf > m.asOf && asOf <= m.wall;
        if (!isInOrder) {
            vm.expectRevert(
                abi.encodeWithSelector(ISettlementToken.SettlementToken_AttestationOutOfOrder.selector, asOf, m.asOf)
            );
        }
        m.token.attest(attestation, signature);
        if (isInOrder) (m.reserve, m.asOf) = (reserve, asOf);
    }

    function _mint(Model memory m, uint256 amount) private {
        bool isStale = m.wall > uint256(m.asOf) + m.maxAge;
        uint256 redeemed = _redeemedSince(m);
        uint256 taken = m.supply + redeemed;
        bool fits = taken <= m.reserve && amount <= m.reserve - taken;
        if (isStale) _expectStale(m.asOf, m.maxAge);
        else if (!fits) _expectExceeded(m.supply, redeemed, amount, m.reserve);
        m.token.mint(address(this), amount);
        if (isStale || !fits) return;
        m.supply += amount;
        vm.assertLe(m.token.totalSupply() + redeemed, m.reserve, "supply with redemptions within the reserve");
    }

    /// Allowed however old or low the attestation is.
    function _redeem(Model memory m, uint256 amount) private {
        if (amount > m.supply) {
            vm.expectRevert(
                abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, address(this), m.supply, amount)
            );
        } else {
            m.supply -= amount;
            (m.redeemed[m.redemptions], m.redeemedAt[m.redemptions]) = (amount, m.wall);
            ++m.redemptions;
        }
        m.token.redeem(amount, bytes32(amount));
    }

    /// In the second of the count too. Nothing before the first attestation: there was nothing to redeem.
    function _redeemedSince(Model memory m) private pure returns (uint256 redeemed) {
        for (uint256 i = 0; i < m.redemptions; ++i) if (m.redeemedAt[i] >= m.asOf) redeemed += m.redeemed[i];
    }

    /// Mostly amounts where something changes: around what is left of the reserve and what was minted.
    function _drawAmount(Model memory m, uint256 step) private pure returns (uint256) {
        uint256 kind = draw(step, "amount kind") % 4;
        uint256 near = draw(step, "near") % 3;
        uint256 taken = m.supply + _redeemedSince(m);
        uint256 left = m.reserve > taken ? m.reserve - taken : 0;
        if (kind == 0) return left + near < 1 ? 0 : left + near - 1;
        if (kind == 1) return m.supply + near < 1 ? 0 : m.supply + near - 1;
        if (kind == 2) return draw(step, "amount") >> (draw(step, "size") % 256);
        return draw(step, "amount") % (left + 1);
    }

    function _drawGap(Model memory m, uint256 step) private pure returns (uint256) {
        // Longer ones would leave the type of a timestamp after a few steps.
        uint256 longest = m.maxAge < 30 days ? m.maxAge : 30 days;
        uint256 kind = draw(step, "gap kind") % 3;
        uint256 near = draw(step, "gap") % 3;
        uint256 age = m.wall - m.asOf;
        if (kind == 0 && age <= m.maxAge && m.maxAge - age < 365 days) return m.maxAge - age + near;
        return kind == 1 ? near : draw(step, "gap") % (longest + 1);
    }

    function _expectStale(uint48 asOf, uint48 maxAge) private {
        vm.expectRevert(
            abi.encodeWithSelector(ISettlementToken.SettlementToken_AttestationStale.selector, asOf, maxAge)
        );
    }

    function _expectExceeded(uint256 supply, uint256 redeemed, uint256 amount, uint128 reserve) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                ISettlementToken.SettlementToken_ReserveExceeded.selector,
                supply,
                redeemed,
                amount,
                reserve
            )
        );
    }

    function _expectInvalidSignature(Model memory m) private {
        vm.expectRevert(
            abi.encodeWithSelector(ISettlementToken.SettlementToken_InvalidSignature.selector, m.token.attestor())
        );
    }
}
