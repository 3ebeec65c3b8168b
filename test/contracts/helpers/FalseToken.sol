// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";

/// What governance must never register: looks like a settlement token, mints to anyone, takes a fee of each transfer,
/// calls a hook during it, or says that it failed.
contract FalseToken is ERC20 {
    CurrencyCode public immutable currency;
    address public immutable treasury;

    /// of each transfer, in basis points; burnt
    uint16 public feeBps;
    /// whether transfers return false, and move nothing
    bool public refuses;
    address public hook;
    bytes public hookData;

    constructor(CurrencyCode currency_, address treasury_) ERC20("False", "FALSE") {
        currency = currency_;
        treasury = treasury_;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setFee(uint16 feeBps_) external {
        feeBps = feeBps_;
    }

    function setRefuses(bool refuses_) external {
        refuses = refuses_;
    }

    /// @param hook_ called with `data` before each transfer moves anything; zero for none
    function setHook(address hook_, bytes calldata data) external {
        hook = hook_;
        hookData = data;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return refuses ? false : super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return refuses ? false : super.transferFrom(from, to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (from == address(0) || to == address(0)) return super._update(from, to, amount);
        if (hook != address(0)) {
            (bool success, bytes memory result) = hook.call(hookData);
            if (!success) {
                // solhint-disable-next-line no-inline-assembly
                assembly ("memory-safe") {
                    revert(add(result, 0x20), mload(result))
                }
            }
        }
        uint256 fee = (amount * feeBps) / 10_000;
        if (fee > 0) super._update(from, address(0), fee);
        super._update(from, to, amount - fee);
    }
}
