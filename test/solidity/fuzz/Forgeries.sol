// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TestBase} from "../support/TestBase.sol";
import {vm} from "../support/Vm.sol";

/// Signatures that are nearly right.
abstract contract Forgeries is TestBase {
    /// Order of secp256k1.
    uint256 internal constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    /// One of the ways to get a signature of `digest` wrong, chosen by the seed.
    /// @param foreign the digest of the same message for another chain or contract
    function _forge(
        uint256 seed,
        uint256 privateKey,
        bytes32 digest,
        bytes32 foreign
    ) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        bytes memory whole = abi.encodePacked(r, s, v);
        uint256 drawn = draw(seed, "forgery");
        uint256 kind = seed % 8;
        if (kind == 0) return _flip(whole, drawn % 520);
        if (kind == 1) return abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), 55 - v);
        // ERC-2098
        if (kind == 2) return abi.encodePacked(r, s | bytes32(uint256(v - 27) << 255));
        if (kind == 3) return _resize(whole, drawn % 131);
        // A recovery id without its offset.
        if (kind == 4) return abi.encodePacked(r, s, v - 27);
        if (kind == 5) return _sign65(bound(drawn, 1, CURVE_ORDER - 1), digest);
        if (kind == 6) return _sign65(privateKey, bytes32(drawn));
        return _sign65(privateKey, foreign);
    }

    function _sign65(uint256 privateKey, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        return abi.encodePacked(r, s, v);
    }

    function _flip(bytes memory signature, uint256 bit) private pure returns (bytes memory) {
        signature[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        return signature;
    }

    /// Cut, or with zeros after it, to any length but its own.
    function _resize(bytes memory signature, uint256 length) private pure returns (bytes memory resized) {
        resized = new bytes(length == signature.length ? 0 : length);
        for (uint256 i = 0; i < resized.length && i < signature.length; ++i) resized[i] = signature[i];
    }
}
