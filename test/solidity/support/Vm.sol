// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The cheatcodes these tests use, of those that Hardhat's test runner answers at a fixed address.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 privateKey) external pure returns (address);

    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);

    /// Sets the block timestamp, for the calls that follow too.
    function warp(uint256 timestamp) external;

    /// The block timestamp as it is now: the compiler may read `block.timestamp` once and keep it over a `warp`.
    function getBlockTimestamp() external view returns (uint256);

    function chainId(uint256 id) external;

    /// Gives an account this code.
    function etch(address account, bytes calldata code) external;

    /// Makes the next call come from `sender`.
    function prank(address sender) external;

    function startPrank(address sender) external;

    function stopPrank() external;

    /// Gives up on a fuzzed input that breaks the test's premise.
    function assume(bool premise) external pure;

    /// The next call must revert with exactly this data.
    function expectRevert(bytes calldata data) external;

    /// The next call must revert with an error of this selector, whatever its arguments.
    function expectPartialRevert(bytes4 selector) external;

    /// The next call must emit the event that the test emits after this, with equal topics and data.
    function expectEmit(address emitter) external;

    /// Keeps all logs from now on, also of calls that revert afterwards.
    function recordLogs() external;

    /// What was kept since the last time.
    function getRecordedLogs() external returns (Log[] memory);

    /// Creation code of a contract that these tests were compiled with.
    function getCode(string calldata name) external view returns (bytes memory);

    function readFile(string calldata path) external view returns (string memory);

    /// Bytes that a JSON text holds in hexadecimal.
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);

    function label(address account, string calldata name) external;

    function snapshotState() external returns (uint256 id);

    function revertToState(uint256 id) external returns (bool success);

    function assertEq(uint256 left, uint256 right, string calldata what) external pure;

    function assertEq(bytes32 left, bytes32 right, string calldata what) external pure;

    function assertEq(address left, address right, string calldata what) external pure;

    function assertLe(uint256 left, uint256 right, string calldata what) external pure;

    function assertGe(uint256 left, uint256 right, string calldata what) external pure;

    function assertGt(uint256 left, uint256 right, string calldata what) external pure;

    function assertTrue(bool condition, string calldata what) external pure;

    function assertFalse(bool condition, string calldata what) external pure;
}

Vm constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
