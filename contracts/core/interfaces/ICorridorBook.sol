// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CorridorId} from "../../types/CorridorId.sol";
import {IForModules} from "./IForModules.sol";

struct CorridorTerms {
    bool open;
    /// network fee in basis points of the source total, rounded up, on top of it
    uint16 feeBps;
    /// largest source total of one batch, in source minor units
    uint64 maxPerBatch;
    /// largest sum of source totals opened in one UTC day, in source minor units
    uint64 maxPerDay;
}

/// @title Corridors, their terms, and what is left of their day
/// @notice Whichever module sends money through a corridor draws here, so that its limits bound all of them together.
/// A day is a UTC day of block time.
///
/// A call of governance names the epoch that it was made for. One that was scheduled before something else happened
/// then reverts.
interface ICorridorBook is IForModules {
    /// @notice A corridor has these terms from now on.
    event CorridorChanged(CorridorId indexed corridor, CorridorTerms terms);

    /// @notice The corridor is closed, or was never opened.
    error CorridorBook_Closed(CorridorId corridor);
    /// @notice The source total is above the corridor's limit for a batch (ISO 20022: AM02).
    error CorridorBook_BatchLimitExceeded(CorridorId corridor, uint128 sourceTotal, uint64 limit);
    /// @notice The source total would take the corridor above its limit for the day (AM02).
    error CorridorBook_DayLimitExceeded(CorridorId corridor, uint64 drawn, uint128 sourceTotal, uint64 limit);
    /// @notice What was drawn on this day is no longer kept: the corridor was drawn on during a later one.
    error CorridorBook_DayNotKept(CorridorId corridor, uint32 day, uint32 kept);
    /// @notice The corridor cannot have these terms.
    /// @param field the one that is wrong
    /// @param given its value
    /// @param against what it was compared with: the source partner, the highest code or fee, the limit per day
    error CorridorBook_Invalid(CorridorId corridor, string field, uint256 given, uint256 against);
    /// @notice The corridor has changed since: the call was made for another epoch.
    error CorridorBook_EpochMismatch(CorridorId corridor, uint32 given, uint32 current);

    /// @notice Draws on a corridor's day: reverts unless the corridor is open and the amount within its limits. Nothing
    /// that is drawn is given back. Active modules only.
    /// @param sourceTotal source minor units
    /// @return fee the network fee on top of it, in source minor units
    function draw(CorridorId corridor, uint128 sourceTotal) external returns (uint128 fee);

    /// @notice Opens a corridor or changes its terms, for what is drawn from now on. Governance only (role RISK).
    /// @param epoch the corridor's, see `epochOf`
    function setCorridor(CorridorId corridor, uint32 epoch, CorridorTerms calldata terms) external;

    /// @notice Closes a corridor; its other terms stay. Guardian only.
    function closeCorridor(CorridorId corridor) external;

    /// @notice A corridor's terms. Closed and zero where it was never opened.
    function termsOf(CorridorId corridor) external view returns (CorridorTerms memory);

    /// @notice How often a corridor was opened, changed or closed.
    function epochOf(CorridorId corridor) external view returns (uint32);

    /// @notice Sum of source totals drawn in a corridor during a UTC day, by all modules together. Nothing that follows
    /// lowers it. Reverts for a day before the latest on which anything was drawn: of those nothing is kept.
    /// @param day days since 1 January 1970
    function drawnOn(CorridorId corridor, uint32 day) external view returns (uint64);
}
