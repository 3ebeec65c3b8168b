// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Who signed
/// @notice The one rule by which the ledger takes a signature for a key's: it is the key's own over the digest, or the
/// key is a contract that accepts it (ERC-1271).
library Signatures {
    /// @notice Whether the signature over the digest is the key's.
    /// @dev The own signature first, without looking for code at the key's address, which costs as much as recovering
    /// the signer. Code that comes to an account later takes nothing from it: who holds the account's private key put
    /// it there, and could take it away. A contract has no private key, so only its answer counts.
    function isBy(address key, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        (address signer, ECDSA.RecoverError err, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (err == ECDSA.RecoverError.NoError && signer == key) return true;
        return SignatureChecker.isValidERC1271SignatureNowCalldata(key, digest, signature);
    }
}
