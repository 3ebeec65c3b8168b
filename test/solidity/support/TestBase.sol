// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "./Vm.sol";

/// What every test needs beside the cheatcodes.
abstract contract TestBase {
    error NotDeployed(string name);

    /// Deploys a contract of the tests, by its name.
    /// @param arguments of the constructor, ABI-encoded
    function deploy(string memory name, bytes memory arguments) internal returns (address) {
        return _create(name, vm.getCode(name), arguments);
    }

    /// Deploys a contract of the project as `npm run build` made it, so that what is tested is what partners run.
    /// @param folder of its source, such as "contracts/core"
    /// @param arguments of the constructor, ABI-encoded
    function deployBuilt(string memory folder, string memory name, bytes memory arguments) internal returns (address) {
        string memory artifact = string.concat("artifacts/", folder, "/", name, ".sol/", name, ".json");
        return _create(name, vm.parseJsonBytes(vm.readFile(artifact), ".bytecode"), arguments);
    }

    function _create(
        string memory name,
        bytes memory creation,
        bytes memory arguments
    ) private returns (address deployed) {
        bytes memory code = bytes.concat(creation, arguments);
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
        }
        if (deployed == address(0)) revert NotDeployed(name);
    }

    /// Maps a fuzzed value into [min, max]. The values that fuzzers favour, the ends of a type, become the ends of the
    /// range.
    function bound(uint256 value, uint256 min, uint256 max) internal pure returns (uint256) {
        if (value >= min && value <= max) return value;
        // Wraps to zero only for the full range, which the line above has answered.
        uint256 size = max - min + 1;
        if (value <= 3 && value < size) return min + value;
        uint256 fromEnd = type(uint256).max - value;
        if (fromEnd <= 3 && fromEnd < size) return max - fromEnd;
        return min + (value % size);
    }

    function bound128(uint256 value, uint256 min, uint256 max) internal pure returns (uint128) {
        return uint128(bound(value, min, max));
    }

    /// A short name, for people.
    function text(bytes32 word) internal pure returns (string memory) {
        uint256 length = 0;
        while (length < 32 && word[length] != 0) ++length;
        bytes memory characters = new bytes(length);
        for (uint256 i = 0; i < length; ++i) characters[i] = word[i];
        return string(characters);
    }

    /// A fresh number for each draw from one seed.
    function draw(uint256 seed, bytes32 what) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, what)));
    }
}
