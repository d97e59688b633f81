// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IWalletVerifier} from "../src/IWalletVerifier.sol";
import {EasWalletVerifier} from "../src/verifiers/EasWalletVerifier.sol";
import {Erc3643WalletVerifier} from "../src/verifiers/Erc3643WalletVerifier.sol";
import {Attestation, IEAS} from "../src/verifiers/IEAS.sol";
import {IIdentityRegistry} from "../src/verifiers/IIdentityRegistry.sol";
import {Wallets} from "./Wallets.sol";

/// @notice The least that keeps what an attestation service keeps: attestations by id, revoked by their attester.
contract AttestationService is IEAS {
    mapping(bytes32 uid => Attestation) private _attestations;

    function attest(Attestation memory attestation) external returns (bytes32 uid) {
        uid = keccak256(abi.encode(attestation));
        attestation.uid = uid;
        attestation.attester = msg.sender;
        _attestations[uid] = attestation;
    }

    function revoke(bytes32 uid) external {
        _attestations[uid].revocationTime = uint64(block.timestamp);
    }

    function getAttestation(bytes32 uid) external view returns (Attestation memory attestation) {
        return _attestations[uid];
    }
}

/// @notice The least that keeps what an ERC-3643 identity registry keeps.
contract IdentityRegistry is IIdentityRegistry {
    mapping(address wallet => address) public identity;
    mapping(address wallet => uint16) public investorCountry;
    mapping(address wallet => bool) public isVerified;

    function register(address wallet, address onchainId, uint16 country) external {
        (identity[wallet], investorCountry[wallet], isVerified[wallet]) = (onchainId, country, true);
    }

    function fail(address wallet) external {
        isVerified[wallet] = false;
    }
}

/// @notice What a token does with any verifier: it does not see which one it has.
contract Gatekeeper {
    error NoEntry(address wallet);

    IWalletVerifier private immutable verifier;

    constructor(IWalletVerifier verifier_) {
        verifier = verifier_;
    }

    function enter(address wallet, bytes32 domain, uint8 lowest) external view returns (bytes32 pseudonym) {
        (bool valid, uint8 level,,) = verifier.standingOf(wallet, domain);
        if (!valid || level < lowest) revert NoEntry(wallet);
        return verifier.pseudonymOf(wallet, domain);
    }
}

abstract contract Verifiers is Wallets {
    function _isNothing(IWalletVerifier verifier, address wallet, bytes32 domain) internal view {
        isFalse(verifier.isValid(wallet, domain));
        (bool valid, uint8 level, bytes2 jurisdiction, uint64 expiry) = verifier.standingOf(wallet, domain);
        isFalse(valid || level != 0 || jurisdiction != 0 || expiry != 0);
        equal(verifier.pseudonymOf(wallet, domain), bytes32(0));
    }
}

contract EasWalletVerifierTest is Verifiers {
    bytes32 private constant SCHEMA = keccak256("bytes32 domain, bytes32 pseudonym, uint8 level, bytes2 jurisdiction");

    AttestationService private _service;
    EasWalletVerifier private _verifier;

    function setUp() public override {
        super.setUp();
        _service = new AttestationService();
        _verifier = new EasWalletVerifier(address(_service), SCHEMA, address(dids), address(trust));
    }

    function testAnAttestationThatWasPresentedAnswers() public {
        bytes32 uid = _attest(_attestation());
        _isNothing(_verifier, PURSE, MONEY);
        vm.expectEmit(address(_verifier));
        emit EasWalletVerifier.Presentation(PURSE, MONEY, uid);
        _present(PURSE, uid);
        (bool valid, uint8 level, bytes2 jurisdiction, uint64 expiry) = _verifier.standingOf(PURSE, MONEY);
        isTrue(valid && level == 2 && jurisdiction == "XN" && expiry == EXPIRY);
        isTrue(_verifier.isValid(PURSE, MONEY));
        equal(new Gatekeeper(_verifier).enter(PURSE, MONEY, 2), ANNA);
        _isNothing(_verifier, PURSE, LAND);
        _isNothing(_verifier, SAFE, MONEY);
    }

    function testAnAttestationWithoutExpiryStaysUntilItIsRevoked() public {
        Attestation memory attestation = _attestation();
        attestation.expirationTime = 0;
        bytes32 uid = _attest(attestation);
        _present(bank, uid);
        vm.warp(START + 9 * YEAR);
        (bool valid,,, uint64 expiry) = _verifier.standingOf(PURSE, MONEY);
        isTrue(valid && expiry == type(uint64).max);
        _service.revoke(uid);
        _isNothing(_verifier, PURSE, MONEY);
    }

    function testAnExpiredAttestationIsNothing() public {
        _present(PURSE, _attest(_attestation()));
        vm.warp(EXPIRY);
        _isNothing(_verifier, PURSE, MONEY);
    }

    function testAnAttesterWhoIsAccreditedNoMoreAttestsNothing() public {
        _present(PURSE, _attest(_attestation()));
        vm.prank(ROOT_HOLDER);
        trust.endAccreditation(address(0), bank, keccak256("KycAttestation"));
        _isNothing(_verifier, PURSE, MONEY);
    }

    function testAnAttesterWhoGaveItsIdentityAwayAttestsNothing() public {
        _present(PURSE, _attest(_attestation()));
        _changeOwner(bank, bank, BUYER);
        _isNothing(_verifier, PURSE, MONEY);
    }

    function testTheNewestPresentationCounts() public {
        _present(PURSE, _attest(_attestation()));
        Attestation memory better = _attestation();
        better.data = abi.encode(MONEY, ANNA, uint8(3), bytes2("XN"));
        _present(PURSE, _attest(better));
        (, uint8 level,,) = _verifier.standingOf(PURSE, MONEY);
        equal(level, 3);
    }

    function testRefusesAnAttestationThatDoesNotCount() public {
        _refusesAsUnusable(bytes32(0));
        _refusesAsUnusable(keccak256("no such attestation"));
        Attestation memory attestation = _attestation();
        attestation.schema = keccak256("another schema");
        _refusesAsUnusable(_attest(attestation));
        attestation = _attestation();
        attestation.revocable = false;
        _refusesAsUnusable(_attest(attestation));
        attestation = _attestation();
        attestation.expirationTime = START;
        _refusesAsUnusable(_attest(attestation));
        bytes32 uid = _attest(_attestation());
        _service.revoke(uid);
        _refusesAsUnusable(uid);
    }

    function testRefusesDataThatIsNotOfTheSchema() public {
        bytes[7] memory wrong = [
            bytes(""),
            abi.encode(MONEY, ANNA, uint8(2)),
            abi.encode(MONEY, ANNA, uint8(2), bytes2("XN"), uint8(0)),
            abi.encode(MONEY, ANNA, uint256(256), bytes2("XN")),
            abi.encode(MONEY, ANNA, uint8(0), bytes2("XN")),
            abi.encode(MONEY, bytes32(0), uint8(2), bytes2("XN")),
            abi.encode(MONEY, ANNA, uint8(2), bytes3("XNX"))
        ];
        for (uint256 i = 0; i < wrong.length; ++i) {
            Attestation memory attestation = _attestation();
            attestation.data = wrong[i];
            _refusesAsUnusable(_attest(attestation));
        }
    }

    function testRefusesAStrangerWhoPresents() public {
        bytes32 uid = _attest(_attestation());
        _refuses(abi.encodeWithSelector(EasWalletVerifier.NotConcerned.selector, STRANGER));
        _present(STRANGER, uid);
    }

    function testRefusesAnAttesterWithoutAccreditation() public {
        vm.prank(STRANGER);
        bytes32 uid = _service.attest(_attestation());
        _refuses(abi.encodeWithSelector(EasWalletVerifier.AttesterNotAccredited.selector, STRANGER));
        _present(PURSE, uid);
    }

    function testRefusesTheFormerOwnerOfAnAccreditedIdentity() public {
        bytes32 uid = _attest(_attestation());
        _changeOwner(bank, bank, BUYER);
        _refuses(abi.encodeWithSelector(EasWalletVerifier.AttesterNotAccredited.selector, bank));
        _present(PURSE, uid);
    }

    function testRefusesAddressesWithoutCode() public {
        bytes memory reason = abi.encodeWithSelector(EasWalletVerifier.NotAContract.selector, STRANGER);
        _refuses(reason);
        new EasWalletVerifier(STRANGER, SCHEMA, address(dids), address(trust));
        _refuses(reason);
        new EasWalletVerifier(address(_service), SCHEMA, STRANGER, address(trust));
        _refuses(reason);
        new EasWalletVerifier(address(_service), SCHEMA, address(dids), STRANGER);
    }

    function _attestation() private view returns (Attestation memory attestation) {
        return Attestation({
            uid: bytes32(0),
            schema: SCHEMA,
            time: _now(),
            expirationTime: EXPIRY,
            revocationTime: 0,
            refUID: bytes32(0),
            recipient: PURSE,
            attester: address(0),
            revocable: true,
            data: abi.encode(MONEY, ANNA, uint8(2), bytes2("XN"))
        });
    }

    function _attest(Attestation memory attestation) private returns (bytes32 uid) {
        vm.prank(bank);
        return _service.attest(attestation);
    }

    function _present(address who, bytes32 uid) private {
        vm.prank(who);
        _verifier.present(uid);
    }

    function _refusesAsUnusable(bytes32 uid) private {
        _refuses(abi.encodeWithSelector(EasWalletVerifier.NotUsable.selector, uid));
        _present(PURSE, uid);
    }
}

contract Erc3643WalletVerifierTest is Verifiers {
    IdentityRegistry private _registry;
    Erc3643WalletVerifier private _verifier;

    function setUp() public override {
        super.setUp();
        _registry = new IdentityRegistry();
        (uint16[] memory numeric, bytes2[] memory alpha2) = _countries();
        _verifier = new Erc3643WalletVerifier(address(_registry), MONEY, 2, numeric, alpha2);
    }

    function testAVerifiedWalletAnswers() public {
        _isNothing(_verifier, PURSE, MONEY);
        _registry.register(PURSE, address(0x1D), 528);
        (bool valid, uint8 level, bytes2 jurisdiction, uint64 expiry) = _verifier.standingOf(PURSE, MONEY);
        isTrue(valid && level == 2 && jurisdiction == "NL" && expiry == type(uint64).max);
        isTrue(_verifier.isValid(PURSE, MONEY));
        equal(new Gatekeeper(_verifier).enter(PURSE, MONEY, 2), bytes32(uint256(0x1D)));
    }

    function testTheWalletsOfOneIdentityHaveOnePseudonym() public {
        _registry.register(PURSE, address(0x1D), 528);
        _registry.register(SAFE, address(0x1D), 250);
        equal(_verifier.pseudonymOf(PURSE, MONEY), _verifier.pseudonymOf(SAFE, MONEY));
    }

    function testAWalletThatIsVerifiedNoMoreIsNothing() public {
        _registry.register(PURSE, address(0x1D), 528);
        _registry.fail(PURSE);
        _isNothing(_verifier, PURSE, MONEY);
    }

    function testAnswersForItsDomainOnly() public {
        _registry.register(PURSE, address(0x1D), 528);
        _isNothing(_verifier, PURSE, LAND);
    }

    function testACountryThatWasNotNamedIsJurisdictionZero() public {
        _registry.register(PURSE, address(0x1D), 4);
        (bool valid,, bytes2 jurisdiction,) = _verifier.standingOf(PURSE, MONEY);
        isTrue(valid && jurisdiction == 0);
    }

    function testRefusesALevelBelowTheTokens() public {
        _registry.register(PURSE, address(0x1D), 528);
        Gatekeeper gate = new Gatekeeper(_verifier);
        _refuses(abi.encodeWithSelector(Gatekeeper.NoEntry.selector, PURSE));
        gate.enter(PURSE, MONEY, 3);
    }

    function testRefusesToBeMadeOfNothing() public {
        (uint16[] memory numeric, bytes2[] memory alpha2) = _countries();
        _refuses(abi.encodeWithSelector(Erc3643WalletVerifier.NotAContract.selector, STRANGER));
        new Erc3643WalletVerifier(STRANGER, MONEY, 2, numeric, alpha2);
        _refuses(abi.encodeWithSelector(Erc3643WalletVerifier.ZeroIdentifier.selector));
        new Erc3643WalletVerifier(address(_registry), bytes32(0), 2, numeric, alpha2);
        _refuses(abi.encodeWithSelector(Erc3643WalletVerifier.ZeroIdentifier.selector));
        new Erc3643WalletVerifier(address(_registry), MONEY, 0, numeric, alpha2);
        _refuses(abi.encodeWithSelector(Erc3643WalletVerifier.LengthMismatch.selector));
        new Erc3643WalletVerifier(address(_registry), MONEY, 2, numeric, new bytes2[](1));
    }

    function _countries() private pure returns (uint16[] memory numeric, bytes2[] memory alpha2) {
        (numeric, alpha2) = (new uint16[](2), new bytes2[](2));
        (numeric[0], numeric[1]) = (528, 250);
        (alpha2[0], alpha2[1]) = (bytes2("NL"), bytes2("FR"));
    }
}

/// @notice The registry of wallets behind the same interface.
contract WalletRegistryAsVerifierTest is Verifiers {
    function testABoundWalletEnters() public {
        _bind(_binding(7));
        Gatekeeper gate = new Gatekeeper(wallets);
        equal(gate.enter(PURSE, MONEY, 2), ANNA);
        _revoke(bank, 7);
        _refuses(abi.encodeWithSelector(Gatekeeper.NoEntry.selector, PURSE));
        gate.enter(PURSE, MONEY, 2);
    }
}
