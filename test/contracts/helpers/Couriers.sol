// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Passes calls on under its own address, as a relay or a multicall contract does, and bubbles what they revert with.
contract Courier {
    function relay(address target, bytes calldata data) external returns (bytes memory result) {
        return _relay(target, data);
    }

    /// All calls or none.
    function relayAll(address target, bytes[] calldata data) external returns (bytes[] memory results) {
        results = new bytes[](data.length);
        for (uint256 i = 0; i < data.length; ++i) results[i] = _relay(target, data[i]);
    }

    function _relay(address target, bytes calldata data) internal returns (bytes memory result) {
        bool success;
        (success, result) = target.call(data);
        if (success) return result;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            revert(add(result, 0x20), mload(result))
        }
    }
}

/// A courier that calls back in whenever anyone calls it with something it does not know: a token's hook, say.
contract ReenteringCourier is Courier {
    uint256 public attempts;
    uint256 public reentries;
    bytes public lastResult;

    address private _target;
    bytes private _data;
    bool private _propagates;
    bool private _inside;

    receive() external payable {
        _reenter();
    }

    fallback() external payable {
        _reenter();
    }

    /// @param propagates whether a failed reentry fails the call that led to it
    function setReentry(address target, bytes calldata data, bool propagates) external {
        _target = target;
        _data = data;
        _propagates = propagates;
    }

    function _reenter() private {
        if (_inside) return;
        _inside = true;
        ++attempts;
        (bool success, bytes memory result) = _target.call(_data);
        lastResult = result;
        if (success) ++reentries;
        _inside = false;
        if (success || !_propagates) return;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            revert(add(result, 0x20), mload(result))
        }
    }
}
