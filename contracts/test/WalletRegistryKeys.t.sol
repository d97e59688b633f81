// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Governed} from "../src/Governed.sol";
import {IWalletRegistry} from "../src/IWalletRegistry.sol";
import {WalletRegistry} from "../src/WalletRegistry.sol";
import {Wallets} from "./Wallets.sol";

interface DelegatingRegistry {
    function addDelegate(address identity, bytes32 delegateType, address delegate, uint256 validity) external;
    function revokeDelegate(address identity, bytes32 delegateType, address delegate) external;
}

/// @notice Who may sign a binding, and with what.
contract WalletRegistryKeysTest is Wallets {
    uint256 private constant OTHER_SECRET = 0x07;
    /// @dev cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s
    bytes32 private constant KNOWN_THUMBPRINT = 0x727f88fd634c0a57a1895a79d62ff4569384356d6ea447ab03cb046a6e619feb;
    uint256 private constant SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    // ---- secp256k1 ------------------------------------------------------------------------------------------------

    function testADelegateOfTheIssuerSigns() public {
        bytes32[2] memory types = [bytes32("veriKey"), "sigAuth"];
        for (uint24 i = 0; i < 2; ++i) {
            vm.prank(bank);
            DelegatingRegistry(address(dids)).addDelegate(bank, types[i], signing.addr(OTHER_SECRET), 1 days);
            wallets.bind(_binding(i), _signedBy(OTHER_SECRET, _binding(i)));
            isTrue(wallets.isValid(PURSE, MONEY));
            vm.prank(bank);
            DelegatingRegistry(address(dids)).revokeDelegate(bank, types[i], signing.addr(OTHER_SECRET));
            _refusesSignature(_binding(i + 10), _signedBy(OTHER_SECRET, _binding(i + 10)));
        }
    }

    function testRefusesADelegateForSomethingElse() public {
        vm.prank(bank);
        DelegatingRegistry(address(dids)).addDelegate(bank, "enc", signing.addr(OTHER_SECRET), 1 days);
        _refusesSignature(_binding(7), _signedBy(OTHER_SECRET, _binding(7)));
    }

    function testTheNewOwnerOfTheIssuerSignsAndTheFormerDoesNot() public {
        _changeOwner(bank, bank, signing.addr(OTHER_SECRET));
        _refusesSignature(_binding(7), _signedBy(BANK_SECRET, _binding(7)));
        wallets.bind(_binding(7), _signedBy(OTHER_SECRET, _binding(7)));
        isTrue(wallets.isValid(PURSE, MONEY));
    }

    function testRefusesAStrangersSignature() public {
        _refusesSignature(_binding(7), _signedBy(OTHER_SECRET, _binding(7)));
        _refusesSignature(_binding(7), _signedBy(SECOND_SECRET, _binding(7)));
    }

    function testRefusesASignatureOverAnythingElse() public {
        bytes memory signature = _signed(_binding(7));
        for (uint256 i = 0; i < 11; ++i) {
            _refusesSignature(_changed(i), signature);
        }
    }

    function testRefusesTheSignatureOfAnotherContractOrChain() public {
        bytes memory signature = _signed(_binding(7));
        WalletRegistry twin = new WalletRegistry(address(dids), address(governance), address(trust), address(status));
        _refuses(abi.encodeWithSelector(IWalletRegistry.InvalidSignature.selector));
        twin.bind(_binding(7), signature);
        signing.chainId(424_242);
        _refusesSignature(_binding(7), signature);
    }

    function testRefusesTheUpperHalfOfTheOrder() public {
        (uint8 v, bytes32 r, bytes32 s) = signing.sign(BANK_SECRET, wallets.digestOf(_binding(7)));
        bytes32 high = bytes32(SECP256K1_ORDER - uint256(s));
        _refusesSignature(_binding(7), abi.encodePacked(r, high, v == 27 ? uint8(28) : uint8(27)));
    }

    function testRefusesASignatureOfAnotherLength() public {
        bytes memory signature = _signed(_binding(7));
        _refusesSignature(_binding(7), "");
        _refusesSignature(_binding(7), new bytes(64));
        _refusesSignature(_binding(7), new bytes(65));
        _refusesSignature(_binding(7), bytes.concat(signature, bytes1(0)));
        _refusesSignature(_binding(7), new bytes(97));
    }

    // ---- P-256 ----------------------------------------------------------------------------------------------------

    function testAnAdmittedKeySigns() public {
        wallets.bind(_binding(7), _signedP256(P256_SECRET, _binding(7)));
        isTrue(wallets.isValid(PURSE, MONEY));
    }

    function testSeveralKeysOfAnIssuerSign() public {
        (bytes32 x, bytes32 y) = _publicKey(OTHER_SECRET);
        vm.expectEmit(address(wallets));
        emit IWalletRegistry.IssuerKeyAdmitted(bank, _thumbprint(x, y), x, y);
        _admit(bank, x, y);
        wallets.bind(_binding(7), _signedP256(OTHER_SECRET, _binding(7)));
        wallets.bind(_binding(8), _signedP256(P256_SECRET, _binding(8)));
        isTrue(wallets.isIssuerKey(bank, _thumbprint(x, y)) && wallets.isIssuerKey(bank, _thumbprint(keyX, keyY)));
        isFalse(wallets.isIssuerKey(secondBank, _thumbprint(x, y)));
    }

    function testRefusesAKeyThatNobodyAdmitted() public {
        bytes memory signature = _signedP256(OTHER_SECRET, _binding(7));
        (bytes32 x, bytes32 y) = _publicKey(OTHER_SECRET);
        _refusesKey(signature, IWalletRegistry.UnknownKey.selector, _thumbprint(x, y));
    }

    function testRefusesTheKeyOfAnotherIssuer() public {
        IWalletRegistry.Binding memory binding = _binding(7);
        binding.issuer = secondBank;
        bytes memory signature = _signedP256(P256_SECRET, binding);
        _refuses(abi.encodeWithSelector(IWalletRegistry.UnknownKey.selector, secondBank, _thumbprint(keyX, keyY)));
        wallets.bind(binding, signature);
    }

    function testRefusesAWithdrawnKeyAndLeavesWhatItBound() public {
        wallets.bind(_binding(7), _signedP256(P256_SECRET, _binding(7)));
        bytes memory signature = _signedP256(P256_SECRET, _binding(8));
        vm.expectEmit(address(wallets));
        emit IWalletRegistry.IssuerKeyWithdrawn(bank, _thumbprint(keyX, keyY));
        _withdraw(bank, keyX, keyY);
        isTrue(wallets.isValid(PURSE, MONEY));
        IWalletRegistry.Binding memory binding = _binding(8);
        _refuses(abi.encodeWithSelector(IWalletRegistry.UnknownKey.selector, bank, _thumbprint(keyX, keyY)));
        wallets.bind(binding, signature);
        _admit(bank, keyX, keyY);
        wallets.bind(binding, signature);
    }

    function testWithdrawsDuringAPause() public {
        _pause(address(wallets), 1 days);
        _withdraw(bank, keyX, keyY);
        isFalse(wallets.isIssuerKey(bank, _thumbprint(keyX, keyY)));
    }

    function testRefusesADistrustedKey() public {
        bytes memory signature = _signedP256(P256_SECRET, _binding(7));
        bytes32 thumbprint = _thumbprint(keyX, keyY);
        vm.prank(ROOT_HOLDER);
        trust.distrustKey(bank, thumbprint, START);
        _refusesKey(signature, IWalletRegistry.DistrustedKey.selector, thumbprint);
    }

    function testRefusesAP256SignatureOverAnythingElse() public {
        bytes memory signature = _signedP256(P256_SECRET, _binding(7));
        for (uint256 i = 1; i < 11; ++i) {
            _refusesSignature(_changed(i), signature);
        }
    }

    function testRefusesTheUpperHalfOfTheOrderOfP256() public {
        bytes memory signature = _signedP256(P256_SECRET, _binding(7));
        (bytes32 thumbprint, bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32, bytes32));
        bytes32 high = bytes32(P256_ORDER - uint256(s));
        _refusesSignature(_binding(7), abi.encodePacked(thumbprint, r, high));
    }

    function testRefusesADigestThatWasNotHashedAgain() public {
        (bytes32 r, bytes32 s) = signing.signP256(P256_SECRET, wallets.digestOf(_binding(7)));
        if (uint256(s) > P256_ORDER / 2) s = bytes32(P256_ORDER - uint256(s));
        _refusesSignature(_binding(7), abi.encodePacked(_thumbprint(keyX, keyY), r, s));
    }

    // ---- admitting keys -------------------------------------------------------------------------------------------

    function testRefusesAStrangerWhoAdmitsOrWithdraws() public {
        address[3] memory who = [STRANGER, bank, GUARD];
        for (uint256 i = 0; i < who.length; ++i) {
            bytes memory reason = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, who[i]);
            _refuses(reason);
            vm.prank(who[i]);
            wallets.admitIssuerKey(secondBank, keyX, keyY);
            _refuses(reason);
            vm.prank(who[i]);
            wallets.withdrawIssuerKey(bank, keyX, keyY);
        }
    }

    function testRefusesToAdmitDuringAPause() public {
        _pause(address(wallets), 1 days);
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        _admit(secondBank, keyX, keyY);
    }

    function testRefusesAKeyForNobody() public {
        _refuses(abi.encodeWithSelector(IWalletRegistry.ZeroAddress.selector));
        _admit(address(0), keyX, keyY);
    }

    function testRefusesWhatIsNoPoint() public {
        bytes memory reason = abi.encodeWithSelector(IWalletRegistry.InvalidKey.selector);
        bytes32[2][3] memory wrong = [[keyX, keyX], [bytes32(0), bytes32(0)], [keyY, keyX]];
        for (uint256 i = 0; i < wrong.length; ++i) {
            _refuses(reason);
            _admit(bank, wrong[i][0], wrong[i][1]);
        }
    }

    function testRefusesAKeyThatIsAdmittedAlready() public {
        _refuses(abi.encodeWithSelector(IWalletRegistry.KeyExists.selector, bank, _thumbprint(keyX, keyY)));
        _admit(bank, keyX, keyY);
    }

    function testRefusesToWithdrawWhatIsNotAdmitted() public {
        _refuses(abi.encodeWithSelector(IWalletRegistry.UnknownKey.selector, secondBank, _thumbprint(keyX, keyY)));
        _withdraw(secondBank, keyX, keyY);
    }

    // ---- fuzz -----------------------------------------------------------------------------------------------------

    function testFuzzAThumbprintIsTheOneOfRfc7638(uint256 secret) public {
        (bytes32 x, bytes32 y) = _publicKey(within(secret, 1, P256_ORDER - 1));
        vm.assume(x != keyX);
        _admit(bank, x, y);
        isTrue(wallets.isIssuerKey(bank, _thumbprint(x, y)));
    }

    function testFuzzNoBytesAreASignature(bytes calldata signature) public {
        vm.assume(signature.length != 96);
        _refusesSignature(_binding(7), signature);
    }

    /// @dev The key of RFC 7517, appendix A.1: the example of RFC 7638 is an RSA key.
    function testTheThumbprintOfAKnownKey() public {
        bytes32 x = 0x30a0424cd21c2944838a2d75c92b37e76ea20d9f00893a3b4eee8a3c0aafec3e;
        bytes32 y = 0xe04b65e92456d9888b52b379bdfbd51ee869ef1f0fc65b6659695b6cce081723;
        _admit(bank, x, y);
        isTrue(wallets.isIssuerKey(bank, KNOWN_THUMBPRINT));
    }

    function _changed(uint256 field) private view returns (IWalletRegistry.Binding memory binding) {
        binding = _binding(7);
        if (field == 0) binding.issuer = secondBank;
        if (field == 1) binding.wallet = SAFE;
        if (field == 2) binding.domain = LAND;
        if (field == 3) binding.pseudonym = BELA;
        if (field == 4) binding.level = 3;
        if (field == 5) binding.jurisdiction = "XO";
        if (field == 6) binding.expiry += 1;
        if (field == 7) binding.list += 1;
        if (field == 8) binding.index += 1;
        if (field == 9) binding.replaces = PHONE;
        if (field == 10) binding.deadline += 1;
    }

    function _admit(address issuer, bytes32 x, bytes32 y) private {
        vm.prank(ROOT_HOLDER);
        wallets.admitIssuerKey(issuer, x, y);
    }

    function _withdraw(address issuer, bytes32 x, bytes32 y) private {
        vm.prank(ROOT_HOLDER);
        wallets.withdrawIssuerKey(issuer, x, y);
    }

    function _refusesSignature(IWalletRegistry.Binding memory binding, bytes memory signature) private {
        _refuses(abi.encodeWithSelector(IWalletRegistry.InvalidSignature.selector));
        wallets.bind(binding, signature);
    }

    function _refusesKey(bytes memory signature, bytes4 error, bytes32 thumbprint) private {
        _refuses(abi.encodeWithSelector(error, bank, thumbprint));
        wallets.bind(_binding(7), signature);
    }
}
