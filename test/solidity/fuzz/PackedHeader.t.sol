// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITransferRegistry} from "../../../contracts/remittance/ITransferRegistry.sol";
import {
    BatchHeader,
    BatchStatus,
    MultiProof,
    RejectedLeaf,
    Rejection,
    Transfer
} from "../../../contracts/remittance/Batch.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {PackedHeader} from "../../../contracts/remittance/PackedHeader.sol";
import {Authorization} from "../../../contracts/types/Authorization.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {Quote} from "../../../contracts/types/Quote.sol";
import {pack} from "../../contracts/helpers/PackedHeaders.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {vm} from "../support/Vm.sol";

/// Headers are unpacked from calldata.
contract Unpacking {
    function unpack(PackedHeader calldata packed) external pure returns (BatchHeader memory) {
        return packed.unpack();
    }
}

/// A header in six words is the header, and bits that mean nothing change nothing.
contract PackedHeaderTest is LedgerFixture {
    uint256 private constant TERMS_BITS = 144;
    uint256 private constant QUOTE_TERMS_BITS = 208;
    uint128 private constant DEPOSITED = 1e12;

    Unpacking private unpacking;

    function setUp() public {
        _deploy();
        _fundEveryone(1e15, DEPOSITED, 0);
        unpacking = new Unpacking();
    }

    function testFuzz_UnpackingGivesWhatWasPacked(BatchHeader memory header) public view {
        bytes32 unpacked = keccak256(abi.encode(unpacking.unpack(pack(header))));
        vm.assertEq(unpacked, keccak256(abi.encode(header)), "header");
    }

    /// But for the bits above the last field of a word, every bit belongs to a field.
    function testFuzz_PackingGivesWhatWasUnpacked(PackedHeader memory packed) public view {
        PackedHeader memory again = pack(unpacking.unpack(packed));
        packed.terms = uint144(packed.terms);
        packed.quoteTerms = uint208(packed.quoteTerms);
        vm.assertEq(keccak256(abi.encode(again)), keccak256(abi.encode(packed)), "packed");
    }

    /// Field by field, so that a field in the wrong place cannot hide behind one that is wrong the same way back.
    function testFuzz_FieldsStandInOrder(BatchHeader memory header) public view {
        PackedHeader memory packed;
        packed.terms = uint144(
            bytes18(
                abi.encodePacked(
                    header.expiresAt,
                    header.count,
                    CurrencyCode.unwrap(header.targetCurrency),
                    CurrencyCode.unwrap(header.sourceCurrency),
                    PartnerId.unwrap(header.target),
                    PartnerId.unwrap(header.source)
                )
            )
        );
        packed.totals = uint256(bytes32(abi.encodePacked(header.targetTotal, header.sourceTotal)));
        packed.root = header.root;
        packed.quoteTerms = uint208(bytes26(_quoteTermsOf(header.quote)));
        packed.quoteRate = uint256(bytes32(abi.encodePacked(header.quote.rateDenominator, header.quote.rateNumerator)));
        packed.limits = uint256(bytes32(abi.encodePacked(header.quote.capacity, header.fee)));
        vm.assertEq(keccak256(abi.encode(unpacking.unpack(packed))), keccak256(abi.encode(header)), "header");
    }

    function testFuzz_JunkMakesNoOtherBatch(BatchHeader memory header, uint256 junk) public view {
        vm.assertEq(BatchId.unwrap(registry.batchIdOf(_litter(header, junk))), _idOf(header), "batch id");
    }

    /// Each call may leave other junk: it is the same batch, opened once and ended once.
    function testFuzz_BatchesLiveAndEndWithJunk(uint256[4] memory junk, bool exchanges, bool settles) public {
        (BatchHeader memory header, Transfer memory transfer) = _draft(exchanges, junk[0]);
        Authorization memory send = _signBatch(header);
        Authorization memory quote;
        if (exchanges) quote = _signQuote(header.quote);
        BatchId id = registry.open(_litter(header, junk[0]), send, quote);
        vm.assertEq(BatchId.unwrap(id), _idOf(header), "batch id");
        _expectIllegalStatus(id, BatchStatus.Open, BatchStatus.None);
        registry.open(_litter(header, junk[1]), send, quote);

        _end(header, junk[2], settles);
        BatchStatus end = settles ? BatchStatus.Settled : BatchStatus.Expired;
        (BatchStatus status, ) = registry.verify(
            _litter(header, junk[3]),
            transfer,
            new bytes32[](0),
            new RejectedLeaf[](0)
        );
        vm.assertEq(uint256(status), uint256(end), "status");
        vm.assertEq(treasury.balanceOf(header.source, header.sourceCurrency).held, 0, "held of the source partner");
        vm.assertEq(treasury.balanceOf(PROVIDER, header.targetCurrency).held, 0, "held of the provider");
        _expectIllegalStatus(id, end, BatchStatus.None);
        registry.open(_litter(header, junk[3]), send, quote);
        _expectIllegalStatus(id, end, BatchStatus.Open);
        registry.expire(_litter(header, junk[3]));
    }

    function _end(BatchHeader memory header, uint256 junk, bool settles) private {
        if (settles) {
            Authorization memory accept = _signSettlement(header, 0);
            MultiProof memory none;
            registry.settle(_litter(header, junk), new Rejection[](0), none, accept);
        } else {
            vm.warp(header.expiresAt);
            registry.expire(_litter(header, junk));
        }
    }

    /// One transfer.
    function _draft(
        bool exchanges,
        uint256 seed
    ) private view returns (BatchHeader memory header, Transfer memory transfer) {
        Quote memory quote;
        if (exchanges) quote = _quote(PROVIDER, HKD, PHP, 7, 1);
        uint128 amount = bound128(draw(seed, "amount"), 1, MAX_PER_BATCH);
        transfer = Transfer(bytes16(uint128(seed)), amount, exchanges ? amount * 7 : amount, bytes32(seed));
        Transfer[] memory transfers = new Transfer[](1);
        transfers[0] = transfer;
        bytes32 root = MerkleTree.build(transfers)[0];
        header = _header(exchanges ? exchangeCorridors[0] : sameCurrencyCorridors[0], transfers, root, quote);
    }

    function _litter(BatchHeader memory header, uint256 junk) private pure returns (PackedHeader memory packed) {
        packed = pack(header);
        packed.terms |= draw(junk, "terms") << TERMS_BITS;
        packed.quoteTerms |= draw(junk, "quote terms") << QUOTE_TERMS_BITS;
    }

    function _quoteTermsOf(Quote memory quote) private pure returns (bytes memory) {
        return
            abi.encodePacked(
                quote.nonce,
                quote.maxHold,
                quote.validUntil,
                CurrencyCode.unwrap(quote.targetCurrency),
                CurrencyCode.unwrap(quote.sourceCurrency),
                PartnerId.unwrap(quote.taker),
                PartnerId.unwrap(quote.provider)
            );
    }

    function _expectIllegalStatus(BatchId id, BatchStatus current, BatchStatus needed) private {
        vm.expectRevert(
            abi.encodeWithSelector(ITransferRegistry.TransferRegistry_IllegalStatus.selector, id, current, needed)
        );
    }
}
