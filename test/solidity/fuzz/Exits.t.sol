// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {toHold} from "../../../contracts/types/Hold.sol";
import {toRelease} from "../../../contracts/types/Release.sol";
import {one} from "../support/Movements.sol";
import {Partner, PartnerStatus} from "../../../contracts/core/interfaces/IPartnerRegistry.sol";
import {ModuleAnnouncement, ModuleStatus} from "../../../contracts/core/interfaces/ITreasury.sol";
import {FUND} from "../../../contracts/types/KeyPurpose.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {vm} from "../support/Vm.sol";

/// A partner's way out, against those who could rob it together: the guardian, the upgrader, the registrar and a thief
/// whom they make the partner's admin, with a supervisor who reactivates at the worst moment. No role has a delay here:
/// what protects the partner is in the contracts alone.
contract ExitsTest is LedgerFixture {
    uint128 private constant DEPOSITED = 1e12;
    uint256 private constant STEPS = 24;
    address private constant EXIT = address(uint160(uint256(keccak256("exit"))));
    address private constant THIEF = address(uint160(uint256(keccak256("thief"))));

    function setUp() external {
        _deploy();
        _fundEveryone(1e15, DEPOSITED, 0);
        vm.prank(_admin(GCASH));
        partners.setExitAccount(GCASH, EXIT);
        vm.warp(START + partners.EXIT_DELAY());
        vm.etch(THIEF, hex"00");
    }

    /// The partner cannot withdraw from the first step on, and looks whether it may leave at most two days apart.
    function testFuzz_NobodyTakesWhatAPartnerCanStillTakeOut(uint256[STEPS] calldata steps) external {
        if (steps[0] % 2 == 0) partners.suspend(GCASH);
        else partners.freeze(GCASH);
        for (uint256 i = 0; i < STEPS; ++i) {
            vm.warp(vm.getBlockTimestamp() + (draw(steps[i], "later") % 2 days));
            _leave();
            _conspire(uint256(keccak256(abi.encode(steps[i], i))));
            _rob();
            vm.assertEq(tokens[PHP].balanceOf(THIEF), 0, "stolen");
        }
        vm.warp(vm.getBlockTimestamp() + partners.RESTRICTION_LIMIT());
        _leave();
        vm.assertEq(tokens[PHP].balanceOf(EXIT), DEPOSITED, "taken out");
    }

    /// However the restriction is renewed, the exit opens within its limit of the first one.
    function testFuzz_TheLimitComesWhateverIsRepeated(uint256[STEPS] calldata steps) external {
        uint256 end = vm.getBlockTimestamp() + partners.RESTRICTION_LIMIT();
        partners.suspend(GCASH);
        for (uint256 i = 0; i < STEPS; ++i) {
            uint256 later = vm.getBlockTimestamp() + (draw(steps[i], "later") % 12 hours);
            if (later >= end) break;
            vm.warp(later);
            _restrictAnew(steps[i]);
        }
        vm.warp(end);
        _leave();
        vm.assertEq(tokens[PHP].balanceOf(EXIT), DEPOSITED, "taken out");
    }

    function _conspire(uint256 seed) private {
        uint256 what = draw(seed, "what") % 7;
        if (what == 0) _restrictAnew(seed);
        else if (what == 1) _try(address(partners), abi.encodeCall(partners.freeze, (GCASH)));
        else if (what == 2)
            _try(address(treasury), abi.encodeCall(treasury.announceModule, (THIEF, ModuleStatus.Active)));
        else if (what == 3)
            _try(address(treasury), abi.encodeCall(treasury.activateModule, (THIEF, ModuleStatus.Active)));
        else if (what == 4) _try(address(treasury), abi.encodeCall(treasury.cancelModule, (THIEF)));
        else if (what == 5) _replaceAdmin();
        else if (draw(seed, "drain") % 2 == 0) _drain();
    }

    /// Active for no time at all: nobody can withdraw in between.
    function _restrictAnew(uint256 seed) private {
        uint32 epoch = partners.standingOf(GCASH).statusEpoch;
        _try(address(partners), abi.encodeCall(partners.reactivate, (GCASH, epoch)));
        bool freezes = draw(seed, "freezes") % 2 == 0;
        _rob();
        _try(
            address(partners),
            freezes ? abi.encodeCall(partners.freeze, (GCASH)) : abi.encodeCall(partners.suspend, (GCASH))
        );
    }

    /// The thief becomes the partner's admin, makes itself a key, and the exit account as soon as it can.
    function _replaceAdmin() private {
        Partner memory partner = partners.partnerOf(GCASH);
        partners.setAdmin(GCASH, partner.keyEpoch, address(this));
        partners.authorizeKey(GCASH, THIEF, FUND, FOREVER);
        partners.setExitAccount(GCASH, THIEF);
    }

    function _drain() private {
        ModuleStatus status = treasury.statusOfModule(THIEF);
        ModuleAnnouncement memory announced = treasury.announcementOf(THIEF);
        if (status == ModuleStatus.None || announced.status != ModuleStatus.None) return;
        treasury.restrictModule(THIEF, status, ModuleStatus.None);
    }

    /// By every way there is, whether or not it is open.
    function _rob() private {
        if (treasury.statusOfModule(THIEF) == ModuleStatus.Active) {
            uint128 available = treasury.balanceOf(GCASH, PHP).available;
            vm.startPrank(THIEF);
            treasury.hold(one(toHold(GCASH, PHP, available)));
            treasury.release(one(toRelease(GCASH, ALIPAY_HK, PHP, available)));
            vm.stopPrank();
            vm.assertEq(available, 0, "stolen by a module");
        }
        vm.prank(THIEF);
        _try(address(treasury), abi.encodeCall(treasury.withdraw, (GCASH, PHP, DEPOSITED, THIEF)));
        vm.prank(THIEF);
        _try(address(treasury), abi.encodeCall(treasury.exit, (GCASH, PHP)));
    }

    function _leave() private {
        vm.prank(EXIT);
        _try(address(treasury), abi.encodeCall(treasury.exit, (GCASH, PHP)));
        // Nobody else's: an honest end is that the partner withdraws.
        if (partners.partnerOf(GCASH).status != PartnerStatus.Active) return;
        if (treasury.balanceOf(GCASH, PHP).available == 0) return;
        partners.suspend(GCASH);
    }

    function _try(address target, bytes memory call) private returns (bool success) {
        (success, ) = target.call(call);
    }
}
