// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AssetRegistry} from "../src/AssetRegistry.sol";
import {IAssetRegistry} from "../src/IAssetRegistry.sol";
import {ILicenceRegistry} from "../src/ILicenceRegistry.sol";
import {ITitleRegistry} from "../src/ITitleRegistry.sol";
import {IWalletVerifier} from "../src/IWalletVerifier.sol";
import {LicenceRegistry} from "../src/LicenceRegistry.sol";
import {TitleRegistry} from "../src/TitleRegistry.sol";
import {Nation, People} from "./Nation.sol";

/// @notice A source of its own behind the tokens' interface, as an operator may plug one: a list of wallets.
contract KnownWallets is IWalletVerifier {
    mapping(bytes32 domain => mapping(address wallet => uint8 level)) private _levels;

    function know(bytes32 domain, address wallet, uint8 level) external {
        _levels[domain][wallet] = level;
    }

    function isValid(address wallet, bytes32 domain) external view returns (bool valid) {
        return _levels[domain][wallet] > 0;
    }

    function standingOf(address wallet, bytes32 domain)
        external
        view
        returns (bool valid, uint8 level, bytes2 jurisdiction, uint64 expiry)
    {
        level = _levels[domain][wallet];
        return level > 0 ? (true, level, bytes2("NL"), type(uint64).max) : (false, 0, bytes2(0), 0);
    }

    function pseudonymOf(address wallet, bytes32 domain) external view returns (bytes32 pseudonym) {
        return _levels[domain][wallet] > 0 ? keccak256(abi.encode(wallet, domain)) : bytes32(0);
    }
}

/// @notice Names of registers, entries, orders and wallets, and how they are used.
abstract contract RegisterPeople is People {
    address internal constant ALICE = address(0xC1);
    address internal constant BOB = address(0xC2);
    address internal constant CAROL = address(0xC3);
    bytes32 internal constant LAND = keccak256("land");
    bytes32 internal constant FLATS = keccak256("flats");
    bytes32 internal constant REALM = keccak256("realm");
    bytes32 internal constant ORDER = keccak256("order");
    bytes32 internal constant CAVEAT = keccak256("caveat");
    bytes32 internal constant OTHER = keccak256("other");
    string internal constant BASE = "https://registry.example/entries/";
    uint128 internal constant ENTRY = 0x0198c7f20a1b7c3d8e4f5a6b7c8d9e0f;

    TitleRegistry internal titles;
    LicenceRegistry internal licences;
    AssetRegistry internal assets;
    KnownWallets internal wallets;

    function keyOf(address issuer, bytes32 register) internal pure returns (uint128 key) {
        return uint128(bytes16(keccak256(abi.encode(issuer, register))));
    }

    function idOf(bytes32 register, uint128 entry) internal pure returns (uint256 tokenId) {
        return uint256(keyOf(AGENCY, register)) << 128 | entry;
    }

    function oneHash(bytes32 value) internal pure returns (bytes32[] memory array) {
        array = new bytes32[](1);
        array[0] = value;
    }

    function one64(uint64 value) internal pure returns (uint64[] memory array) {
        array = new uint64[](1);
        array[0] = value;
    }

    function one128(uint128 value) internal pure returns (uint128[] memory array) {
        array = new uint128[](1);
        array[0] = value;
    }

    function oneAddress(address value) internal pure returns (address[] memory array) {
        array = new address[](1);
        array[0] = value;
    }

    function title(uint128 entry, address holder) internal pure returns (ITitleRegistry.NewTitle[] memory array) {
        array = new ITitleRegistry.NewTitle[](1);
        array[0] = ITitleRegistry.NewTitle(entry, holder, 0, DIGEST);
    }

    function licence(uint128 entry, address holder, uint64 expiry)
        internal
        pure
        returns (ILicenceRegistry.NewLicence[] memory array)
    {
        array = new ILicenceRegistry.NewLicence[](1);
        array[0] = ILicenceRegistry.NewLicence(entry, holder, expiry, DIGEST);
    }

    function class(uint128 entry, uint128 cap, bool byWallets)
        internal
        pure
        returns (IAssetRegistry.Standing memory opened)
    {
        return IAssetRegistry.Standing({
            entryId: entry,
            cap: cap,
            supply: 0,
            decimals: 3,
            walletTransfers: byWallets,
            level: 2,
            domain: REALM,
            commitment: DIGEST
        });
    }

    function _refuses(bytes4 selector) internal {
        _refuses(abi.encodeWithSelector(selector));
    }
}

/// @title Registers
/// @notice A nation with the token contracts, an agency accredited for licences, and a few wallets: Alice's and Bob's of
///         level 2, nobody behind Carol's.
abstract contract Registers is Nation, RegisterPeople {
    function setUp() public virtual override {
        super.setUp();
        wallets = new KnownWallets();
        titles = new TitleRegistry(address(dids), address(governance), address(trust), address(wallets));
        licences = new LicenceRegistry(address(dids), address(governance), address(trust), address(wallets));
        assets = new AssetRegistry(address(dids), address(governance), address(trust), address(wallets));
        wallets.know(REALM, ALICE, 2);
        wallets.know(REALM, BOB, 2);
        _accredit(AGENCY);
    }

    function _accredit(address issuer) internal {
        vm.prank(ROOT_HOLDER);
        trust.accredit(issuer, LICENCE, _now(), _now() + YEAR, 0);
    }

    function _endAccreditation() internal {
        vm.prank(ROOT_HOLDER);
        trust.endAccreditation(address(0), AGENCY, LICENCE);
    }
}
