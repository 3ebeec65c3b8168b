// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {pack} from "../../contracts/helpers/PackedHeaders.sol";
import {QuoteBook} from "../../../contracts/core/QuoteBook.sol";
import {TransferRegistry} from "../../../contracts/remittance/TransferRegistry.sol";
import {BatchHeader, RejectedLeaf, Transfer} from "../../../contracts/remittance/Batch.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {QuoteId} from "../../../contracts/types/QuoteId.sol";
import {ProtocolHarness} from "../../contracts/helpers/ProtocolHarness.sol";
import {TestBase} from "../support/TestBase.sol";
import {vm} from "../support/Vm.sol";

/// Nothing that is hashed can change, down to one bit, without changing the hash.
contract HashSensitivityTest is TestBase {
    TransferRegistry internal registry;
    QuoteBook internal quoteBook;
    ProtocolHarness internal harness;

    function setUp() external {
        registry = TransferRegistry(
            deployBuilt(
                "contracts/remittance",
                "TransferRegistry",
                abi.encode(uint256(1), 2, 3, 4, 5, uint32(300), uint32(3600))
            )
        );
        quoteBook = QuoteBook(deployBuilt("contracts/core", "QuoteBook", abi.encode(uint256(2), 3)));
        harness = new ProtocolHarness();
    }

    function testFuzz_EveryBitOfAHeaderCounts(BatchHeader calldata header, uint256 seed) external view {
        uint16[20] memory widths = [
            16,
            16,
            16,
            16,
            32,
            128,
            128,
            128,
            48,
            256,
            16,
            16,
            16,
            16,
            128,
            128,
            128,
            48,
            32,
            64
        ];
        bytes32 batchId = BatchId.unwrap(registry.batchIdOf(pack(header)));
        bytes32 quoteId = QuoteId.unwrap(quoteBook.quoteIdOf(header.quote));
        for (uint256 field = 0; field < widths.length; ++field) {
            bytes memory encoded = _flip(abi.encode(header), field, draw(seed, bytes32(field)) % widths[field]);
            BatchHeader memory changed = abi.decode(encoded, (BatchHeader));
            vm.assertTrue(BatchId.unwrap(registry.batchIdOf(pack(changed))) != batchId, "batch id of a changed header");
            vm.assertTrue((QuoteId.unwrap(quoteBook.quoteIdOf(changed.quote)) != quoteId) == (field >= 10), "quote id");
        }
    }

    function testFuzz_EveryBitOfATransferCounts(Transfer calldata transfer, uint256 seed) external view {
        bytes32 leaf = harness.leafOf(transfer);
        for (uint256 field = 0; field < 4; ++field) {
            // A bytes16 stands at the upper end of its word.
            uint256 lowest = field == 0 ? 128 : 0;
            uint256 highest = field == 1 || field == 2 ? 127 : 255;
            uint256 bit = lowest + (draw(seed, bytes32(field)) % (highest - lowest + 1));
            Transfer memory changed = abi.decode(_flip(abi.encode(transfer), field, bit), (Transfer));
            vm.assertTrue(harness.leafOf(changed) != leaf, "leaf of a changed transfer");
        }
    }

    function testFuzz_RejectionsHashDependsOnOrderAndLength(
        RejectedLeaf[4] calldata drawn,
        uint256 a,
        uint256 b
    ) external view {
        RejectedLeaf[] memory rejected = new RejectedLeaf[](4);
        for (uint256 i = 0; i < rejected.length; ++i) rejected[i] = drawn[i];
        bytes32 whole = harness.hashRejections(rejected);

        a %= 4;
        b %= 4;
        bool differ = rejected[a].leaf != rejected[b].leaf || rejected[a].reason != rejected[b].reason;
        (rejected[a], rejected[b]) = (rejected[b], rejected[a]);
        vm.assertTrue((harness.hashRejections(rejected) != whole) == differ, "hash of a list in another order");

        (rejected[a], rejected[b]) = (rejected[b], rejected[a]);
        RejectedLeaf[] memory shorter = new RejectedLeaf[](3);
        for (uint256 i = 0; i < shorter.length; ++i) shorter[i] = rejected[i];
        vm.assertTrue(harness.hashRejections(shorter) != whole, "hash of a shorter list");
    }

    function testFuzz_EveryBitOfARejectionCounts(RejectedLeaf calldata given, uint256 bit) external view {
        RejectedLeaf[] memory rejected = new RejectedLeaf[](1);
        rejected[0] = given;
        bytes32 before = harness.hashRejections(rejected);
        bit %= 288;
        if (bit < 256) rejected[0].leaf ^= bytes32(1 << bit);
        else rejected[0].reason ^= bytes4(uint32(1 << (bit - 256)));
        vm.assertTrue(harness.hashRejections(rejected) != before, "hash of a changed rejection");
    }

    /// Flips a bit of one word, counted from its lower end.
    function _flip(bytes memory encoded, uint256 word, uint256 bit) private pure returns (bytes memory) {
        encoded[32 * word + 31 - bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        return encoded;
    }
}
