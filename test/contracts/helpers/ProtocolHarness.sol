// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {BatchHashing} from "../../../contracts/remittance/BatchHashing.sol";
import {Settlement, Settlements} from "../../../contracts/remittance/Settlements.sol";
import {BatchHeader, MultiProof, RejectedLeaf, Rejection, Transfer} from "../../../contracts/remittance/Batch.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {CorridorId, toCorridorId} from "../../../contracts/types/CorridorId.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {NO_QUOTE_HASH, Quote} from "../../../contracts/types/Quote.sol";

/// What is internal to the ledger, opened to tests that compare it with the vectors.
contract ProtocolHarness {
    function hashQuote(Quote calldata quote) external pure returns (bytes32) {
        return quote.hashStruct();
    }

    function noQuoteHash() external pure returns (bytes32) {
        return NO_QUOTE_HASH;
    }

    function hashBatch(BatchHeader calldata header) external pure returns (bytes32) {
        return BatchHashing.hashBatch(header, header.quote.hashStruct());
    }

    function hashSettlement(BatchId batchId, bytes32 rejectionsHash) external pure returns (bytes32) {
        return BatchHashing.hashSettlement(batchId, rejectionsHash);
    }

    function hashAcceptance(BatchId batchId, uint48 validUntil) external pure returns (bytes32) {
        return BatchHashing.hashAcceptance(batchId, validUntil);
    }

    function leafOf(Transfer calldata transfer) external pure returns (bytes32) {
        return BatchHashing.leafOf(transfer);
    }

    function hashRejections(RejectedLeaf[] calldata rejected) external pure returns (bytes32) {
        return BatchHashing.hashRejections(rejected);
    }

    function compute(
        BatchId batchId,
        BatchHeader calldata header,
        Rejection[] calldata rejections,
        MultiProof calldata proof
    ) external pure returns (Settlement memory) {
        return Settlements.compute(batchId, header, rejections, proof);
    }

    function requireRate(BatchHeader calldata header, uint128 sourceAmount, uint128 targetAmount) external pure {
        Settlements.requireRate(header, sourceAmount, targetAmount);
    }

    function packCorridor(
        PartnerId source,
        CurrencyCode sourceCurrency,
        PartnerId target,
        CurrencyCode targetCurrency
    ) external pure returns (CorridorId) {
        return toCorridorId(source, sourceCurrency, target, targetCurrency);
    }

    function unpackCorridor(
        CorridorId corridor
    )
        external
        pure
        returns (PartnerId source, CurrencyCode sourceCurrency, PartnerId target, CurrencyCode targetCurrency)
    {
        return corridor.unpack();
    }

    function verifyProof(bytes32[] calldata proof, bytes32 root, bytes32 leaf) external pure returns (bool) {
        return MerkleProof.verifyCalldata(proof, root, leaf);
    }

    function verifyMultiProof(
        bytes32[] calldata siblings,
        bool[] calldata flags,
        bytes32 root,
        bytes32[] calldata leaves
    ) external pure returns (bool) {
        return MerkleProof.multiProofVerifyCalldata(siblings, flags, root, leaves);
    }

    /// EIP-712, for any chain and contract.
    function domainSeparator(uint256 chainId, address verifyingContract) public pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                    keccak256("Feiqian"),
                    keccak256("1"),
                    chainId,
                    verifyingContract
                )
            );
    }

    function typedDataHash(
        uint256 chainId,
        address verifyingContract,
        bytes32 structHash
    ) external pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domainSeparator(chainId, verifyingContract), structHash);
    }

    /// The commitment to one group of a transfer's details.
    function commitment(
        bytes32 transferSalt,
        string calldata group,
        string calldata json
    ) external pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(bytes.concat(transferSalt, bytes(group))), bytes(json)));
    }

    function detailsHash(bytes32 debtor, bytes32 creditor, bytes32 remittance) external pure returns (bytes32) {
        return keccak256(abi.encode(debtor, creditor, remittance));
    }
}
