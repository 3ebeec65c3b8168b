// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {toHold} from "../../../contracts/types/Hold.sol";
import {toRelease} from "../../../contracts/types/Release.sol";
import {one} from "../support/Movements.sol";
import {Balance, ITreasury, ModuleStatus} from "../../../contracts/core/interfaces/ITreasury.sol";
import {ISettlementToken} from "../../../contracts/core/interfaces/ISettlementToken.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {toHoldingId} from "../../../contracts/types/HoldingId.sol";
import {FUND} from "../../../contracts/types/KeyPurpose.sol";
import {HUB, PartnerId} from "../../../contracts/types/PartnerId.sol";
import {FalseToken} from "../../contracts/helpers/FalseToken.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {vm} from "../support/Vm.sol";

/// The arithmetic of balances, with this contract as a module.
contract TreasuryTest is LedgerFixture {
    uint128 private constant DEPOSITED = 1e12;
    CurrencyCode private constant FALSE = CurrencyCode.wrap(999);

    mapping(PartnerId => mapping(CurrencyCode => Balance)) private expected;

    function setUp() public {
        _deploy();
        _fundEveryone(1e15, DEPOSITED, 1e12);
        for (uint256 p = 0; p < everyone.length; ++p) {
            for (uint256 c = 0; c < currencies.length; ++c) expected[everyone[p]][currencies[c]].available = DEPOSITED;
        }
    }

    /// Any sequence of holds, releases and transfers, to oneself too, and of deposits and withdrawals in between.
    function testFuzz_BalancesFollowEverySequence(uint256[] memory seeds) public {
        for (uint256 i = 0; i < seeds.length && i < 24; ++i) _move(uint256(keccak256(abi.encode(seeds[i], i))));
        for (uint256 c = 0; c < currencies.length; ++c) {
            uint256 owed = 0;
            for (uint256 p = 0; p < everyone.length; ++p) {
                Balance memory actual = treasury.balanceOf(everyone[p], currencies[c]);
                Balance memory wanted = expected[everyone[p]][currencies[c]];
                vm.assertEq(actual.available, wanted.available, "available");
                vm.assertEq(actual.held, wanted.held, "held");
                owed += uint256(actual.available) + actual.held;
            }
            vm.assertEq(tokens[currencies[c]].balanceOf(address(treasury)), owed, "tokens, and what is owed");
        }
    }

    /// A transfer of held money to its own partner makes it available, and makes nothing.
    function testFuzz_TransferToOneselfIsARelease(uint128 held, uint128 amount) public {
        held = bound128(held, 1, DEPOSITED);
        amount = bound128(amount, 0, held);
        treasury.hold(one(toHold(GCASH, PHP, held)));
        vm.expectEmit(address(treasury));
        emit ITreasury.Released(toHoldingId(address(this), GCASH, PHP), amount);
        treasury.release(one(toRelease(GCASH, GCASH, PHP, amount)));
        Balance memory balance = treasury.balanceOf(GCASH, PHP);
        vm.assertEq(balance.held, held - amount, "held");
        vm.assertEq(balance.available, DEPOSITED - held + amount, "available");
    }

    function testFuzz_NobodyHoldsMoreThanThereIs(uint128 amount) public {
        amount = bound128(amount, uint256(DEPOSITED) + 1, type(uint128).max);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_InsufficientAvailable.selector, GCASH, PHP, DEPOSITED, amount)
        );
        treasury.hold(one(toHold(GCASH, PHP, amount)));
    }

    function testFuzz_NobodyReleasesMoreThanIsHeld(uint128 held, uint128 amount, bool transfers) public {
        held = bound128(held, 0, DEPOSITED);
        amount = bound128(amount, uint256(held) + 1, type(uint128).max);
        treasury.hold(one(toHold(GCASH, PHP, held)));
        vm.expectRevert(
            abi.encodeWithSelector(
                ITreasury.Treasury_InsufficientHeld.selector,
                address(this),
                GCASH,
                PHP,
                held,
                amount
            )
        );
        if (transfers) treasury.release(one(toRelease(GCASH, ALIPAY_HK, PHP, amount)));
        else treasury.release(one(toRelease(GCASH, GCASH, PHP, amount)));
    }

    /// What one module holds is out of another's reach, however much there is of it.
    function testFuzz_NoModuleReachesWhatAnotherHolds(uint128 own, uint128 others, uint128 amount, bool moves) public {
        own = bound128(own, 0, DEPOSITED - 1);
        others = bound128(others, 1, DEPOSITED - own);
        amount = bound128(amount, uint256(own) + 1, uint256(own) + others);
        treasury.hold(one(toHold(GCASH, PHP, others)));
        second.take(GCASH, HUB, PHP, own);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITreasury.Treasury_InsufficientHeld.selector,
                address(second),
                GCASH,
                PHP,
                own,
                amount
            )
        );
        second.grab(GCASH, moves ? ALIPAY_HK : GCASH, PHP, amount);
        second.giveBack(0);
        treasury.release(one(toRelease(GCASH, GCASH, PHP, others)));
        vm.assertEq(treasury.balanceOf(GCASH, PHP).available, DEPOSITED, "available");
    }

    /// A draining module gives back and takes nothing; one without status, and a stranger, do neither.
    function testFuzz_ModuleStatusDecides(uint128 amount, bool drains, address stranger) public {
        amount = bound128(amount, 1, DEPOSITED / 2);
        treasury.hold(one(toHold(GCASH, PHP, amount)));
        ModuleStatus status = drains ? ModuleStatus.Draining : ModuleStatus.None;
        treasury.restrictModule(address(this), ModuleStatus.Active, status);
        _expectUnauthorized(address(this), status);
        treasury.hold(one(toHold(GCASH, PHP, amount)));
        if (!drains) _expectUnauthorized(address(this), status);
        treasury.release(one(toRelease(GCASH, GCASH, PHP, amount)));
        if (drains) vm.assertEq(treasury.balanceOf(GCASH, PHP).held, 0, "held");

        vm.assume(stranger != address(this) && stranger != address(registry) && stranger != address(second));
        _expectUnauthorized(stranger, ModuleStatus.None);
        vm.prank(stranger);
        treasury.release(one(toRelease(GCASH, ALIPAY_HK, PHP, 1)));
    }

    /// Whatever part a token keeps of a transfer, the deposit fails: nobody is credited what did not arrive.
    function testFuzz_FeesOnTransferAreNotCredited(uint128 amount, uint16 feeBps) public {
        FalseToken token = _falseToken();
        feeBps = uint16(bound(feeBps, 1, 10_000));
        amount = bound128(amount, 10_000, 1e30);
        token.setFee(feeBps);
        token.mint(_treasurer(GCASH), amount);
        uint256 received = amount - (uint256(amount) * feeBps) / 10_000;
        vm.startPrank(_treasurer(GCASH));
        token.approve(address(treasury), amount);
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_AmountMismatch.selector, amount, received));
        treasury.deposit(GCASH, FALSE, amount);
        vm.stopPrank();
        vm.assertEq(treasury.balanceOf(GCASH, FALSE).available, 0, "credited");
    }

    /// One deposit inside another would count the same tokens twice: the outer one notices and undoes both.
    function testFuzz_DepositsDoNotNest(uint128 amount, uint128 inner) public {
        FalseToken token = _falseToken();
        amount = bound128(amount, 1, 1e30);
        inner = bound128(inner, 1, 1e30);
        token.mint(_treasurer(GCASH), amount);
        NestedDepositor depositor = new NestedDepositor(treasury, GCASH, FALSE, inner);
        token.mint(address(depositor), inner);
        depositor.approve(token);
        vm.prank(_admin(GCASH));
        partners.authorizeKey(GCASH, address(depositor), FUND, FOREVER);
        token.setHook(address(depositor), abi.encodeCall(depositor.deposit, ()));
        vm.startPrank(_treasurer(GCASH));
        token.approve(address(treasury), amount);
        vm.expectRevert(
            abi.encodeWithSelector(ITreasury.Treasury_AmountMismatch.selector, amount, uint256(amount) + inner)
        );
        treasury.deposit(GCASH, FALSE, amount);
        vm.stopPrank();
        vm.assertEq(treasury.balanceOf(GCASH, FALSE).available, 0, "credited");
    }

    function _isModule() internal pure override returns (bool) {
        return true;
    }

    function _move(uint256 seed) private {
        PartnerId from = everyone[draw(seed, "from") % everyone.length];
        // One in five is to itself.
        PartnerId to = everyone[draw(seed, "to") % everyone.length];
        CurrencyCode currency = currencies[draw(seed, "currency") % currencies.length];
        Balance storage balance = expected[from][currency];
        uint256 what = seed % 5;
        uint256 most = what == 1 || what == 2 ? balance.held : balance.available;
        uint128 amount = uint128(draw(seed, "amount") % (most + 1));
        if (what == 0) {
            treasury.hold(one(toHold(from, currency, amount)));
            (balance.available, balance.held) = (balance.available - amount, balance.held + amount);
        } else if (what == 1) {
            treasury.release(one(toRelease(from, from, currency, amount)));
            (balance.available, balance.held) = (balance.available + amount, balance.held - amount);
        } else if (what == 2) {
            treasury.release(one(toRelease(from, to, currency, amount)));
            balance.held -= amount;
            expected[to][currency].available += amount;
        } else {
            _moveTokens(from, currency, amount, what == 3);
        }
    }

    function _moveTokens(PartnerId partner, CurrencyCode currency, uint128 amount, bool withdraws) private {
        uint256 owned = tokens[currency].balanceOf(_treasurer(partner));
        if (!withdraws && amount > owned) amount = uint128(owned);
        if (amount == 0) return;
        vm.prank(_treasurer(partner));
        if (withdraws) {
            treasury.withdraw(partner, currency, amount, _treasurer(partner));
            expected[partner][currency].available -= amount;
        } else {
            treasury.deposit(partner, currency, amount);
            expected[partner][currency].available += amount;
        }
    }

    function _falseToken() private returns (FalseToken token) {
        token = new FalseToken(FALSE, address(treasury));
        treasury.registerToken(ISettlementToken(address(token)));
    }

    function _expectUnauthorized(address caller, ModuleStatus status) private {
        vm.expectRevert(abi.encodeWithSelector(ITreasury.Treasury_ModuleNotAuthorized.selector, caller, status));
    }
}

/// Deposits its own tokens while another deposit is under way.
contract NestedDepositor {
    ITreasury private immutable _treasury;
    PartnerId private immutable _partner;
    CurrencyCode private immutable _currency;
    uint128 private immutable _amount;
    bool private _done;

    constructor(ITreasury treasury, PartnerId partner, CurrencyCode currency, uint128 amount) {
        (_treasury, _partner, _currency, _amount) = (treasury, partner, currency, amount);
    }

    function approve(FalseToken token) external {
        token.approve(address(_treasury), type(uint256).max);
    }

    function deposit() external {
        if (_done) return;
        _done = true;
        _treasury.deposit(_partner, _currency, _amount);
    }
}
