// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Time that stops while the ledger is halted
/// @notice A BFT ledger stops when too many of its validators do, and its first block back carries the time of the
/// outside world. Deadlines read from the block timestamp would then all be past at once. This clock counts only time
/// in which the ledger was seen to run: each beat adds the time since the beat before it, but never more than `grace`.
/// Whatever lies beyond the grace is lost to the clock, for everyone alike.
interface ILedgerClock {
    /// @notice The ledger did not run, or nobody beat, for longer than the grace.
    /// @param time ledger time after this beat, in seconds
    /// @param lost seconds of wall-clock time that ledger time does not count
    event TimeLost(uint48 time, uint48 lost);

    /// @notice The interval is zero, or the grace leaves no room for one missed beat.
    error LedgerClock_InvalidGrace(uint32 beatInterval, uint32 grace);

    /// @notice Advances the clock. Anyone may call; every batch operation does. Writes nothing when the last beat is
    /// younger than the beat interval.
    /// @return now_ ledger time, in seconds
    function beat() external returns (uint48 now_);

    /// @notice The last beat that was written down.
    /// @return beatTime ledger time after it, in seconds
    /// @return beatAt the block timestamp it was made at
    function lastBeat() external view returns (uint48 beatTime, uint48 beatAt);

    /// @notice Ledger time in seconds: at most `grace` past the last beat, and never ahead of the block timestamp.
    function time() external view returns (uint48);

    /// @notice Seconds by which ledger time is behind the block timestamp: all the time ever lost.
    function lag() external view returns (uint48);

    /// @notice Shortest time between two beats that are written down, in seconds.
    function beatInterval() external view returns (uint32);

    /// @notice Longest time without a beat that still counts in full, in seconds.
    function grace() external view returns (uint32);
}
