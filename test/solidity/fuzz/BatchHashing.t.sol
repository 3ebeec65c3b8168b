// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {pack} from "../../contracts/helpers/PackedHeaders.sol";
import {BatchHashing} from "../../../contracts/remittance/BatchHashing.sol";
import {BatchHeader, RejectedLeaf, Transfer} from "../../../contracts/remittance/Batch.sol";
import {NO_QUOTE_HASH, Quote} from "../../../contracts/types/Quote.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {QuoteId} from "../../../contracts/types/QuoteId.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {vm} from "../support/Vm.sol";

/// The library takes calldata.
contract Hashing {
    function hashQuote(Quote calldata quote) external pure returns (bytes32) {
        return quote.hashStruct();
    }

    function hashBatch(BatchHeader calldata header, bytes32 quoteHash) external pure returns (bytes32) {
        return BatchHashing.hashBatch(header, quoteHash);
    }

    function hashSettlement(BatchId batchId, bytes32 rejectionsHash) external pure returns (bytes32) {
        return BatchHashing.hashSettlement(batchId, rejectionsHash);
    }

    function leafOf(Transfer calldata transfer) external pure returns (bytes32) {
        return BatchHashing.leafOf(transfer);
    }

    function hashAcceptance(BatchId batchId, uint48 validUntil) external pure returns (bytes32) {
        return BatchHashing.hashAcceptance(batchId, validUntil);
    }

    function hashRejections(RejectedLeaf[] calldata rejected) external pure returns (bytes32) {
        return BatchHashing.hashRejections(rejected);
    }

    function noQuoteHash() external pure returns (bytes32) {
        return NO_QUOTE_HASH;
    }
}

/// Every hash again, from the types as the protocol writes them and field by field: EIP-712's hashStruct is the hash of
/// the type's hash and of each member as one word.
contract BatchHashingTest is LedgerFixture {
    string private constant QUOTE_TYPE =
        "Quote(uint16 provider,uint16 taker,uint16 sourceCurrency,uint16 targetCurrency,uint128 rateNumerator,"
        "uint128 rateDenominator,uint128 capacity,uint48 validUntil,uint32 maxHold,uint64 nonce)";
    string private constant BATCH_TYPE =
        "Batch(uint16 source,uint16 target,uint16 sourceCurrency,uint16 targetCurrency,uint32 count,"
        "uint128 sourceTotal,uint128 targetTotal,uint128 fee,uint48 expiresAt,bytes32 root,Quote quote)";
    string private constant SETTLEMENT_TYPE = "Settlement(bytes32 batchId,bytes32 rejectionsHash)";

    string private constant ACCEPTANCE_TYPE = "Acceptance(bytes32 batchId,uint48 validUntil)";

    Hashing private hashing;

    function setUp() public {
        _deploy();
        hashing = new Hashing();
    }

    function testFuzz_QuoteHashIsEip712(Quote memory quote) public view {
        vm.assertEq(hashing.hashQuote(quote), _quoteHash(quote), "hashStruct(Quote)");
    }

    function testFuzz_BatchHashIsEip712(BatchHeader memory header) public view {
        bytes32 actual = hashing.hashBatch(header, hashing.hashQuote(header.quote));
        vm.assertEq(actual, _batchHash(header), "hashStruct(Batch)");
    }

    function testFuzz_SettlementHashIsEip712(BatchId batchId, bytes32 rejectionsHash) public view {
        bytes32 expected = keccak256(abi.encode(keccak256(bytes(SETTLEMENT_TYPE)), batchId, rejectionsHash));
        vm.assertEq(hashing.hashSettlement(batchId, rejectionsHash), expected, "hashStruct(Settlement)");
    }

    function testFuzz_AcceptanceHashIsEip712(BatchId batchId, uint48 validUntil) public view {
        bytes32 expected = keccak256(abi.encode(keccak256(bytes(ACCEPTANCE_TYPE)), batchId, validUntil));
        vm.assertEq(hashing.hashAcceptance(batchId, validUntil), expected, "hashStruct(Acceptance)");
    }

    /// A quote is not any one module's: its domain is the book's, where all of them draw on it.
    function testFuzz_IdsAreDigestsInTheLedgersDomain(BatchHeader memory header, uint64 chain) public {
        BatchId batchId = registry.batchIdOf(pack(header));
        bytes32 digest = _typedDigest(CHAIN, address(registry), _batchHash(header));
        vm.assertEq(BatchId.unwrap(batchId), digest, "batch id");
        digest = _typedDigest(CHAIN, address(quoteBook), _quoteHash(header.quote));
        vm.assertEq(QuoteId.unwrap(quoteBook.quoteIdOf(header.quote)), digest, "quote id");

        vm.assume(chain != CHAIN);
        vm.chainId(chain);
        digest = _typedDigest(chain, address(registry), _batchHash(header));
        vm.assertEq(_idOf(header), digest, "batch id on another chain");
        bytes32 quoteDigest = _typedDigest(chain, address(quoteBook), _quoteHash(header.quote));
        vm.assertEq(_idOf(header.quote), quoteDigest, "quote id on another chain");
        vm.assertTrue(digest != BatchId.unwrap(batchId), "batch ids of two chains differ");
    }

    function testFuzz_AnyOtherFieldMakesAnotherBatch(BatchHeader memory header, uint256 field) public view {
        bytes32 before = _idOf(header);
        bytes memory fields = abi.encode(header);
        // A static struct is its fields in a row: flip the last bit of one.
        field = bound(field, 0, fields.length / 32 - 1);
        fields[field * 32 + 31] ^= 0x01;
        vm.assertTrue(_idOf(abi.decode(fields, (BatchHeader))) != before, "batch id without the field");
    }

    function testFuzz_LeafIsHashedTwice(Transfer memory transfer) public view {
        bytes32 once = keccak256(
            abi.encode(transfer.uetr, transfer.sourceAmount, transfer.targetAmount, transfer.detailsHash)
        );
        vm.assertEq(hashing.leafOf(transfer), keccak256(abi.encode(once)), "leaf");
    }

    function testFuzz_RejectionsHashIsAChain(RejectedLeaf[] memory rejected) public view {
        bytes32 expected = 0;
        for (uint256 i = 0; i < rejected.length; ++i) {
            // The reason stands left in its word.
            bytes32 reason = bytes32(rejected[i].reason);
            expected = keccak256(abi.encodePacked(expected, rejected[i].leaf, reason));
        }
        vm.assertEq(hashing.hashRejections(rejected), expected, "rejections hash");
    }

    function test_NoQuoteHashIsThatOfAnEmptyQuote() public view {
        Quote memory none;
        vm.assertEq(hashing.noQuoteHash(), _quoteHash(none), "hash of no quote");
    }

    function test_NoRejectionsHashToZero() public view {
        vm.assertEq(hashing.hashRejections(new RejectedLeaf[](0)), bytes32(0), "hash of no rejections");
    }

    function _quoteHash(Quote memory quote) private pure returns (bytes32) {
        bytes memory first = abi.encode(
            keccak256(bytes(QUOTE_TYPE)),
            quote.provider,
            quote.taker,
            quote.sourceCurrency,
            quote.targetCurrency
        );
        bytes memory second = abi.encode(
            quote.rateNumerator,
            quote.rateDenominator,
            quote.capacity,
            quote.validUntil,
            quote.maxHold,
            quote.nonce
        );
        return keccak256(bytes.concat(first, second));
    }

    function _batchHash(BatchHeader memory header) private pure returns (bytes32) {
        bytes memory first = abi.encode(
            keccak256(bytes.concat(bytes(BATCH_TYPE), bytes(QUOTE_TYPE))),
            header.source,
            header.target,
            header.sourceCurrency,
            header.targetCurrency,
            header.count
        );
        bytes memory second = abi.encode(
            header.sourceTotal,
            header.targetTotal,
            header.fee,
            header.expiresAt,
            header.root,
            _quoteHash(header.quote)
        );
        return keccak256(bytes.concat(first, second));
    }
}
