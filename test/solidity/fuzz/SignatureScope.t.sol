// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {pack} from "../../contracts/helpers/PackedHeaders.sol";
import {IModule} from "../../../contracts/core/interfaces/IModule.sol";
import {IQuoteBook} from "../../../contracts/core/interfaces/IQuoteBook.sol";
import {ITransferRegistry} from "../../../contracts/remittance/ITransferRegistry.sol";
import {
    AcceptedBatch,
    BatchHeader,
    BatchStatus,
    MultiProof,
    Rejection,
    Transfer
} from "../../../contracts/remittance/Batch.sol";
import {Authorization} from "../../../contracts/types/Authorization.sol";
import {Quote} from "../../../contracts/types/Quote.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {ProtocolHarness} from "../../contracts/helpers/ProtocolHarness.sol";
import {vm} from "../support/Vm.sol";

/// What a signature counts for: its own chain, and its own rejections.
contract SignatureScopeTest is LedgerFixture {
    ProtocolHarness internal harness;

    function setUp() external {
        _deploy();
        _fundEveryone(1e18, 1e15, 0);
        harness = new ProtocolHarness();
    }

    /// A settlement signed for some rejections settles no others.
    function testFuzz_SettleRefusesOtherRejections(uint256 seed, uint8 signed, uint8 given) external {
        (BatchHeader memory header, Transfer[] memory transfers) = _draw(seed);
        uint256 all = (1 << transfers.length) - 1;
        vm.assume(signed & all != given & all);
        BatchId batchId = registry.open(pack(header), _signBatch(header), _signQuote(header.quote));
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(transfers, signed, "AC03");
        bytes32 signedHash = harness.compute(batchId, header, rejections, proof).rejectionsHash;
        Authorization memory accept = _signSettlement(header, signedHash);
        (rejections, proof) = MerkleTree.reject(transfers, given, "AC03");
        bytes32 givenHash = harness.compute(batchId, header, rejections, proof).rejectionsHash;
        _refuse(header.target, accept.key, _settlementDigest(batchId, givenHash));
        registry.settle(pack(header), rejections, proof, accept);
    }

    /// The ledger is copied to another chain, with everyone's signatures.
    function testFuzz_SignaturesEndWithTheirChain(uint256 seed, uint64 chainId) external {
        chainId = uint64(bound(chainId, 1, type(uint64).max));
        vm.assume(chainId != CHAIN);
        (BatchHeader memory header, ) = _draw(seed);
        Authorization memory send = _signBatch(header);
        Authorization memory quote = _signQuote(header.quote);
        Authorization memory accept = _signSettlement(header, 0);

        vm.chainId(chainId);
        bytes32 batchIdThere = _idOf(header);
        bytes32 quoteIdThere = _idOf(header.quote);
        Authorization memory sendThere = _signBatch(header);
        _refuse(header.source, send.key, batchIdThere);
        registry.open(pack(header), send, quote);
        vm.expectRevert(
            abi.encodeWithSelector(IQuoteBook.QuoteBook_InvalidSignature.selector, PROVIDER, quote.key, quoteIdThere)
        );
        registry.open(pack(header), sendThere, quote);

        vm.chainId(CHAIN);
        BatchId batchId = registry.open(pack(header), send, quote);
        vm.assertTrue(BatchId.unwrap(batchId) != batchIdThere, "batch ids differ");

        // Opened on one chain, it is unknown on the other.
        vm.chainId(chainId);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITransferRegistry.TransferRegistry_IllegalStatus.selector,
                batchIdThere,
                BatchStatus.None,
                BatchStatus.Open
            )
        );
        registry.settle(pack(header), new Rejection[](0), MultiProof(new bytes32[](0), new bool[](0)), accept);
        vm.chainId(CHAIN);
        registry.settle(pack(header), new Rejection[](0), MultiProof(new bytes32[](0), new bool[](0)), accept);
    }

    /// An acceptance is for one header, up to one second, on one chain.
    function testFuzz_AcceptancesAreForWhatTheySay(
        uint256 seed,
        uint64 chainId,
        uint48 validUntil,
        uint48 given
    ) external {
        chainId = uint64(bound(chainId, 1, type(uint64).max));
        vm.assume(chainId != CHAIN);
        validUntil = uint48(bound(validUntil, block.timestamp, type(uint48).max));
        given = uint48(bound(given, block.timestamp, type(uint48).max));
        vm.assume(validUntil != given);
        (BatchHeader memory header, ) = _draw(seed);
        AcceptedBatch memory batch;
        batch.header = pack(header);
        batch.bySource = _signBatch(header);
        batch.byProvider = _signQuote(header.quote);
        uint256 key = _operatorKey(header.target, 0);
        BatchId batchId = registry.batchIdOf(pack(header));
        batch.byTarget = _authorize(key, _acceptanceDigest(batchId, validUntil));

        batch.acceptedUntil = given;
        _refuse(header.target, batch.byTarget.key, _acceptanceDigest(batchId, given));
        registry.openAndSettle(batch);

        batch.acceptedUntil = validUntil;
        vm.chainId(chainId);
        bytes32 elsewhere = _acceptanceDigest(batchId, validUntil);
        vm.chainId(CHAIN);
        batch.byTarget = _authorize(key, elsewhere);
        _refuse(header.target, batch.byTarget.key, _acceptanceDigest(batchId, validUntil));
        registry.openAndSettle(batch);

        batch.byTarget = _authorize(key, _acceptanceDigest(batchId, validUntil));
        registry.openAndSettle(batch);
        vm.assertTrue(registry.statusOf(batchId) == BatchStatus.Settled, "settled");
    }

    /// Up to four transfers from Hong Kong to the Philippines.
    function _draw(uint256 seed) private view returns (BatchHeader memory header, Transfer[] memory transfers) {
        Quote memory quote = _quote(PROVIDER, HKD, PHP, 73, 10);
        quote.nonce = uint64(draw(seed, "nonce"));
        transfers = new Transfer[](bound(draw(seed, "count"), 1, 4));
        for (uint256 i = 0; i < transfers.length; ++i) {
            uint256 drawn = draw(seed, bytes32(i));
            uint128 sourceAmount = bound128(drawn, 1, MAX_PER_BATCH / 4);
            transfers[i] = Transfer(
                bytes16(uint128(drawn)),
                sourceAmount,
                (sourceAmount * 73) / 10,
                keccak256(abi.encode(drawn))
            );
        }
        header = _header(exchangeCorridors[0], transfers, MerkleTree.build(transfers)[0], quote);
    }

    function _refuse(PartnerId partner, address key, bytes32 digest) private {
        vm.expectRevert(abi.encodeWithSelector(IModule.Module_InvalidSignature.selector, partner, key, digest));
    }
}
