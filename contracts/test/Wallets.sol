// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IWalletRegistry} from "../src/IWalletRegistry.sol";
import {WalletRegistry} from "../src/WalletRegistry.sol";
import {Nation} from "./Nation.sol";

/// @notice What the tests of wallets need of forge's test machine beyond Vm.
interface SigningVm {
    function addr(uint256 privateKey) external pure returns (address account);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function publicKeyP256(uint256 privateKey) external pure returns (uint256 x, uint256 y);
    function signP256(uint256 privateKey, bytes32 digest) external pure returns (bytes32 r, bytes32 s);
    function chainId(uint256 id) external;
}

/// @title Wallets
/// @notice A nation with a registry of wallets and two issuers who may bind. BANK signs with its owner's key on
///         secp256k1, and with P256_SECRET; SECOND_BANK with its owner's key.
abstract contract Wallets is Nation {
    SigningVm internal constant signing = SigningVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant BANK_SECRET = 0xBA4C;
    uint256 internal constant SECOND_SECRET = 0x5EC0;
    uint256 internal constant P256_SECRET = 0x9256;
    uint256 internal constant P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551;
    uint16 internal constant LIST = 32_768;
    uint32 internal constant LENGTH = 131_072;
    uint32 internal constant EXPIRY = uint32(START) + 365 days;

    bytes32 internal constant MONEY = keccak256("cbdc:xnd");
    bytes32 internal constant LAND = keccak256("land titles");
    bytes32 internal constant ANNA = keccak256("Anna in XND");
    bytes32 internal constant BELA = keccak256("Bela in XND");
    address internal constant PURSE = address(0xF001);
    address internal constant SAFE = address(0xF002);
    address internal constant PHONE = address(0xF003);

    address internal bank;
    address internal secondBank;
    bytes32 internal keyX;
    bytes32 internal keyY;
    WalletRegistry internal wallets;

    function setUp() public virtual override {
        super.setUp();
        bank = signing.addr(BANK_SECRET);
        secondBank = signing.addr(SECOND_SECRET);
        (keyX, keyY) = _publicKey(P256_SECRET);
        wallets = new WalletRegistry(address(dids), address(governance), address(trust), address(status));
        bytes4[] memory selectors = wallets.rootFunctions();
        uint64 root = governance.ROOT();
        vm.prank(ADMIN);
        governance.setTargetFunctionRole(address(wallets), selectors, root);
        _accreditBank(bank);
        _accreditBank(secondBank);
        _openList(bank, LIST, 3, 0);
        _openList(secondBank, LIST, 3, 0);
        vm.prank(ROOT_HOLDER);
        wallets.admitIssuerKey(bank, keyX, keyY);
    }

    function _accreditBank(address issuer) internal {
        bytes32 kyc = wallets.KYC();
        vm.prank(ROOT_HOLDER);
        trust.accredit(issuer, kyc, START, START + 10 * YEAR, 0);
    }

    function _openList(address issuer, uint16 list, uint8 purpose, uint8 mode) internal {
        vm.prank(issuer);
        status.openLists(issuer, one(list), one8(purpose), one8(mode), one32(LENGTH));
    }

    function _revoke(address issuer, uint24 index) internal {
        vm.prank(issuer);
        status.setBits(issuer, LIST, one32(index / 256), one(1 << (255 - (index % 256))));
    }

    /// @dev A binding of PURSE to ANNA by BANK at this place.
    function _binding(uint24 index) internal view returns (IWalletRegistry.Binding memory binding) {
        return IWalletRegistry.Binding({
            issuer: bank,
            wallet: PURSE,
            domain: MONEY,
            pseudonym: ANNA,
            level: 2,
            jurisdiction: "XN",
            expiry: EXPIRY,
            list: LIST,
            index: index,
            replaces: address(0),
            deadline: START + 1 days
        });
    }

    function _bindingOf(uint24 index, address wallet, bytes32 pseudonym)
        internal
        view
        returns (IWalletRegistry.Binding memory binding)
    {
        binding = _binding(index);
        (binding.wallet, binding.pseudonym) = (wallet, pseudonym);
    }

    function _bind(IWalletRegistry.Binding memory binding) internal {
        wallets.bind(binding, _signed(binding));
    }

    /// @dev By the issuer's owner.
    function _signed(IWalletRegistry.Binding memory binding) internal view returns (bytes memory signature) {
        return _signedBy(binding.issuer == secondBank ? SECOND_SECRET : BANK_SECRET, binding);
    }

    function _signedBy(uint256 secret, IWalletRegistry.Binding memory binding)
        internal
        view
        returns (bytes memory signature)
    {
        (uint8 v, bytes32 r, bytes32 s) = signing.sign(secret, wallets.digestOf(binding));
        return abi.encodePacked(r, s, v);
    }

    function _signedP256(uint256 secret, IWalletRegistry.Binding memory binding)
        internal
        view
        returns (bytes memory signature)
    {
        (bytes32 r, bytes32 s) = signing.signP256(secret, sha256(abi.encodePacked(wallets.digestOf(binding))));
        if (uint256(s) > P256_ORDER / 2) s = bytes32(P256_ORDER - uint256(s));
        (bytes32 x, bytes32 y) = _publicKey(secret);
        return abi.encodePacked(_thumbprint(x, y), r, s);
    }

    function _publicKey(uint256 secret) internal pure returns (bytes32 x, bytes32 y) {
        (uint256 left, uint256 right) = signing.publicKeyP256(secret);
        return (bytes32(left), bytes32(right));
    }

    /// @dev RFC 7638, written apart from the contract's: letter by letter.
    function _thumbprint(bytes32 x, bytes32 y) internal pure returns (bytes32 thumbprint) {
        string memory head = string(bytes.concat('{"crv":"P-256","kty":"EC","x":"', _base64Url(x), '","y":"'));
        return sha256(bytes.concat(bytes(head), _base64Url(y), '"}'));
    }

    function _base64Url(bytes32 word) private pure returns (bytes memory text) {
        bytes memory alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        text = new bytes(43);
        for (uint256 i = 0; i < 42; ++i) {
            text[i] = alphabet[(uint256(word) >> (250 - 6 * i)) & 63];
        }
        text[42] = alphabet[(uint256(word) << 2) & 63];
    }
}
