// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILedgerClock} from "./interfaces/ILedgerClock.sol";

/// @title LedgerClock
/// @notice See {ILedgerClock}. A base of the contract whose deadlines it keeps, so that telling the time costs no call.
abstract contract LedgerClock is ILedgerClock {
    /// @inheritdoc ILedgerClock
    uint32 public immutable beatInterval;
    /// @inheritdoc ILedgerClock
    uint32 public immutable grace;

    // One slot: the ledger time of the last beat, and the block timestamp it was made at.
    uint48 private _beatTime;
    uint48 private _beatAt;

    /// @param beatInterval_ see `beatInterval`, in seconds
    /// @param grace_ see `grace`, in seconds; at least twice the interval
    constructor(uint32 beatInterval_, uint32 grace_) {
        if (beatInterval_ == 0 || grace_ / 2 < beatInterval_) revert LedgerClock_InvalidGrace(beatInterval_, grace_);
        beatInterval = beatInterval_;
        grace = grace_;
        _beatTime = uint48(block.timestamp);
        _beatAt = uint48(block.timestamp);
    }

    /// @inheritdoc ILedgerClock
    function lag() external view returns (uint48) {
        return uint48(block.timestamp) - time();
    }

    /// @inheritdoc ILedgerClock
    function lastBeat() external view returns (uint48 beatTime, uint48 beatAt) {
        return (_beatTime, _beatAt);
    }

    /// @inheritdoc ILedgerClock
    function beat() public returns (uint48 now_) {
        uint48 elapsed = uint48(block.timestamp) - _beatAt;
        now_ = _timeAfter(elapsed);
        if (elapsed < beatInterval) return now_;
        _beatTime = now_;
        _beatAt = uint48(block.timestamp);
        if (elapsed > grace) emit TimeLost(now_, elapsed - grace);
    }

    /// @inheritdoc ILedgerClock
    function time() public view returns (uint48) {
        return _timeAfter(uint48(block.timestamp) - _beatAt);
    }

    function _timeAfter(uint48 elapsed) private view returns (uint48) {
        return _beatTime + (elapsed > grace ? grace : elapsed);
    }
}
