// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Balance, ITreasury, ModuleStatus} from "../../../contracts/core/interfaces/ITreasury.sol";
import {Hold, toHold} from "../../../contracts/types/Hold.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {Release, toRelease} from "../../../contracts/types/Release.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {one} from "../support/Movements.sol";
import {vm} from "../support/Vm.sol";

/// Five modules on one treasury, with the largest supply there is: what is available shares a slot with what the first
/// holds, the second one's with the third's, and the fourth one's with the fifth's.
contract ManyModulesTest is LedgerFixture {
    uint256 private constant MODULES = 5;
    uint256 private constant STEPS = 16;

    /// What two partners should have: available, and held by each module.
    struct Books {
        uint128[2] available;
        uint128[MODULES][2] held;
    }

    struct Step {
        uint256 module;
        uint256 partner;
        uint256 receiver;
        bool holds;
        uint128 amount;
    }

    address[] private modules;
    PartnerId[2] private holders = [ALIPAY_HK, GCASH];

    function setUp() external {
        _deploy();
        modules = [address(registry), address(second), address(this), address(1 << 32), address(1 << 33)];
        for (uint256 m = 3; m < MODULES; ++m) _giveRights(modules[m], ModuleStatus.Active);
        address[] memory numbered = treasury.modules();
        vm.assertEq(keccak256(abi.encode(numbered)), keccak256(abi.encode(modules)), "modules by number");
        _attest(tokens[HKD], type(uint128).max, uint48(vm.getBlockTimestamp()));
    }

    /// Each step moves what its own module may move, and nothing else.
    function testFuzz_NoModuleChangesWhatAnotherHolds(uint128 deposited, uint256[STEPS] calldata steps) external {
        Books memory books;
        books.available = [deposited, type(uint128).max - deposited];
        for (uint256 p = 0; p < 2; ++p) _deposit(holders[p], books.available[p]);
        for (uint256 i = 0; i < STEPS; ++i) {
            Step memory step = _drawStep(books, uint256(keccak256(abi.encode(steps[i], i))));
            if (_move(books, step)) _post(books, step);
            _check(books);
        }
    }

    /// All the money there is, with one module after the other: each time nobody else has any.
    function testFuzz_AllMoneyGoesRound(uint256 first, uint256 partner) external {
        Books memory books;
        partner %= 2;
        books.available[partner] = type(uint128).max;
        _deposit(holders[partner], type(uint128).max);
        for (uint256 i = 0; i < 2 * MODULES; ++i) {
            uint256 module = ((first % MODULES) + i) % MODULES;
            Step memory step = Step(module, partner, partner, true, type(uint128).max);
            vm.assertTrue(_move(books, step), "held");
            _post(books, step);
            _check(books);
            step.holds = false;
            step.receiver = i % 2 == 0 ? 1 - partner : partner;
            vm.assertTrue(_move(books, step), "released");
            _post(books, step);
            _check(books);
            partner = step.receiver;
        }
    }

    /// Several movements in one call, of the same money or not, happen together or not at all.
    function testFuzz_MovementsOfOneCallHappenTogether(uint128 deposited, uint128[3] calldata drawn) external {
        Books memory books;
        books.available[0] = deposited;
        _deposit(holders[0], deposited);
        Hold[] memory holds = new Hold[](3);
        Release[] memory releases = new Release[](3);
        uint128[3] memory amounts = drawn;
        uint256 sum = 0;
        for (uint256 i = 0; i < 3; ++i) {
            // A part of what there is as often as any amount.
            if (amounts[i] % 2 == 0) amounts[i] = bound128(amounts[i], 0, deposited / 2);
            sum += amounts[i];
            holds[i] = toHold(holders[0], HKD, amounts[i]);
            releases[i] = toRelease(holders[0], holders[i % 2], HKD, amounts[i]);
        }
        bool covered = sum <= deposited;
        if (!covered) vm.expectPartialRevert(ITreasury.Treasury_InsufficientAvailable.selector);
        treasury.hold(holds);
        if (covered) (books.available[0], books.held[0][2]) = (uint128(deposited - sum), uint128(sum));
        _check(books);

        if (!covered) vm.expectPartialRevert(ITreasury.Treasury_InsufficientHeld.selector);
        // Without a movement of more than nothing there is nothing to be short of: the last asks for one unit too many.
        if (!covered) releases[2] = toRelease(holders[0], holders[0], HKD, 1);
        treasury.release(releases);
        if (covered) {
            books.available = [uint128(deposited - amounts[1]), amounts[1]];
            books.held[0][2] = 0;
        }
        _check(books);
    }

    function _isModule() internal pure override returns (bool) {
        return true;
    }

    function _drawStep(Books memory books, uint256 seed) private pure returns (Step memory step) {
        step.module = draw(seed, "module") % MODULES;
        step.partner = draw(seed, "partner") % 2;
        step.receiver = draw(seed, "receiver") % 2;
        step.holds = draw(seed, "holds") % 2 == 0;
        uint128 limit = _limitOf(books, step);
        uint256 kind = draw(seed, "kind") % 8;
        uint256 drawn = draw(seed, "amount");
        if (kind == 0) step.amount = limit;
        else if (kind == 1) step.amount = limit < type(uint128).max ? limit + 1 : limit;
        else if (kind == 2) step.amount = uint128(drawn);
        else step.amount = bound128(drawn, 0, limit);
    }

    /// As the module asks, or refused with what the module may move and how much it asked for.
    function _move(Books memory books, Step memory step) private returns (bool moves) {
        PartnerId partner = holders[step.partner];
        uint128 limit = _limitOf(books, step);
        moves = step.amount <= limit;
        address module = modules[step.module];
        if (!moves) {
            vm.expectRevert(
                step.holds
                    ? abi.encodeWithSelector(
                        ITreasury.Treasury_InsufficientAvailable.selector,
                        partner,
                        HKD,
                        limit,
                        step.amount
                    )
                    : abi.encodeWithSelector(
                        ITreasury.Treasury_InsufficientHeld.selector,
                        module,
                        partner,
                        HKD,
                        limit,
                        step.amount
                    )
            );
        }
        vm.prank(module);
        if (step.holds) treasury.hold(one(toHold(partner, HKD, step.amount)));
        else treasury.release(one(toRelease(partner, holders[step.receiver], HKD, step.amount)));
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

    function _check(Books memory books) private view {
        for (uint256 p = 0; p < 2; ++p) {
            Balance memory balance = treasury.balanceOf(holders[p], HKD);
            vm.assertEq(balance.available, books.available[p], "available");
            uint256 held = 0;
            for (uint256 m = 0; m < MODULES; ++m) {
                uint128 own = treasury.heldBy(modules[m], holders[p], HKD);
                vm.assertEq(own, books.held[p][m], "held by a module");
                held += own;
            }
            vm.assertEq(balance.held, held, "held by all");
            vm.assertEq(treasury.heldBy(address(manager), holders[p], HKD), 0, "held by what never was a module");
            balance = treasury.balanceOf(holders[p], CNY);
            vm.assertEq(uint256(balance.available) + balance.held, 0, "another currency");
        }
    }

    function _post(Books memory books, Step memory step) private pure {
        if (step.holds) {
            books.available[step.partner] -= step.amount;
            books.held[step.partner][step.module] += step.amount;
        } else {
            books.held[step.partner][step.module] -= step.amount;
            books.available[step.receiver] += step.amount;
        }
    }

    function _limitOf(Books memory books, Step memory step) private pure returns (uint128) {
        return step.holds ? books.available[step.partner] : books.held[step.partner][step.module];
    }
}
