// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization} from "../types/Authorization.sol";
import {CurrencyCode} from "../types/CurrencyCode.sol";
import {PartnerId} from "../types/PartnerId.sol";
import {Quote} from "../types/Quote.sol";
import {PackedHeader} from "./PackedHeader.sol";

/// The life cycle of a batch. The last three are final.
enum BatchStatus {
    None,
    Open,
    Settled,
    Rejected,
    Expired
}

/// What the source partner's SEND key signs (EIP-712, as `Batch`). Its digest is the batch id.
struct BatchHeader {
    PartnerId source;
    PartnerId target;
    CurrencyCode sourceCurrency;
    CurrencyCode targetCurrency;
    /// number of transfers (NbOfTxs of the pacs.008)
    uint32 count;
    /// sum of the transfers' source amounts, in source minor units
    uint128 sourceTotal;
    /// sum of the transfers' target amounts, in target minor units (TtlIntrBkSttlmAmt)
    uint128 targetTotal;
    /// network fee on top of `sourceTotal`, in source minor units
    uint128 fee;
    /// ledger time from which the batch can no longer settle and can be expired
    uint48 expiresAt;
    /// Merkle root of the transfers
    bytes32 root;
    /// the quote drawn on; all zero where both currencies are the same
    Quote quote;
}

/// One person-to-person payment, as committed in a batch's Merkle tree.
struct Transfer {
    /// UUID v4, made by the caller
    bytes16 uetr;
    uint128 sourceAmount;
    uint128 targetAmount;
    /// hash of the salted details: no personal data, in any form that can be guessed
    bytes32 detailsHash;
}

/// A transfer that the target partner refuses, and why.
struct Rejection {
    Transfer transfer;
    /// ISO 20022 ExternalStatusReason1Code, four ASCII characters
    bytes4 reason;
}

/// A rejected transfer by its leaf alone: what events publish and `verify` takes back.
struct RejectedLeaf {
    bytes32 leaf;
    bytes4 reason;
}

/// Proof that several leaves are in one tree, as OpenZeppelin's MerkleProof takes it.
struct MultiProof {
    bytes32[] siblings;
    bool[] flags;
}

/// A batch that its target partner accepts whole before anything is held.
struct AcceptedBatch {
    PackedHeader header;
    /// the source partner's signature over the header (EIP-712 `Batch`)
    Authorization bySource;
    /// the provider's signature over the header's quote (EIP-712 `Quote`); ignored in a same-currency batch
    Authorization byProvider;
    /// last block timestamp at which the acceptance counts. Wall-clock time: a halt must not prolong a promise
    uint48 acceptedUntil;
    /// the target partner's signature over batch id and `acceptedUntil` (EIP-712 `Acceptance`)
    Authorization byTarget;
}
