// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {CorridorTerms} from "../../../contracts/core/interfaces/ICorridorBook.sol";
import {ReserveAttestation} from "../../../contracts/core/interfaces/ISettlementToken.sol";
import {ModuleStatus} from "../../../contracts/core/interfaces/ITreasury.sol";
import {CorridorBook} from "../../../contracts/core/CorridorBook.sol";
import {PartnerRegistry} from "../../../contracts/core/PartnerRegistry.sol";
import {QuoteBook} from "../../../contracts/core/QuoteBook.sol";
import {SettlementToken} from "../../../contracts/core/SettlementToken.sol";
import {TransferRegistry} from "../../../contracts/remittance/TransferRegistry.sol";
import {Treasury} from "../../../contracts/core/Treasury.sol";
import {BatchHeader, Transfer} from "../../../contracts/remittance/Batch.sol";
import {Authorization} from "../../../contracts/types/Authorization.sol";
import {Quote} from "../../../contracts/types/Quote.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {CorridorId, toCorridorId} from "../../../contracts/types/CorridorId.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {FUND, KeyPurpose} from "../../../contracts/types/KeyPurpose.sol";
import {HUB, PartnerId} from "../../../contracts/types/PartnerId.sol";
import {LIQUIDITY_PROVIDER, PartnerRole, WALLET} from "../../../contracts/types/PartnerRole.sol";
import {QuoteId} from "../../../contracts/types/QuoteId.sol";
import {pack} from "../../contracts/helpers/PackedHeaders.sol";
import {SecondModule} from "./SecondModule.sol";
import {TestBase} from "./TestBase.sol";
import {vm} from "./Vm.sol";

/// A whole ledger with a small network on it. Governance, guardian and settlement bank are the contract that inherits
/// this. Everyone's private keys are derived from their name.
abstract contract LedgerFixture is TestBase {
    uint256 internal constant CHAIN = 31_337;
    uint256 internal constant START = 1_767_225_600;
    uint32 internal constant BEAT_INTERVAL = 5 minutes;
    uint32 internal constant GRACE = 1 hours;
    uint48 internal constant MAX_ATTESTATION_AGE = 1 days;
    uint48 internal constant FOREVER = type(uint48).max;
    uint16 internal constant FEE_BPS = 25;
    uint64 internal constant MAX_PER_BATCH = 1e9;
    uint64 internal constant MAX_PER_DAY = 1e10;
    KeyPurpose internal constant OPERATOR = KeyPurpose.wrap(7);

    CurrencyCode internal constant CNY = CurrencyCode.wrap(156);
    CurrencyCode internal constant HKD = CurrencyCode.wrap(344);
    CurrencyCode internal constant PHP = CurrencyCode.wrap(608);

    PartnerId internal constant GCASH = PartnerId.wrap(4);
    PartnerId internal constant ALIPAY_HK = PartnerId.wrap(7);
    PartnerId internal constant PROVIDER = PartnerId.wrap(11);
    /// A liquidity provider with customers of its own: it can be source or target of a batch it sells currency for.
    PartnerId internal constant BOTH = PartnerId.wrap(12);

    AccessManager public manager;
    PartnerRegistry public partners;
    Treasury public treasury;
    CorridorBook public corridorBook;
    QuoteBook public quoteBook;
    TransferRegistry public registry;
    /// Another module, always there: what one does must be nothing to the other.
    SecondModule public second;
    mapping(CurrencyCode => SettlementToken) public tokens;

    PartnerId[] internal everyone;
    CurrencyCode[] internal currencies;
    CorridorId[] internal exchangeCorridors;
    CorridorId[] internal sameCurrencyCorridors;

    /// Deploys the ledger and registers everyone, with open corridors and no money.
    function _deploy() internal {
        vm.warp(START);
        manager = AccessManager(
            deployBuilt("@openzeppelin/contracts/access/manager", "AccessManager", abi.encode(this))
        );
        partners = PartnerRegistry(deployBuilt("contracts/core", "PartnerRegistry", abi.encode(manager)));
        treasury = Treasury(deployBuilt("contracts/core", "Treasury", abi.encode(manager, partners)));
        corridorBook = CorridorBook(
            deployBuilt("contracts/core", "CorridorBook", abi.encode(manager, partners, treasury))
        );
        quoteBook = QuoteBook(_deployQuoteBook());
        registry = TransferRegistry(_deployRegistry());
        // Before there is a token: afterwards modules need their notice.
        _announceAndActivate(address(registry));
        second = SecondModule(deploy("SecondModule", _moduleArguments()));
        _announceAndActivate(address(second));
        if (_isModule()) _announceAndActivate(address(this));

        _deployToken(CNY, "CNY");
        _deployToken(HKD, "HKD");
        _deployToken(PHP, "PHP");
        _register(HUB, "CN", CNY, WALLET);
        _register(GCASH, "PH", PHP, WALLET);
        _register(ALIPAY_HK, "HK", HKD, WALLET);
        _register(PROVIDER, "SG", HKD, LIQUIDITY_PROVIDER);
        _register(BOTH, "SG", PHP, PartnerRole.wrap(3));

        exchangeCorridors.push(toCorridorId(ALIPAY_HK, HKD, GCASH, PHP));
        exchangeCorridors.push(toCorridorId(GCASH, PHP, ALIPAY_HK, HKD));
        exchangeCorridors.push(toCorridorId(ALIPAY_HK, HKD, HUB, CNY));
        exchangeCorridors.push(toCorridorId(BOTH, HKD, GCASH, PHP));
        exchangeCorridors.push(toCorridorId(HUB, CNY, BOTH, PHP));
        sameCurrencyCorridors.push(toCorridorId(ALIPAY_HK, CNY, GCASH, CNY));
        // The hub pays its fee to itself.
        sameCurrencyCorridors.push(toCorridorId(HUB, CNY, ALIPAY_HK, CNY));
        sameCurrencyCorridors.push(toCorridorId(GCASH, PHP, HUB, PHP));
        CorridorTerms memory terms = CorridorTerms(true, FEE_BPS, MAX_PER_BATCH, MAX_PER_DAY);
        for (uint256 i = 0; i < exchangeCorridors.length; ++i) corridorBook.setCorridor(exchangeCorridors[i], 0, terms);
        for (uint256 i = 0; i < sameCurrencyCorridors.length; ++i) {
            corridorBook.setCorridor(sameCurrencyCorridors[i], 0, terms);
        }
    }

    /// Whether the test itself is a module of the treasury.
    function _isModule() internal pure virtual returns (bool) {
        return false;
    }

    /// A module gains rights on a ledger that has tokens: announced now, activated after its notice.
    function _giveRights(address module, ModuleStatus status) internal {
        if (module.code.length == 0) vm.etch(module, hex"00");
        treasury.announceModule(module, status);
        vm.warp(vm.getBlockTimestamp() + treasury.MODULE_NOTICE());
        treasury.activateModule(module, status);
    }

    /// No contract, precompile or cheatcode.
    function _assumeNobody(address account) internal view {
        vm.assume(account.code.length == 0 && uint160(account) > type(uint16).max && account != address(vm));
    }

    function _gains(ModuleStatus from, ModuleStatus to) internal pure returns (bool) {
        return from != to && (from == ModuleStatus.None || to == ModuleStatus.Active);
    }

    function _setStatusOfModule(address module, ModuleStatus status) internal {
        ModuleStatus current = treasury.statusOfModule(module);
        if (_gains(current, status)) _giveRights(module, status);
        else treasury.restrictModule(module, current, status);
    }

    /// Another registry over the same partners, treasury and books, none of which knows it.
    function _deployRegistry() internal returns (address) {
        return deployBuilt("contracts/remittance", "TransferRegistry", _moduleArguments());
    }

    /// Of both modules' constructors.
    function _moduleArguments() private view returns (bytes memory) {
        bytes memory network = abi.encode(manager, partners, treasury, corridorBook, quoteBook);
        return bytes.concat(network, abi.encode(BEAT_INTERVAL, GRACE));
    }

    /// Another quote book over the same partners and treasury.
    function _deployQuoteBook() internal returns (address) {
        return deployBuilt("contracts/core", "QuoteBook", abi.encode(partners, treasury));
    }

    /// Attests a reserve for each currency and gives every partner `deposited` in the treasury and `kept` outside.
    function _fundEveryone(uint128 reserve, uint128 deposited, uint128 kept) internal {
        for (uint256 c = 0; c < currencies.length; ++c) {
            SettlementToken token = tokens[currencies[c]];
            _attest(token, reserve, uint48(vm.getBlockTimestamp()));
            for (uint256 p = 0; p < everyone.length; ++p) {
                address treasurer = _treasurer(everyone[p]);
                token.mint(treasurer, deposited + kept);
                vm.startPrank(treasurer);
                token.approve(address(treasury), type(uint256).max);
                if (deposited > 0) treasury.deposit(everyone[p], currencies[c], deposited);
                vm.stopPrank();
            }
        }
    }

    function _attest(SettlementToken token, uint128 reserve, uint48 asOf) internal {
        ReserveAttestation memory attestation = ReserveAttestation(reserve, asOf, keccak256("report"));
        token.attest(attestation, _signAttestation(token, attestation, _privateKey("attestor")));
    }

    function _signAttestation(
        SettlementToken token,
        ReserveAttestation memory attestation,
        uint256 privateKey
    ) internal view returns (bytes memory) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("ReserveAttestation(uint128 reserve,uint48 asOf,bytes32 report)"),
                attestation.reserve,
                attestation.asOf,
                attestation.report
            )
        );
        return _sign(privateKey, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }

    /// A quote that the source partner of any batch may draw on for a day.
    function _quote(
        PartnerId provider,
        CurrencyCode sourceCurrency,
        CurrencyCode targetCurrency,
        uint128 rateNumerator,
        uint128 rateDenominator
    ) internal view returns (Quote memory quote) {
        quote.provider = provider;
        quote.sourceCurrency = sourceCurrency;
        quote.targetCurrency = targetCurrency;
        quote.rateNumerator = rateNumerator;
        quote.rateDenominator = rateDenominator;
        quote.capacity = type(uint128).max;
        quote.validUntil = uint48(vm.getBlockTimestamp() + 1 days);
        quote.maxHold = 1 days;
    }

    /// The header of a batch of these transfers at the corridor's standing terms, to be settled within an hour.
    function _header(
        CorridorId corridor,
        Transfer[] memory transfers,
        bytes32 root,
        Quote memory quote
    ) internal view returns (BatchHeader memory header) {
        (header.source, header.sourceCurrency, header.target, header.targetCurrency) = corridor.unpack();
        header.count = uint32(transfers.length);
        for (uint256 i = 0; i < transfers.length; ++i) {
            header.sourceTotal += transfers[i].sourceAmount;
            header.targetTotal += transfers[i].targetAmount;
        }
        header.fee = _feeOf(header.sourceTotal, FEE_BPS);
        header.expiresAt = registry.time() + 1 hours;
        header.root = root;
        header.quote = quote;
    }

    function _feeOf(uint256 sourceTotal, uint256 feeBps) internal pure returns (uint128) {
        return uint128((sourceTotal * feeBps + 9_999) / 10_000);
    }

    /// What the source partner signs.
    function _idOf(BatchHeader memory header) internal view returns (bytes32) {
        return BatchId.unwrap(registry.batchIdOf(pack(header)));
    }

    /// What the provider signs.
    function _idOf(Quote memory quote) internal view returns (bytes32) {
        return QuoteId.unwrap(quoteBook.quoteIdOf(quote));
    }

    function _signBatch(BatchHeader memory header) internal view returns (Authorization memory) {
        return _authorize(_operatorKey(header.source, 0), _idOf(header));
    }

    function _signQuote(Quote memory quote) internal view returns (Authorization memory) {
        return _authorize(_operatorKey(quote.provider, 0), _idOf(quote));
    }

    function _signSettlement(
        BatchHeader memory header,
        bytes32 rejectionsHash
    ) internal view returns (Authorization memory) {
        return
            _authorize(
                _operatorKey(header.target, 0),
                _settlementDigest(registry.batchIdOf(pack(header)), rejectionsHash)
            );
    }

    function _settlementDigest(BatchId batchId, bytes32 rejectionsHash) internal view returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(keccak256("Settlement(bytes32 batchId,bytes32 rejectionsHash)"), batchId, rejectionsHash)
        );
        // Asked for, since the compiler may read `block.chainid` once and keep it over a change.
        (, , , uint256 chainId, address verifier, , ) = registry.eip712Domain();
        return _typedDigest(chainId, verifier, structHash);
    }

    function _acceptanceDigest(BatchId batchId, uint48 validUntil) internal view returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(keccak256("Acceptance(bytes32 batchId,uint48 validUntil)"), batchId, validUntil)
        );
        (, , , uint256 chainId, address verifier, , ) = registry.eip712Domain();
        return _typedDigest(chainId, verifier, structHash);
    }

    /// EIP-712 digest in the protocol's domain, on any chain and for any contract.
    function _typedDigest(uint256 chainId, address verifier, bytes32 structHash) internal pure returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Feiqian"),
                keccak256("1"),
                chainId,
                verifier
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function _authorize(uint256 privateKey, bytes32 digest) internal pure returns (Authorization memory) {
        return Authorization(vm.addr(privateKey), _sign(privateKey, digest));
    }

    function _sign(uint256 privateKey, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        return abi.encodePacked(r, s, v);
    }

    /// The key that sends, accepts and quotes for a partner, before and after rotations.
    function _operatorKey(PartnerId partner, uint256 generation) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("operator", partner, generation)));
    }

    /// Holds a partner's tokens outside the treasury and its FUND key. Nobody signs as it.
    function _treasurer(PartnerId partner) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("treasurer", partner)))));
    }

    function _admin(PartnerId partner) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("admin", partner)))));
    }

    function _privateKey(string memory name) internal pure returns (uint256) {
        return uint256(keccak256(bytes(name)));
    }

    function _announceAndActivate(address module) private {
        treasury.announceModule(module, ModuleStatus.Active);
        treasury.activateModule(module, ModuleStatus.Active);
    }

    function _register(PartnerId partner, bytes2 country, CurrencyCode homeCurrency, PartnerRole roles) private {
        everyone.push(partner);
        partners.registerPartner(partner, _admin(partner), country, homeCurrency, roles);
        vm.startPrank(_admin(partner));
        partners.authorizeKey(partner, vm.addr(_operatorKey(partner, 0)), OPERATOR, FOREVER);
        partners.authorizeKey(partner, _treasurer(partner), FUND, FOREVER);
        vm.stopPrank();
    }

    function _deployToken(CurrencyCode currency, string memory code) private {
        bytes memory arguments = abi.encode(
            manager,
            treasury,
            currency,
            code,
            uint8(2),
            MAX_ATTESTATION_AGE,
            vm.addr(_privateKey("attestor"))
        );
        tokens[currency] = SettlementToken(deployBuilt("contracts/core", "SettlementToken", arguments));
        treasury.registerToken(tokens[currency]);
        currencies.push(currency);
    }
}
