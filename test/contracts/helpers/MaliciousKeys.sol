// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// A partner's operator that is a contract, as a multisignature wallet would be: it accepts the digests it was told of.
contract AllowlistKey is IERC1271 {
    mapping(bytes32 digest => bool) public accepted;

    function accept(bytes32 digest) external {
        accepted[digest] = true;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return accepted[digest] ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// Accepts every digest with any signature, empty ones too.
contract AnythingKey is IERC1271 {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return IERC1271.isValidSignature.selector;
    }
}

/// Burns all the gas it is given.
contract GasBurningKey {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        // An invalid opcode takes all gas at once, so that a test chain records one step and not millions.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// Answers with whatever bytes it was given: nothing, too few, the wrong magic value, or the right one and dirt
/// after it.
contract GarbageKey {
    bytes private _answer;
    bool private _reverts;

    /// @param reverts whether the answer is return data or revert data
    function setAnswer(bytes calldata answer, bool reverts) external {
        _answer = answer;
        _reverts = reverts;
    }

    function isValidSignature(bytes32, bytes calldata) external view {
        bytes memory answer = _answer;
        bool reverts = _reverts;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            if reverts {
                revert(add(answer, 0x20), mload(answer))
            }
            return(add(answer, 0x20), mload(answer))
        }
    }
}

/// Answers with a megabyte, the magic value at its start or not. Whoever copies return data unbounded pays for it.
contract FloodingKey {
    bool private immutable _accepts;

    constructor(bool accepts) {
        _accepts = accepts;
    }

    function isValidSignature(bytes32, bytes calldata) external view {
        bytes32 word = _accepts ? bytes32(IERC1271.isValidSignature.selector) : bytes32(0);
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(0, word)
            return(0, 1000000)
        }
    }
}

/// Calls back while its signature is checked. It accepts the digest only if that call failed: a signature that is
/// accepted proves that the way back in was shut.
contract ReenteringKey {
    address private _target;
    bytes private _data;

    function setReentry(address target, bytes calldata data) external {
        _target = target;
        _data = data;
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        // Bounded, since a write in a static call burns all the gas it was given.
        (bool reentered, ) = _target.call{gas: 500_000}(_data);
        return reentered ? bytes4(0) : IERC1271.isValidSignature.selector;
    }
}
