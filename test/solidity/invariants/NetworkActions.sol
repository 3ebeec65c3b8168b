// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {CorridorTerms, ICorridorBook} from "../../../contracts/core/interfaces/ICorridorBook.sol";
import {IPartnerRegistry, OperatorKey, PartnerStatus} from "../../../contracts/core/interfaces/IPartnerRegistry.sol";
import {IModule} from "../../../contracts/core/interfaces/IModule.sol";
import {ITreasury, ModuleStatus} from "../../../contracts/core/interfaces/ITreasury.sol";
import {CorridorId} from "../../../contracts/types/CorridorId.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {Drafts} from "./Drafts.sol";
import {vm} from "../support/Vm.sol";

/// What governance, the guardian and partners' admins do while batches are in flight. They mend more than they break,
/// so that a long history does not end with everyone frozen.
abstract contract NetworkActions is Drafts {
    function govern(uint256 seed) external step {
        seed = _fresh(seed);
        // What stops every batch does not last.
        if (paused && _chance(seed, "resume", 2)) return _pauseOrUnpause(seed);
        if (moduleStatus != ModuleStatus.Active && _chance(seed, "restore", 2)) return _changeModule(seed);
        if (_isAnyoneDown() && _chance(seed, "reinstate", 2)) return _changeStatus(seed);
        if (threatened && _chance(seed, "relieve", 2)) return _threatenOrRelieve(seed);
        uint256 what = draw(seed, "govern") % 9;
        if (what < 2) _changeStatus(seed);
        else if (what < 4) _rotateKey(seed);
        else if (what < 6) _changeCorridor(seed);
        else if (what == 6) _pauseOrUnpause(seed);
        else if (what == 7) _threatenOrRelieve(seed);
        else _changeModule(seed);
    }

    /// What was scheduled for another state of the ledger comes too late.
    function outdate(uint256 seed) external step {
        seed = _fresh(seed);
        PartnerId partner = _randomPartner(seed);
        uint256 what = draw(seed, "outdated") % 3;
        if (what == 0 && statuses[partner] != PartnerStatus.Active) {
            uint32 epoch = partners.standingOf(partner).statusEpoch - 1;
            bytes4 outcome = _try(address(partners), abi.encodeCall(partners.reactivate, (partner, epoch)));
            _record("reactivate late", IPartnerRegistry.PartnerRegistry_StatusEpochMismatch.selector, outcome);
        } else if (what == 1 && paused) {
            bytes4 outcome = _try(address(registry), abi.encodeCall(registry.unpause, (registry.pauseEpoch() - 1)));
            _record("unpause late", IModule.Module_PauseEpochMismatch.selector, outcome);
        } else {
            CorridorId corridor = _corridor(draw(seed, "corridor") % exchangeCorridors.length);
            CorridorTerms memory next = CorridorTerms(true, 0, 1, 1);
            uint32 epoch = corridorBook.epochOf(corridor) - 1;
            bytes4 outcome = _try(
                address(corridorBook),
                abi.encodeCall(corridorBook.setCorridor, (corridor, epoch, next))
            );
            _record("setCorridor late", ICorridorBook.CorridorBook_EpochMismatch.selector, outcome);
        }
    }

    function _changeStatus(uint256 seed) private {
        PartnerId partner = _randomPartner(seed);
        for (uint256 i = 0; i < everyone.length && !_chance(seed, "anyone", 4); ++i) {
            if (statuses[everyone[i]] != PartnerStatus.Active) partner = everyone[i];
        }
        PartnerStatus current = statuses[partner];
        PartnerStatus next =
            current != PartnerStatus.Active && !_chance(seed, "worse", 4)
                ? PartnerStatus.Active
                : _chance(seed, "freeze", 2)
                    ? PartnerStatus.Frozen
                    : PartnerStatus(1 + (draw(seed, "status") % 3));
        // Only an active partner can be suspended; nobody can become what it is.
        bool legal = next != current && (next != PartnerStatus.Suspended || current == PartnerStatus.Active);
        bytes memory call =
            next == PartnerStatus.Suspended
                ? abi.encodeCall(partners.suspend, partner)
                : next == PartnerStatus.Frozen
                    ? abi.encodeCall(partners.freeze, partner)
                    : abi.encodeCall(partners.reactivate, (partner, partners.standingOf(partner).statusEpoch));
        bytes4 outcome = _try(address(partners), call);
        if (outcome == 0) _noteStatus(partner, next);
        _record("changeStatus", legal ? bytes4(0) : IPartnerRegistry.PartnerRegistry_IllegalStatus.selector, outcome);
    }

    /// A new operator key for a partner, some valid for a while only; the old one is revoked, or overlaps.
    function _rotateKey(uint256 seed) private {
        PartnerId partner = _randomPartner(seed);
        address previous = operators[partner];
        address next = vm.addr(_operatorKey(partner, generations[partner] + 1));
        uint48 validUntil = _chance(seed, "short", 10) ? wallTime + uint48(draw(seed, "validity") % 1 days) : FOREVER;
        bool isAdmin = !_chance(seed, "not admin", 6);
        address caller = isAdmin ? _admin(partner) : _treasurer(partner);
        vm.prank(caller);
        bytes4 outcome = _try(
            address(partners),
            abi.encodeCall(partners.authorizeKey, (partner, next, OPERATOR, validUntil))
        );
        _record("authorizeKey", isAdmin ? bytes4(0) : IPartnerRegistry.PartnerRegistry_NotAdmin.selector, outcome);
        if (outcome != 0) return;
        keys[partner][next] = OperatorKey(OPERATOR, validUntil, 0);
        (operators[partner], generations[partner]) = (next, generations[partner] + 1);
        if (_chance(seed, "overlap", 2)) return;
        vm.prank(caller);
        _record("revokeKey", 0, _try(address(partners), abi.encodeCall(partners.revokeKey, (partner, previous))));
        delete keys[partner][previous];
    }

    function _changeCorridor(uint256 seed) private {
        uint256 count = exchangeCorridors.length + sameCurrencyCorridors.length;
        CorridorId corridor = _corridor(draw(seed, "corridor") % count);
        if (_chance(seed, "close", 5)) return _closeCorridor(corridor);
        for (uint256 i = 0; i < count; ++i) if (!terms[_corridor(i)].open) corridor = _corridor(i);
        CorridorTerms memory next = CorridorTerms(true, FEE_BPS, MAX_PER_BATCH, MAX_PER_DAY);
        if (_chance(seed, "tight", 2)) {
            next.feeBps = uint16(draw(seed, "fee") % 1_100);
            next.maxPerBatch = uint64(1e6 + (draw(seed, "batch") % 4e6));
            next.maxPerDay = uint64(next.maxPerBatch + (draw(seed, "day") % 4e6));
            if (_chance(seed, "upside down", 6)) next.maxPerDay = next.maxPerBatch - 1;
        }
        bool valid = next.feeBps <= 1_000 && next.maxPerBatch <= next.maxPerDay;
        uint32 epoch = corridorBook.epochOf(corridor);
        bytes4 outcome = _try(address(corridorBook), abi.encodeCall(corridorBook.setCorridor, (corridor, epoch, next)));
        _record("setCorridor", valid ? bytes4(0) : ICorridorBook.CorridorBook_Invalid.selector, outcome);
        if (valid) terms[corridor] = next;
    }

    function _closeCorridor(CorridorId corridor) private {
        bytes4 expected = terms[corridor].open ? bytes4(0) : ICorridorBook.CorridorBook_Closed.selector;
        _record(
            "closeCorridor",
            expected,
            _try(address(corridorBook), abi.encodeCall(corridorBook.closeCorridor, corridor))
        );
        terms[corridor].open = false;
    }

    function _pauseOrUnpause(uint256 seed) private {
        if (paused ? _chance(seed, "again", 4) : _chance(seed, "pause", 2)) {
            bytes4 expected = paused ? Pausable.EnforcedPause.selector : bytes4(0);
            _record("pause", expected, _try(address(registry), abi.encodeCall(registry.pause, ())));
            paused = true;
        } else {
            bytes4 expected = paused ? bytes4(0) : Pausable.ExpectedPause.selector;
            _record(
                "unpause",
                expected,
                _try(address(registry), abi.encodeCall(registry.unpause, (registry.pauseEpoch())))
            );
            paused = false;
        }
    }

    /// Draining, or revoked by mistake, then active again after the notice.
    function _changeModule(uint256 seed) private {
        if (moduleStatus == ModuleStatus.Active) {
            ModuleStatus next = ModuleStatus(draw(seed, "module") % 3);
            bytes4 expected = next == moduleStatus ? ITreasury.Treasury_IllegalModuleStatus.selector : bytes4(0);
            bytes memory restriction = abi.encodeCall(treasury.restrictModule, (address(registry), moduleStatus, next));
            _record("restrictModule", expected, _try(address(treasury), restriction));
            moduleStatus = next;
            return;
        }
        // Not at once, so that others run into it.
        if (_chance(seed, "later", 2)) return;
        (address module, ModuleStatus active) = (address(registry), ModuleStatus.Active);
        bytes memory call = abi.encodeCall(treasury.announceModule, (module, active));
        _record("announceModule", 0, _try(address(treasury), call));
        call = abi.encodeCall(treasury.activateModule, (module, active));
        bytes4 early = ITreasury.Treasury_ModuleNoticeNotOver.selector;
        _record("activateModule", early, _try(address(treasury), call));
        _pass(treasury.MODULE_NOTICE());
        _record("activateModule", 0, _try(address(treasury), call));
        (moduleStatus, activatedAt) = (active, wallTime);
    }

    /// A module is announced that never becomes active: the announcement is cancelled, or goes out of date.
    function _threatenOrRelieve(uint256 seed) private {
        address threat = address(manager);
        if (threatened && _chance(seed, "cancel", 2)) {
            _record("cancelModule", 0, _try(address(treasury), abi.encodeCall(treasury.cancelModule, (threat))));
            threatened = false;
            return;
        }
        uint256 until = treasury.announcementOf(threat).until;
        bytes4 expected = wallTime <= until ? ITreasury.Treasury_ModuleAlreadyAnnounced.selector : bytes4(0);
        bytes memory call = abi.encodeCall(treasury.announceModule, (threat, ModuleStatus.Active));
        _record("announceModule", expected, _try(address(treasury), call));
        threatened = true;
    }

    function _isAnyoneDown() private view returns (bool) {
        for (uint256 i = 0; i < everyone.length; ++i) if (statuses[everyone[i]] != PartnerStatus.Active) return true;
        return false;
    }

    function _try(address target, bytes memory call) private returns (bytes4) {
        (bool success, bytes memory result) = target.call(call);
        return success ? bytes4(0) : bytes4(result);
    }
}
