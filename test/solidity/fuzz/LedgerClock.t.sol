// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILedgerClock} from "../../../contracts/core/interfaces/ILedgerClock.sol";
import {LedgerClock} from "../../../contracts/core/LedgerClock.sol";
import {TestBase} from "../support/TestBase.sol";
import {vm} from "../support/Vm.sol";

contract Clock is LedgerClock {
    constructor(uint32 beatInterval_, uint32 grace_) LedgerClock(beatInterval_, grace_) {}
}

contract LedgerClockTest is TestBase {
    uint256 private constant START = 1_767_225_600;
    uint32 private constant INTERVAL = 10;
    uint32 private constant LONGEST = 30;

    Clock private clock;
    uint256 private wallTime;

    function setUp() public {
        vm.warp(START);
        wallTime = START;
        clock = new Clock(INTERVAL, LONGEST);
    }

    function test_StartsAtBlockTime() public view {
        vm.assertEq(clock.time(), START, "ledger time");
        vm.assertEq(clock.lag(), 0, "lag");
    }

    /// Any sequence of gaps, with a beat after each or not: time never runs back nor ahead, a beat does not move it,
    /// and no gap between two beats counts for more than the grace.
    function testFuzz_TimeNeverRunsBackNorAhead(uint32[] memory gaps, uint256 beats) public {
        uint256 previous = clock.time();
        uint256 atLastBeat = previous;
        for (uint256 i = 0; i < gaps.length && i < 64; ++i) {
            _pass(_gap(gaps[i]));
            uint256 time = clock.time();
            vm.assertGe(time, previous, "ledger time, and before");
            vm.assertLe(time, wallTime, "ledger time, and block time");
            vm.assertLe(time - atLastBeat, LONGEST, "ledger time since the last beat, and grace");
            vm.assertEq(clock.lag(), wallTime - time, "lag");
            previous = time;
            if ((beats >> i) & 1 == 0) continue;
            vm.assertEq(clock.beat(), time, "ledger time that the beat returns");
            vm.assertEq(clock.time(), time, "ledger time after a beat");
            atLastBeat = time;
        }
    }

    /// Beaten at least once in the grace less one interval, the clock is the wall clock. The interval must come off: a
    /// beat that follows another within it is not written down.
    function testFuzz_IsBlockTimeWhileBeaten(uint32[] memory gaps) public {
        for (uint256 i = 0; i < gaps.length && i < 64; ++i) {
            _pass(bound(gaps[i], 0, LONGEST - INTERVAL + 1));
            vm.assertEq(clock.time(), wallTime, "ledger time before the beat");
            clock.beat();
            vm.assertEq(clock.time(), wallTime, "ledger time after the beat");
        }
    }

    /// The lag is the sum of what each gap between two written beats had beyond the grace.
    function testFuzz_LosesWhatIsBeyondTheGrace(uint32[] memory gaps) public {
        uint256 lost = 0;
        for (uint256 i = 0; i < gaps.length && i < 64; ++i) {
            uint256 gap = INTERVAL + _gap(gaps[i]);
            _pass(gap);
            if (gap > LONGEST) {
                lost += gap - LONGEST;
                vm.expectEmit(address(clock));
                emit ILedgerClock.TimeLost(uint48(wallTime - lost), uint48(gap - LONGEST));
            }
            clock.beat();
            vm.assertEq(clock.lag(), lost, "lag, and time lost");
        }
    }

    /// Beating more often than the interval neither loses nor gains time, and nothing is written.
    function testFuzz_BeatsWithinTheIntervalChangeNothing(uint8[] memory gaps) public {
        uint256 since = 0;
        for (uint256 i = 0; i < gaps.length && i < 64; ++i) {
            uint256 gap = gaps[i] % 3;
            if (since + gap >= INTERVAL) break;
            since += gap;
            _pass(gap);
            clock.beat();
        }
        // Had one of them been written, this much could pass without loss.
        _pass(LONGEST - since + 1);
        vm.assertEq(clock.lag(), 1, "lag since the beat that was written");
    }

    /// A halt of any length moves ledger time by the grace at most, before the first beat and by it.
    function testFuzz_AHaltMovesTimeByTheGraceAtMost(uint40 halt) public {
        uint256 before = clock.time();
        _pass(uint256(halt) + LONGEST);
        vm.assertEq(clock.time(), before + LONGEST, "ledger time after the halt");
        clock.beat();
        vm.assertEq(clock.time(), before + LONGEST, "ledger time after the first beat");
        vm.assertEq(clock.lag(), halt, "lag");
    }

    function testFuzz_GraceLeavesRoomForAMissedBeat(uint32 interval, uint32 longest) public {
        if (interval > 0 && uint256(longest) >= 2 * uint256(interval)) {
            Clock made = new Clock(interval, longest);
            vm.assertEq(made.beatInterval(), interval, "beat interval");
            vm.assertEq(made.grace(), longest, "grace");
        } else {
            vm.expectRevert(abi.encodeWithSelector(ILedgerClock.LedgerClock_InvalidGrace.selector, interval, longest));
            new Clock(interval, longest);
        }
    }

    /// Most gaps near the interval and the grace, some of any length.
    function _gap(uint32 raw) private pure returns (uint256) {
        return raw % 4 == 0 ? raw : raw % (2 * LONGEST + 2);
    }

    function _pass(uint256 duration) private {
        wallTime += duration;
        vm.warp(wallTime);
    }
}
