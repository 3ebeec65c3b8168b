// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILedgerClock} from "../../../contracts/core/interfaces/ILedgerClock.sol";
import {LedgerClock} from "../../../contracts/core/LedgerClock.sol";
import {TestBase} from "../support/TestBase.sol";
import {vm} from "../support/Vm.sol";

/// The cheatcodes that show what was emitted, and that nothing was.
interface VmLogs {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function recordLogs() external;

    function getRecordedLogs() external returns (Log[] memory);
}

contract AnyClock is LedgerClock {
    constructor(uint32 beatInterval_, uint32 grace_) LedgerClock(beatInterval_, grace_) {}
}

/// Ledger time over any sequence of running, halting and beating, for any interval and grace.
contract ClockSequencesTest is TestBase {
    uint256 internal constant STEPS = 24;
    uint48 internal constant START = 1_767_225_600;

    struct Run {
        AnyClock clock;
        uint256 interval;
        uint256 grace;
        /// wall-clock time now, and at the last beat that was written down
        uint256 wall;
        uint256 beatAt;
        /// sum over all TimeLost
        uint256 lost;
    }

    function testFuzz_AnySequence(uint32 interval, uint32 grace, uint256[STEPS] calldata steps) external {
        Run memory run = _start(interval, grace);
        for (uint256 i = 0; i < STEPS; ++i) {
            uint256 before = run.clock.time();
            uint256 gap = _drawGap(run, steps[i]);
            _pass(run, gap);
            _checkReadings(run);
            if (draw(steps[i], "beats") % 4 > 0) _beat(run);
            uint256 passed = run.clock.time() - before;
            vm.assertLe(passed, gap, "time passes no faster than outside");
            vm.assertLe(passed, run.grace, "grace bounds one step");
        }
    }

    function testFuzz_EqualsWallTimeWhileBeatenWithinGrace(
        uint32 interval,
        uint32 grace,
        uint256[STEPS] calldata steps
    ) external {
        Run memory run = _start(interval, grace);
        for (uint256 i = 0; i < STEPS; ++i) {
            // Beats younger than the interval are not written down, so the gap runs from the last that was.
            uint256 most = run.beatAt + run.grace - run.wall;
            _pass(run, bound(steps[i], 0, draw(steps[i], "short") % 2 == 0 ? most : most / 8));
            _beat(run);
            vm.assertEq(run.clock.time(), run.wall, "ledger time");
            vm.assertEq(run.clock.lag(), 0, "lag");
        }
        vm.assertEq(run.lost, 0, "time lost");
    }

    function testFuzz_GraceHoldsTwoIntervals(uint32 interval, uint32 grace) external {
        _checkBounds(interval, grace);
        // Where the rule changes, on both sides of it.
        uint32 half = grace / 2;
        _checkBounds(half, grace);
        if (half < type(uint32).max) _checkBounds(half + 1, grace);
        _checkBounds(0, grace);
    }

    function _start(uint32 interval, uint32 grace) private returns (Run memory run) {
        run.interval = bound(interval, 1, type(uint32).max / 2);
        run.grace = bound(grace, 2 * run.interval, type(uint32).max);
        run.wall = START;
        run.beatAt = START;
        vm.warp(START);
        run.clock = new AnyClock(uint32(run.interval), uint32(run.grace));
        vm.assertEq(run.clock.time(), START, "starts with the outside world");
    }

    function _pass(Run memory run, uint256 gap) private {
        run.wall += gap;
        vm.warp(run.wall);
    }

    function _beat(Run memory run) private {
        uint256 elapsed = run.wall - run.beatAt;
        uint256 time = run.clock.time();
        VmLogs(address(vm)).recordLogs();
        vm.assertEq(run.clock.beat(), time, "beat returns ledger time");
        VmLogs.Log[] memory logs = VmLogs(address(vm)).getRecordedLogs();
        vm.assertEq(run.clock.time(), time, "a beat moves no time");
        if (elapsed > run.grace) {
            vm.assertEq(logs.length, 1, "one TimeLost");
            vm.assertEq(logs[0].topics.length, 1, "nothing is indexed");
            vm.assertEq(logs[0].topics[0], ILedgerClock.TimeLost.selector, "TimeLost");
            (uint48 told, uint48 lost) = abi.decode(logs[0].data, (uint48, uint48));
            vm.assertEq(told, time, "time told");
            vm.assertEq(lost, elapsed - run.grace, "time lost");
            run.lost += lost;
        } else {
            vm.assertEq(logs.length, 0, "no TimeLost within the grace");
        }
        if (elapsed >= run.interval) run.beatAt = run.wall;
        vm.assertEq(run.clock.lag(), run.lost, "lag is all the time ever lost");
        _checkReadings(run);
    }

    function _checkReadings(Run memory run) private view {
        uint256 time = run.clock.time();
        vm.assertLe(time, run.wall, "never ahead of block time");
        vm.assertGe(time, START, "never before its start");
        vm.assertEq(time + run.clock.lag(), run.wall, "time and lag");
        uint256 elapsed = run.wall - run.beatAt;
        uint256 beyond = elapsed > run.grace ? elapsed - run.grace : 0;
        vm.assertEq(run.clock.lag(), run.lost + beyond, "lost so far, and since the last beat");
    }

    /// Mostly gaps where something changes: around none, the interval and the grace.
    function _drawGap(Run memory run, uint256 step) private pure returns (uint256) {
        uint256 near = draw(step, "near") % 3;
        uint256 kind = draw(step, "kind") % 6;
        if (kind == 0) return near;
        if (kind == 1) return run.interval + near - 1;
        if (kind == 2) return run.grace + near - 1;
        if (kind == 3) return draw(step, "gap") % run.interval;
        if (kind == 4) return draw(step, "gap") % run.grace;
        return draw(step, "gap") % (4 * run.grace);
    }

    function _checkBounds(uint32 interval, uint32 grace) private {
        bool isValid = interval > 0 && uint256(grace) >= 2 * uint256(interval);
        if (!isValid) {
            vm.expectRevert(abi.encodeWithSelector(ILedgerClock.LedgerClock_InvalidGrace.selector, interval, grace));
        }
        AnyClock clock = new AnyClock(interval, grace);
        if (!isValid) return;
        vm.assertEq(clock.beatInterval(), interval, "interval");
        vm.assertEq(clock.grace(), grace, "grace");
    }
}
