// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IPartnerRegistry, PartnerStatus} from "../../../contracts/core/interfaces/IPartnerRegistry.sol";
import {ISettlementToken} from "../../../contracts/core/interfaces/ISettlementToken.sol";
import {ITreasury} from "../../../contracts/core/interfaces/ITreasury.sol";
import {SettlementToken} from "../../../contracts/core/SettlementToken.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {FUND} from "../../../contracts/types/KeyPurpose.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {Drafts} from "./Drafts.sol";
import {vm} from "../support/Vm.sol";

/// Moves money in and out: deposits, withdrawals, mints, redemptions, and gifts that must not get through.
abstract contract MoneyActions is Drafts {
    mapping(CurrencyCode => uint256 reserve) private _reserves;
    mapping(CurrencyCode => uint48 asOf) private _attestedAt;
    /// What was redeemed, second by second.
    mapping(CurrencyCode => mapping(uint48 second => uint256)) private _redeemed;
    mapping(CurrencyCode => uint48[] seconds_) private _redeemedAt;

    constructor() {
        for (uint256 c = 0; c < currencies.length; ++c) {
            _reserves[currencies[c]] = RESERVE;
            _attestedAt[currencies[c]] = wallTime;
        }
    }

    function moveMoney(uint256 seed) external step {
        seed = _fresh(seed);
        uint256 what = draw(seed, "move") % 10;
        if (what < 2) _deposit(seed);
        else if (what < 5) _withdraw(seed);
        else if (what < 7) _mint(seed);
        else if (what < 8) _redeem(seed);
        else _donate(seed);
    }

    /// A partner leaves by its exit account, or tries to before it may.
    function leave(uint256 seed) external step {
        seed = _fresh(seed);
        (PartnerId partner, CurrencyCode currency) = (_randomPartner(seed), _randomCurrency(seed));
        for (uint256 i = 0; i < everyone.length && !_chance(seed, "anyone", 4); ++i) {
            if (statuses[everyone[i]] != PartnerStatus.Active) partner = everyone[i];
        }
        bool isThief = _chance(seed, "thief", 8);
        uint128 available = balances[partner][currency].available;
        bytes4 expected;
        if (isThief) expected = IPartnerRegistry.PartnerRegistry_NotExitAccount.selector;
        else if (statuses[partner] == PartnerStatus.Active) expected = IPartnerRegistry.PartnerRegistry_NoExit.selector;
        else if (!_isExitOpen(partner)) expected = ITreasury.Treasury_ExitNotOpen.selector;
        else if (available == 0) expected = ITreasury.Treasury_ZeroAmount.selector;
        bytes4 outcome;
        vm.prank(isThief ? _admin(partner) : _exitAccount(partner));
        try treasury.exit(partner, currency) returns (uint128 amount) {
            vm.assertEq(amount, available, "paid, and available");
            balances[partner][currency].available = 0;
            // It goes on from where it was.
            vm.prank(_exitAccount(partner));
            tokens[currency].transfer(_treasurer(partner), amount);
        } catch (bytes memory reason) {
            outcome = bytes4(reason);
        }
        _record("exit", expected, outcome);
    }

    /// What the ledger must not let be minted again: all that was redeemed since the money was counted.
    function redeemedSinceCount(CurrencyCode currency) public view returns (uint256 redeemed) {
        uint48[] storage seconds_ = _redeemedAt[currency];
        for (uint256 i = seconds_.length; i > 0 && seconds_[i - 1] >= _attestedAt[currency]; --i) {
            redeemed += _redeemed[currency][seconds_[i - 1]];
        }
    }

    /// Only so that it can be tried.
    function attest(CurrencyCode currency, uint128 reserve, uint48 asOf) external {
        _attest(tokens[currency], reserve, asOf);
    }

    function _deposit(uint256 seed) private {
        (PartnerId partner, CurrencyCode currency) = (_randomPartner(seed), _randomCurrency(seed));
        (address caller, bytes4 expected) = _funder(seed, partner);
        uint128 amount = _amount(seed, tokens[currency].balanceOf(caller));
        if (expected == 0 && amount == 0) expected = ITreasury.Treasury_ZeroAmount.selector;
        if (expected == 0 && amount > tokens[currency].balanceOf(caller)) {
            expected = IERC20Errors.ERC20InsufficientBalance.selector;
        }
        bytes4 outcome;
        vm.prank(caller);
        try treasury.deposit(partner, currency, amount) {
            balances[partner][currency].available += amount;
        } catch (bytes memory reason) {
            outcome = bytes4(reason);
        }
        _record("deposit", expected, outcome);
    }

    function _withdraw(uint256 seed) private {
        (PartnerId partner, CurrencyCode currency) = (_randomPartner(seed), _randomCurrency(seed));
        (address caller, bytes4 expected) = _funder(seed, partner);
        uint128 available = balances[partner][currency].available;
        uint128 amount = _amount(seed, available);
        address to = _chance(seed, "to treasury", 8) ? address(treasury) : _treasurer(_randomPartner(~seed));
        if (expected == 0 && statuses[partner] != PartnerStatus.Active) {
            expected = IPartnerRegistry.PartnerRegistry_PartnerNotActive.selector;
        }
        if (expected == 0 && amount == 0) expected = ITreasury.Treasury_ZeroAmount.selector;
        if (expected == 0 && to == address(treasury)) expected = ITreasury.Treasury_InvalidRecipient.selector;
        if (expected == 0 && amount > available) expected = ITreasury.Treasury_InsufficientAvailable.selector;
        bytes4 outcome;
        vm.prank(caller);
        try treasury.withdraw(partner, currency, amount, to) {
            balances[partner][currency].available -= amount;
        } catch (bytes memory reason) {
            outcome = bytes4(reason);
        }
        _record("withdraw", expected, outcome);
    }

    /// Attests first, most often: more, less than the supply, or out of order.
    function _mint(uint256 seed) private {
        CurrencyCode currency = _randomCurrency(seed);
        if (!_chance(seed, "stale", 4)) _tryAttest(seed, currency);
        uint256 amount = draw(seed, "amount") % (_chance(seed, "much", 4) ? RESERVE : 1e7);
        address to = _chance(seed, "to treasury", 4) ? address(treasury) : _treasurer(_randomPartner(seed));
        bytes4 expected;
        if (wallTime > uint256(_attestedAt[currency]) + MAX_ATTESTATION_AGE) {
            expected = ISettlementToken.SettlementToken_AttestationStale.selector;
        } else if (supply[currency] + redeemedSinceCount(currency) + amount > _reserves[currency]) {
            expected = ISettlementToken.SettlementToken_ReserveExceeded.selector;
        } else if (to == address(treasury)) {
            expected = ISettlementToken.SettlementToken_DepositInstead.selector;
        }
        bytes4 outcome;
        try tokens[currency].mint(to, amount) {
            supply[currency] += amount;
            reserveAtLastMint[currency] = _reserves[currency] - redeemedSinceCount(currency);
        } catch (bytes memory reason) {
            outcome = bytes4(reason);
        }
        _record("mint", expected, outcome);
    }

    function _redeem(uint256 seed) private {
        CurrencyCode currency = _randomCurrency(seed);
        SettlementToken token = tokens[currency];
        address holder = _treasurer(_randomPartner(seed));
        uint256 amount = _amount(seed, token.balanceOf(holder));
        bool covered = amount <= token.balanceOf(holder);
        bytes4 outcome;
        vm.prank(holder);
        try token.redeem(amount, bytes32(seed)) {
            supply[currency] -= amount;
            uint48[] storage seconds_ = _redeemedAt[currency];
            if (seconds_.length == 0 || seconds_[seconds_.length - 1] != wallTime) seconds_.push(wallTime);
            _redeemed[currency][wallTime] += amount;
        } catch (bytes memory reason) {
            outcome = bytes4(reason);
        }
        _record("redeem", covered ? bytes4(0) : IERC20Errors.ERC20InsufficientBalance.selector, outcome);
    }

    /// Tokens sent to the treasury past its `deposit` would be nobody's.
    function _donate(uint256 seed) private {
        SettlementToken token = tokens[_randomCurrency(seed)];
        address holder = _treasurer(_randomPartner(seed));
        uint256 amount = draw(seed, "amount") % (1 + token.balanceOf(holder));
        address sender = address(this);
        bytes4 outcome;
        if (_chance(seed, "directly", 2)) {
            vm.prank(holder);
            try token.transfer(address(treasury), amount) {} catch (bytes memory reason) {
                outcome = bytes4(reason);
            }
        } else {
            vm.prank(holder);
            token.approve(sender, amount);
            try token.transferFrom(holder, address(treasury), amount) {} catch (bytes memory reason) {
                outcome = bytes4(reason);
            }
        }
        _record("donate", ISettlementToken.SettlementToken_DepositInstead.selector, outcome);
    }

    function _tryAttest(uint256 seed, CurrencyCode currency) private {
        bool isLow = _chance(seed, "low", 6);
        uint128 reserve = uint128(isLow ? supply[currency] / 2 : supply[currency] + (draw(seed, "reserve") % 1e8));
        uint48 asOf = wallTime + 1 - uint48(draw(seed, "age") % 4);
        bool inOrder = asOf > _attestedAt[currency] && asOf <= wallTime;
        bytes4 outcome;
        try this.attest(currency, reserve, asOf) {
            (_reserves[currency], _attestedAt[currency]) = (reserve, asOf);
        } catch (bytes memory reason) {
            outcome = bytes4(reason);
        }
        _record(
            "attest",
            inOrder ? bytes4(0) : ISettlementToken.SettlementToken_AttestationOutOfOrder.selector,
            outcome
        );
    }

    /// One in eight is a key that may not.
    function _funder(uint256 seed, PartnerId partner) private view returns (address caller, bytes4 expected) {
        caller = _chance(seed, "operator", 8) ? _operator(partner).claimed : _treasurer(partner);
        if (_mayAct(partner, caller, FUND)) return (caller, 0);
        return (caller, IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector);
    }

    /// Up to a half of what there is; sometimes nothing, sometimes one too many.
    function _amount(uint256 seed, uint256 most) private pure returns (uint128) {
        if (_chance(seed, "none", 16)) return 0;
        return uint128(_chance(seed, "too much", 8) ? most + 1 : draw(seed, "amount") % (most / 2 + 1));
    }
}
