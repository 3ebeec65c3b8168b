// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Model} from "./Model.sol";

/// Lets time pass: with beats, without them, and with the ledger halted.
abstract contract TimeActions is Model {
    function passTime(uint256 seed) external step {
        seed = _fresh(seed);
        uint256 what = draw(seed, "pass") % 8;
        if (what < 5) _run(seed);
        else if (what < 7) _pass(1 + (draw(seed, "idle") % GRACE));
        else _halt(seed);
    }

    /// The ledger runs, and somebody beats.
    function _run(uint256 seed) private {
        uint256 beats = 1 + (draw(seed, "beats") % 6);
        for (uint256 i = 0; i < beats; ++i) {
            _pass(1 + (uint256(keccak256(abi.encode(seed, i))) % (GRACE / 2)));
            _beat();
        }
        ++outcomes["run"][0];
    }

    /// The ledger stops: for an hour and some, or for days.
    function _halt(uint256 seed) private {
        _pass(GRACE + (draw(seed, "halt") % (_chance(seed, "days", 3) ? 3 days : 1 hours)));
        ++outcomes["halt"][0];
    }

    function _beat() internal {
        registry.beat();
        _beaten();
    }
}
