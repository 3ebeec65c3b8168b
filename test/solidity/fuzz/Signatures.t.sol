// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {pack} from "../../contracts/helpers/PackedHeaders.sol";
import {IModule} from "../../../contracts/core/interfaces/IModule.sol";
import {IQuoteBook} from "../../../contracts/core/interfaces/IQuoteBook.sol";
import {QuoteBook} from "../../../contracts/core/QuoteBook.sol";
import {BatchHashing} from "../../../contracts/remittance/BatchHashing.sol";
import {TransferRegistry} from "../../../contracts/remittance/TransferRegistry.sol";
import {BatchHeader, BatchStatus, MultiProof, Rejection, Transfer} from "../../../contracts/remittance/Batch.sol";
import {Authorization} from "../../../contracts/types/Authorization.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {vm} from "../support/Vm.sol";

/// Only the key's own signature over this batch, on this chain and for this contract, opens or settles it.
contract SignaturesTest is LedgerFixture {
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    /// Whose signature is tampered with.
    enum Part {
        Send,
        Quote,
        Accept
    }

    BatchHeader private header;
    Authorization private send;
    Authorization private quote;
    Authorization private accept;

    function setUp() public {
        _deploy();
        _fundEveryone(1e15, 1e12, 0);
        Transfer[] memory transfers = new Transfer[](1);
        transfers[0] = Transfer(bytes16(uint128(1)), 1_000, 7_000, keccak256("details"));
        bytes32 root = MerkleTree.build(transfers)[0];
        header = _header(exchangeCorridors[0], transfers, root, _quote(PROVIDER, HKD, PHP, 7, 1));
        send = _signBatch(header);
        quote = _signQuote(header.quote);
        accept = _signSettlement(header, 0);
    }

    function test_TheKeysOwnSignaturesAreTaken() public {
        BatchId batchId = registry.open(pack(header), send, quote);
        _settle(accept);
        vm.assertEq(uint256(registry.statusOf(batchId)), uint256(BatchStatus.Settled), "status");
    }

    /// The twin that every ECDSA signature has, with the other half of the curve's order.
    function testFuzz_TheHighTwinIsRefused(uint8 which) public {
        (Part part, Authorization storage authorization) = _part(which);
        (bytes32 r, bytes32 s, uint8 v) = _split(authorization.signature);
        bytes32 twin = bytes32(CURVE_ORDER - uint256(s));
        authorization.signature = abi.encodePacked(r, twin, v == 27 ? uint8(28) : uint8(27));
        vm.assertEq(
            ecrecover(_digest(part), v == 27 ? 28 : 27, r, twin),
            authorization.key,
            "who the twin recovers to"
        );
        _expectRefused(part);
    }

    /// ERC-2098's 64 bytes would be a second form of the same signature.
    function testFuzz_TheCompactFormIsRefused(uint8 which) public {
        (Part part, Authorization storage authorization) = _part(which);
        (bytes32 r, bytes32 s, uint8 v) = _split(authorization.signature);
        authorization.signature = abi.encodePacked(r, s | bytes32(uint256(v - 27) << 255));
        _expectRefused(part);
    }

    function testFuzz_OtherBytesAreRefused(uint8 which, bytes memory signature) public {
        (Part part, Authorization storage authorization) = _part(which);
        vm.assume(keccak256(signature) != keccak256(authorization.signature));
        authorization.signature = signature;
        _expectRefused(part);
    }

    function testFuzz_OneFlippedBitIsRefused(uint8 which, uint256 bit) public {
        (Part part, Authorization storage authorization) = _part(which);
        bytes memory signature = authorization.signature;
        bit %= signature.length * 8;
        signature[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        authorization.signature = signature;
        _expectRefused(part);
    }

    function testFuzz_AnotherKeysSignatureIsRefused(uint8 which, uint256 privateKey) public {
        (Part part, Authorization storage authorization) = _part(which);
        privateKey = bound(privateKey, 1, CURVE_ORDER - 1);
        authorization.signature = _sign(privateKey, _digest(part));
        _expectRefused(part);
    }

    /// What was signed for another chain's ledger at the same address.
    function testFuzz_AnotherChainsSignatureIsRefused(uint8 which, uint64 chain) public {
        vm.assume(chain != CHAIN);
        (Part part, Authorization storage authorization) = _part(which);
        vm.chainId(chain);
        authorization.signature = _sign(_privateKeyOf(part), _digest(part));
        vm.chainId(CHAIN);
        _expectRefused(part);
    }

    /// The other way round: the chain splits, and what was signed before does not count on the new one.
    function testFuzz_SignaturesStayOnTheirChain(uint64 chain) public {
        vm.assume(chain != CHAIN);
        bytes32 batchId = _idOf(header);
        vm.chainId(chain);
        bytes32 elsewhere = _idOf(header);
        vm.assertTrue(elsewhere != batchId, "the same header has another id");
        _expectInvalid(header.source, send.key, elsewhere);
        registry.open(pack(header), send, quote);
    }

    /// What was signed for another registry over the same partners, as a successor module would be, or for another
    /// quote book.
    function testFuzz_AnotherContractsSignatureIsRefused(uint8 which) public {
        (Part part, Authorization storage authorization) = _part(which);
        (TransferRegistry own, QuoteBook ownBook) = (registry, quoteBook);
        registry = TransferRegistry(_deployRegistry());
        quoteBook = QuoteBook(_deployQuoteBook());
        authorization.signature = _sign(_privateKeyOf(part), _digest(part));
        (registry, quoteBook) = (own, ownBook);
        _expectRefused(part);
    }

    /// A quote is signed for the book where every module draws on it, and a batch or a settlement for its module.
    function testFuzz_EachIsSignedInItsOwnDomain(uint8 which) public {
        (Part part, Authorization storage authorization) = _part(which);
        bytes32 structHash = header.quote.hashStruct();
        if (part == Part.Send) structHash = BatchHashing.hashBatch(header, structHash);
        if (part == Part.Accept) structHash = BatchHashing.hashSettlement(registry.batchIdOf(pack(header)), 0);
        (address domain, address other) = (address(registry), address(quoteBook));
        if (part == Part.Quote) (domain, other) = (other, domain);
        vm.assertEq(_digest(part), _typedDigest(CHAIN, domain, structHash), "digest in its own domain");
        authorization.signature = _sign(_privateKeyOf(part), _typedDigest(CHAIN, other, structHash));
        _expectRefused(part);
    }

    /// A signature counts for what it signs only: none of the three passes for another.
    function testFuzz_OneSignatureDoesNotPassForAnother(uint8 which, uint8 other) public {
        (Part part, Authorization storage authorization) = _part(which);
        (Part from, ) = _part(other);
        vm.assume(part != from);
        authorization.signature = _sign(_privateKeyOf(part), _digest(from));
        _expectRefused(part);
    }

    /// Acceptance of one set of rejections is not acceptance of another.
    function testFuzz_OtherRejectionsAreRefused(bytes32 rejectionsHash) public {
        vm.assume(rejectionsHash != 0);
        accept = _signSettlement(header, rejectionsHash);
        _expectRefused(Part.Accept);
    }

    function _expectRefused(Part part) private {
        bytes32 digest = _digest(part);
        if (part == Part.Accept) {
            registry.open(pack(header), send, quote);
            _expectInvalid(header.target, accept.key, digest);
            _settle(accept);
            return;
        }
        if (part == Part.Send) _expectInvalid(header.source, send.key, digest);
        else {
            bytes4 selector = IQuoteBook.QuoteBook_InvalidSignature.selector;
            vm.expectRevert(abi.encodeWithSelector(selector, header.quote.provider, quote.key, digest));
        }
        registry.open(pack(header), send, quote);
    }

    function _expectInvalid(PartnerId partner, address key, bytes32 digest) private {
        vm.expectRevert(abi.encodeWithSelector(IModule.Module_InvalidSignature.selector, partner, key, digest));
    }

    function _settle(Authorization memory authorization) private {
        MultiProof memory none;
        registry.settle(pack(header), new Rejection[](0), none, authorization);
    }

    function _part(uint8 which) private view returns (Part part, Authorization storage authorization) {
        part = Part(which % 3);
        authorization =
            part == Part.Send
                ? send
                : part == Part.Quote
                    ? quote
                    : accept;
    }

    function _digest(Part part) private view returns (bytes32) {
        if (part == Part.Send) return _idOf(header);
        if (part == Part.Quote) return _idOf(header.quote);
        return _settlementDigest(registry.batchIdOf(pack(header)), 0);
    }

    function _privateKeyOf(Part part) private view returns (uint256) {
        if (part == Part.Send) return _operatorKey(header.source, 0);
        return _operatorKey(part == Part.Quote ? header.quote.provider : header.target, 0);
    }

    function _split(bytes memory signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        (r, s) = abi.decode(signature, (bytes32, bytes32));
        v = uint8(signature[64]);
    }
}
