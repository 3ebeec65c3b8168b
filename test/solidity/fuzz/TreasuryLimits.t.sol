// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {toHold} from "../../../contracts/types/Hold.sol";
import {toRelease} from "../../../contracts/types/Release.sol";
import {one} from "../support/Movements.sol";
import {ITreasury, Balance, ModuleStatus} from "../../../contracts/core/interfaces/ITreasury.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {vm} from "../support/Vm.sol";

/// The treasury's arithmetic at any amounts up to the largest supply, with this test as its module.
contract TreasuryLimitsTest is LedgerFixture {
    function setUp() external {
        _deploy();
        _attest(tokens[HKD], type(uint128).max, uint48(START));
    }

    function testFuzz_Hold(uint128 deposited, uint128 other, uint128 amount, uint8 kind) external {
        _fund(deposited, other);
        amount = _near(deposited, amount, kind);
        if (amount > deposited) _expectInsufficientAvailable(deposited, amount);
        treasury.hold(one(toHold(ALIPAY_HK, HKD, amount)));
        if (amount > deposited) amount = 0;
        _checkBalance(ALIPAY_HK, deposited - amount, amount);
        _checkUntouched(deposited, other);
    }

    function testFuzz_Release(uint128 deposited, uint128 other, uint128 held, uint128 amount, uint8 kind) external {
        held = _fundAndHold(deposited, other, held);
        amount = _near(held, amount, kind);
        if (amount > held) _expectInsufficientHeld(held, amount);
        treasury.release(one(toRelease(ALIPAY_HK, ALIPAY_HK, HKD, amount)));
        if (amount > held) amount = 0;
        _checkBalance(ALIPAY_HK, deposited - held + amount, held - amount);
        _checkUntouched(deposited, other);
    }

    function testFuzz_TransferHeld(
        uint128 deposited,
        uint128 other,
        uint128 held,
        uint128 amount,
        uint8 kind
    ) external {
        held = _fundAndHold(deposited, other, held);
        amount = _near(held, amount, kind);
        if (amount > held) _expectInsufficientHeld(held, amount);
        treasury.release(one(toRelease(ALIPAY_HK, GCASH, HKD, amount)));
        if (amount > held) amount = 0;
        _checkBalance(ALIPAY_HK, deposited - held, held - amount);
        _checkBalance(GCASH, uint256(other) + amount, 0);
        _checkTokens(uint256(deposited) + other);
    }

    /// A partner that is not registered can be credited too: the module answers for whom it names.
    function testFuzz_TransferHeldToAnyone(uint128 deposited, uint128 amount, PartnerId receiver) external {
        vm.assume(receiver != ALIPAY_HK && receiver != GCASH);
        _fundAndHold(deposited, 0, deposited);
        amount = bound128(amount, 0, deposited);
        treasury.release(one(toRelease(ALIPAY_HK, receiver, HKD, amount)));
        _checkBalance(receiver, amount, 0);
        _checkBalance(ALIPAY_HK, 0, deposited - amount);
    }

    function testFuzz_Withdraw(
        uint128 deposited,
        uint128 other,
        uint128 held,
        uint128 amount,
        uint8 kind,
        address to
    ) external {
        vm.assume(to != address(0) && to != address(treasury) && to != _treasurer(ALIPAY_HK));
        held = _fundAndHold(deposited, other, held);
        uint128 available = deposited - held;
        amount = _near(available, amount, kind);
        vm.assume(amount > 0);
        if (amount > available) _expectInsufficientAvailable(available, amount);
        vm.prank(_treasurer(ALIPAY_HK));
        treasury.withdraw(ALIPAY_HK, HKD, amount, to);
        if (amount > available) amount = 0;
        vm.assertEq(tokens[HKD].balanceOf(to), amount, "paid out");
        _checkBalance(ALIPAY_HK, available - amount, held);
        _checkTokens(uint256(deposited) + other - amount);
    }

    function testFuzz_ModuleStatusGates(address module, uint8 drawn, uint128 amount) external {
        _assumeNobody(module);
        amount = bound128(amount, 1, type(uint128).max);
        ModuleStatus status = ModuleStatus(drawn % 3);
        _fund(type(uint128).max, 0);
        _giveRights(module, ModuleStatus.Active);
        vm.prank(module);
        treasury.hold(one(toHold(ALIPAY_HK, HKD, amount)));
        if (status != ModuleStatus.Active) treasury.restrictModule(module, ModuleStatus.Active, status);
        bytes memory refusal = abi.encodeWithSelector(ITreasury.Treasury_ModuleNotAuthorized.selector, module, status);
        vm.startPrank(module);
        if (status == ModuleStatus.None) vm.expectRevert(refusal);
        treasury.release(one(toRelease(ALIPAY_HK, GCASH, HKD, amount / 2)));
        if (status == ModuleStatus.None) vm.expectRevert(refusal);
        treasury.release(one(toRelease(ALIPAY_HK, ALIPAY_HK, HKD, amount - amount / 2)));
        if (status != ModuleStatus.Active) vm.expectRevert(refusal);
        treasury.hold(one(toHold(ALIPAY_HK, HKD, 0)));
        vm.stopPrank();
        vm.assertEq(treasury.balanceOf(ALIPAY_HK, HKD).held, status == ModuleStatus.None ? amount : 0, "held");
    }

    function testFuzz_ModuleStatusCanTakeAnyOtherStep(address module, uint8[8] calldata steps) external {
        _assumeNobody(module);
        ModuleStatus current = ModuleStatus.None;
        for (uint256 i = 0; i < steps.length; ++i) {
            ModuleStatus next = ModuleStatus(steps[i] % 3);
            if (next == current) {
                vm.expectRevert(
                    abi.encodeWithSelector(ITreasury.Treasury_IllegalModuleStatus.selector, module, current, next)
                );
            }
            if (next == current) treasury.restrictModule(module, current, next);
            else _setStatusOfModule(module, next);
            current = next;
            vm.assertTrue(treasury.statusOfModule(module) == current, "status");
        }
    }

    function _isModule() internal pure override returns (bool) {
        return true;
    }

    /// What there is, one more, some of it, or any amount.
    function _near(uint128 limit, uint128 amount, uint8 kind) private pure returns (uint128) {
        if (kind % 4 == 0) return limit;
        if (kind % 4 == 1) return limit < type(uint128).max ? limit + 1 : limit;
        return kind % 4 == 2 ? bound128(amount, 0, limit) : amount;
    }

    /// Gives one partner `deposited` and another `other`, together inside the largest supply.
    function _fund(uint128 deposited, uint128 other) private {
        vm.assume(other <= type(uint128).max - deposited);
        _deposit(ALIPAY_HK, deposited);
        _deposit(GCASH, other);
    }

    function _fundAndHold(uint128 deposited, uint128 other, uint128 held) private returns (uint128) {
        _fund(deposited, other);
        held = bound128(held, 0, deposited);
        treasury.hold(one(toHold(ALIPAY_HK, HKD, held)));
        return held;
    }

    function _deposit(PartnerId partner, uint128 amount) private {
        if (amount == 0) return;
        address treasurer = _treasurer(partner);
        tokens[HKD].mint(treasurer, amount);
        vm.startPrank(treasurer);
        tokens[HKD].approve(address(treasury), amount);
        treasury.deposit(partner, HKD, amount);
        vm.stopPrank();
    }

    function _expectInsufficientAvailable(uint128 available, uint128 amount) private {
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_InsufficientAvailable.selector, ALIPAY_HK, HKD, available, amount)
        );
    }

    function _expectInsufficientHeld(uint128 held, uint128 amount) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                ITreasury.Treasury_InsufficientHeld.selector,
                address(this),
                ALIPAY_HK,
                HKD,
                held,
                amount
            )
        );
    }

    /// The other partner, the other currencies and the tokens are as they were funded.
    function _checkUntouched(uint128 deposited, uint128 other) private view {
        _checkBalance(GCASH, other, 0);
        _checkTokens(uint256(deposited) + other);
        Balance memory balance = treasury.balanceOf(ALIPAY_HK, CNY);
        vm.assertEq(balance.available + balance.held, 0, "another currency");
    }

    function _checkBalance(PartnerId partner, uint256 available, uint256 held) private view {
        Balance memory balance = treasury.balanceOf(partner, HKD);
        vm.assertEq(balance.available, available, "available");
        vm.assertEq(balance.held, held, "held");
    }

    function _checkTokens(uint256 expected) private view {
        vm.assertEq(tokens[HKD].balanceOf(address(treasury)), expected, "tokens in the treasury");
    }
}
