// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Governed} from "../src/Governed.sol";
import {IWalletRegistry} from "../src/IWalletRegistry.sol";
import {WalletRegistry} from "../src/WalletRegistry.sol";
import {Wallets} from "./Wallets.sol";

contract WalletRegistryTest is Wallets {
    // ---- binding --------------------------------------------------------------------------------------------------

    function testAnyoneHandsInWhatTheIssuerSigned() public {
        vm.expectEmit(address(wallets));
        emit IWalletRegistry.Bound(PURSE, MONEY, ANNA, bank, LIST, 7, 2, "XN", EXPIRY);
        vm.prank(STRANGER);
        _bindAs(_binding(7));
        isTrue(wallets.isValid(PURSE, MONEY));
        (bool valid, uint8 level, bytes2 jurisdiction, uint64 expiry) = wallets.standingOf(PURSE, MONEY);
        isTrue(valid && level == 2 && jurisdiction == "XN" && expiry == EXPIRY);
        equal(wallets.pseudonymOf(PURSE, MONEY), ANNA);
        address[] memory held = wallets.walletsOf(ANNA, MONEY);
        equal(held.length, 1);
        equal(held[0], PURSE);
    }

    function testTheRecordNamesEverything() public {
        _bind(_binding(7));
        IWalletRegistry.Recorded memory found = wallets.bindingOf(PURSE, MONEY);
        equal(found.issuer, bank);
        equal(found.pseudonym, ANNA);
        isTrue(found.list == LIST && found.index == 7 && found.level == 2);
        isTrue(found.jurisdiction == "XN" && found.expiry == EXPIRY);
        isTrue(wallets.isIndexUsed(bank, LIST, 7));
        isFalse(wallets.isIndexUsed(bank, LIST, 8));
        isFalse(wallets.isIndexUsed(secondBank, LIST, 7));
    }

    function testAWalletThatNobodyBoundIsNotValid() public {
        _bind(_binding(7));
        _isNothing(SAFE, MONEY);
        _isNothing(PURSE, LAND);
    }

    function testAWalletIsBoundInSeveralDomains() public {
        _bind(_binding(7));
        IWalletRegistry.Binding memory elsewhere = _binding(8);
        (elsewhere.domain, elsewhere.pseudonym) = (LAND, keccak256("Anna in land titles"));
        _bind(elsewhere);
        equal(wallets.pseudonymOf(PURSE, MONEY), ANNA);
        equal(wallets.pseudonymOf(PURSE, LAND), elsewhere.pseudonym);
    }

    function testAnotherIssuerBindsAnotherPerson() public {
        _bind(_binding(7));
        IWalletRegistry.Binding memory other = _bindingOf(7, SAFE, BELA);
        other.issuer = secondBank;
        _bind(other);
        isTrue(wallets.isValid(PURSE, MONEY) && wallets.isValid(SAFE, MONEY));
    }

    function testABindingIsGoodUntilTheSecondBeforeItExpires() public {
        _bind(_binding(7));
        vm.warp(EXPIRY - 1);
        isTrue(wallets.isValid(PURSE, MONEY));
        vm.warp(EXPIRY);
        _isNothing(PURSE, MONEY);
    }

    function testASetBitKillsTheBinding() public {
        _bind(_binding(700));
        _revoke(bank, 700);
        _isNothing(PURSE, MONEY);
        // The record stays for whoever wants to see why.
        equal(wallets.bindingOf(PURSE, MONEY).issuer, bank);
    }

    function testOnlyTheBitAtItsPlaceKillsABinding() public {
        _bind(_binding(700));
        _revoke(bank, 699);
        _revoke(bank, 701);
        _revoke(secondBank, 700);
        isTrue(wallets.isValid(PURSE, MONEY));
    }

    function testABindingIsKilledDuringAPause() public {
        _bind(_binding(7));
        _pause(address(wallets), 1 days);
        _pause(address(status), 1 days);
        isTrue(wallets.isValid(PURSE, MONEY));
        _revoke(bank, 7);
        isFalse(wallets.isValid(PURSE, MONEY));
    }

    function testTheLastSecondOfTheDeadlineIsInTime() public {
        vm.warp(START + 1 days);
        _bind(_binding(7));
        isTrue(wallets.isValid(PURSE, MONEY));
    }

    // ---- refusals of a binding ------------------------------------------------------------------------------------

    function testRefusesToBindDuringAPause() public {
        _pause(address(wallets), 1 days);
        _refusesToBind(_binding(7), abi.encodeWithSelector(Governed.Paused.selector));
    }

    function testRefusesNobody() public {
        bytes memory reason = abi.encodeWithSelector(IWalletRegistry.ZeroAddress.selector);
        IWalletRegistry.Binding memory binding = _binding(7);
        binding.issuer = address(0);
        _refusesToBind(binding, reason);
        binding = _binding(7);
        binding.wallet = address(0);
        _refusesToBind(binding, reason);
    }

    function testRefusesAZeroDomainOrPseudonym() public {
        bytes memory reason = abi.encodeWithSelector(IWalletRegistry.ZeroIdentifier.selector);
        IWalletRegistry.Binding memory binding = _binding(7);
        binding.domain = bytes32(0);
        _refusesToBind(binding, reason);
        binding = _binding(7);
        binding.pseudonym = bytes32(0);
        _refusesToBind(binding, reason);
    }

    function testRefusesLevelZero() public {
        IWalletRegistry.Binding memory binding = _binding(7);
        binding.level = 0;
        _refusesToBind(binding, abi.encodeWithSelector(IWalletRegistry.InvalidLevel.selector));
    }

    function testRefusesAJurisdictionThatIsNotTwoCapitals() public {
        bytes2[5] memory wrong = [bytes2(0), "X", "xN", "X[", "@N"];
        for (uint256 i = 0; i < wrong.length; ++i) {
            IWalletRegistry.Binding memory binding = _binding(7);
            binding.jurisdiction = wrong[i];
            _refusesToBind(binding, abi.encodeWithSelector(IWalletRegistry.InvalidJurisdiction.selector, wrong[i]));
        }
    }

    function testRefusesWhatHasExpired() public {
        IWalletRegistry.Binding memory binding = _binding(7);
        binding.expiry = uint32(START);
        _refusesToBind(binding, abi.encodeWithSelector(IWalletRegistry.AlreadyExpired.selector, uint32(START)));
    }

    function testRefusesWhatIsHandedInAfterTheDeadline() public {
        vm.warp(START + 1 days + 1);
        _refusesToBind(
            _binding(7), abi.encodeWithSelector(IWalletRegistry.DeadlinePassed.selector, uint64(START + 1 days))
        );
    }

    function testRefusesAnIssuerWithoutAccreditation() public {
        vm.prank(ROOT_HOLDER);
        trust.endAccreditation(address(0), bank, keccak256("KycAttestation"));
        _refusesToBind(_binding(7), abi.encodeWithSelector(IWalletRegistry.IssuerNotAccredited.selector, bank));
    }

    function testAnAccreditationThatEndsLeavesEarlierBindings() public {
        _bind(_binding(7));
        vm.prank(ROOT_HOLDER);
        trust.endAccreditation(address(0), bank, keccak256("KycAttestation"));
        isTrue(wallets.isValid(PURSE, MONEY));
    }

    function testRefusesAListOfAnotherPurposeOrMode() public {
        _openList(bank, 1, 1, 0);
        _openList(bank, 2, 2, 0);
        _openList(bank, 3, 3, 1);
        for (uint16 list = 0; list < 4; ++list) {
            IWalletRegistry.Binding memory binding = _binding(7);
            binding.list = list;
            _refusesToBind(binding, abi.encodeWithSelector(IWalletRegistry.NotABindingList.selector, bank, list));
        }
    }

    function testRefusesAListThatOnlyAnotherIssuerOpened() public {
        _openList(secondBank, LIST + 1, 3, 0);
        IWalletRegistry.Binding memory binding = _binding(7);
        binding.list = LIST + 1;
        _refusesToBind(binding, abi.encodeWithSelector(IWalletRegistry.NotABindingList.selector, bank, LIST + 1));
    }

    function testRefusesAnIndexBeyondTheList() public {
        uint24 index = uint24(LENGTH);
        _refusesToBind(_binding(index), abi.encodeWithSelector(IWalletRegistry.IndexOutOfRange.selector, LIST, index));
        _bind(_binding(index - 1));
        isTrue(wallets.isValid(PURSE, MONEY));
    }

    function testRefusesAPlaceThatWasUsed() public {
        bytes memory reason = abi.encodeWithSelector(IWalletRegistry.IndexUsed.selector, bank, LIST, uint24(7));
        _bind(_binding(7));
        _refusesToBind(_binding(7), reason);
        _unbindAs(PURSE, PURSE);
        _refusesToBind(_binding(7), reason);
        _refusesToBind(_bindingOf(7, SAFE, BELA), reason);
    }

    function testRefusesWhatWasRevokedBeforeItWasHandedIn() public {
        _revoke(bank, 7);
        _refusesToBind(
            _binding(7), abi.encodeWithSelector(IWalletRegistry.BindingRevoked.selector, bank, LIST, uint24(7))
        );
    }

    function testRefusesAWalletOfAnotherPerson() public {
        _bind(_binding(7));
        _refusesToBind(
            _bindingOf(8, PURSE, BELA), abi.encodeWithSelector(IWalletRegistry.WalletTaken.selector, PURSE, MONEY)
        );
    }

    function testRefusesASecondWallet() public {
        _bind(_binding(7));
        _refusesSecondWallet(_bindingOf(8, SAFE, ANNA), 1);
    }

    // ---- renewing, replacing, expiring ----------------------------------------------------------------------------

    function testAWalletIsBoundAnewToTheSamePerson() public {
        _bind(_binding(7));
        IWalletRegistry.Binding memory renewed = _binding(8);
        (renewed.level, renewed.expiry) = (3, EXPIRY + 1);
        vm.expectEmit(address(wallets));
        emit IWalletRegistry.Unbound(PURSE, MONEY, ANNA, address(this));
        _bind(renewed);
        (, uint8 level,, uint64 expiry) = wallets.standingOf(PURSE, MONEY);
        isTrue(level == 3 && expiry == EXPIRY + 1);
        equal(wallets.walletsOf(ANNA, MONEY).length, 1);
        // The place of the first counts no more.
        _revoke(bank, 7);
        isTrue(wallets.isValid(PURSE, MONEY));
        _revoke(bank, 8);
        isFalse(wallets.isValid(PURSE, MONEY));
    }

    function testAnotherIssuerRenewsTheSamePerson() public {
        _bind(_binding(7));
        IWalletRegistry.Binding memory renewed = _binding(9);
        renewed.issuer = secondBank;
        _bind(renewed);
        equal(wallets.bindingOf(PURSE, MONEY).issuer, secondBank);
    }

    function testAWalletReplacesAnother() public {
        _bind(_binding(7));
        IWalletRegistry.Binding memory binding = _bindingOf(8, SAFE, ANNA);
        binding.replaces = PURSE;
        vm.expectEmit(address(wallets));
        emit IWalletRegistry.Unbound(PURSE, MONEY, ANNA, address(this));
        _bind(binding);
        _isNothing(PURSE, MONEY);
        isTrue(wallets.isValid(SAFE, MONEY));
    }

    function testAWalletDoesNotReplaceAnotherPersons() public {
        _bind(_binding(7));
        IWalletRegistry.Binding memory binding = _bindingOf(8, SAFE, BELA);
        binding.replaces = PURSE;
        _bind(binding);
        isTrue(wallets.isValid(PURSE, MONEY) && wallets.isValid(SAFE, MONEY));
    }

    function testAWalletThatReplacesItselfIsRenewed() public {
        _bind(_binding(7));
        IWalletRegistry.Binding memory binding = _binding(8);
        binding.replaces = PURSE;
        _bind(binding);
        isTrue(wallets.isValid(PURSE, MONEY));
        equal(wallets.walletsOf(ANNA, MONEY).length, 1);
    }

    function testADeadBindingMakesRoomForAnotherWallet() public {
        _bind(_binding(7));
        _revoke(bank, 7);
        vm.expectEmit(address(wallets));
        emit IWalletRegistry.Unbound(PURSE, MONEY, ANNA, address(this));
        _bind(_bindingOf(8, SAFE, ANNA));
        equal(wallets.walletsOf(ANNA, MONEY)[0], SAFE);
        equal(wallets.bindingOf(PURSE, MONEY).issuer, address(0));
    }

    function testAWalletWhoseBindingDiedGoesToAnotherPerson() public {
        _bind(_binding(7));
        vm.warp(EXPIRY);
        IWalletRegistry.Binding memory binding = _bindingOf(8, PURSE, BELA);
        (binding.expiry, binding.deadline) = (EXPIRY + 1 days, EXPIRY);
        _bind(binding);
        equal(wallets.pseudonymOf(PURSE, MONEY), BELA);
        equal(wallets.walletsOf(ANNA, MONEY).length, 0);
    }

    // ---- several wallets ------------------------------------------------------------------------------------------

    function testGovernanceAllowsSeveralWalletsInADomain() public {
        equal(wallets.walletsMostOf(MONEY), 1);
        vm.expectEmit(address(wallets));
        emit IWalletRegistry.WalletsMostSet(MONEY, 2);
        _allow(2);
        equal(wallets.walletsMostOf(MONEY), 2);
        equal(wallets.walletsMostOf(LAND), 1);
        _bind(_binding(7));
        _bind(_bindingOf(8, SAFE, ANNA));
        isTrue(wallets.isValid(PURSE, MONEY) && wallets.isValid(SAFE, MONEY));
        _refusesSecondWallet(_bindingOf(9, PHONE, ANNA), 2);
    }

    function testOfSeveralWalletsTheDeadMakeRoom() public {
        _allow(3);
        _bind(_binding(7));
        _bind(_bindingOf(8, SAFE, ANNA));
        _bind(_bindingOf(9, PHONE, ANNA));
        _revoke(bank, 7);
        _revoke(bank, 9);
        _bind(_bindingOf(10, BUYER, ANNA));
        address[] memory held = wallets.walletsOf(ANNA, MONEY);
        equal(held.length, 2);
        equal(held[0], SAFE);
        equal(held[1], BUYER);
    }

    function testALowerLimitKeepsWalletsAndRefusesToRenewThem() public {
        _allow(2);
        _bind(_binding(7));
        _bind(_bindingOf(8, SAFE, ANNA));
        _allow(1);
        isTrue(wallets.isValid(PURSE, MONEY) && wallets.isValid(SAFE, MONEY));
        _refusesSecondWallet(_bindingOf(9, SAFE, ANNA), 1);
        _unbindAs(PURSE, PURSE);
        _bind(_bindingOf(9, SAFE, ANNA));
        isTrue(wallets.isValid(SAFE, MONEY));
    }

    function testRefusesALimitOfNoneOrOfTooMany() public {
        uint8[2] memory wrong = [0, 33];
        for (uint256 i = 0; i < 2; ++i) {
            _refuses(abi.encodeWithSelector(IWalletRegistry.MostOutOfRange.selector, wrong[i]));
            _allow(wrong[i]);
        }
        _allow(32);
    }

    function testRefusesALimitForNoDomain() public {
        _refuses(abi.encodeWithSelector(IWalletRegistry.ZeroIdentifier.selector));
        vm.prank(ROOT_HOLDER);
        wallets.setWalletsMost(bytes32(0), 2);
    }

    function testRefusesAStrangerWhoSetsTheLimit() public {
        _refusesUnauthorized(STRANGER);
        vm.prank(STRANGER);
        wallets.setWalletsMost(MONEY, 2);
    }

    // ---- unbinding ------------------------------------------------------------------------------------------------

    function testTheWalletTheIssuerAndTheRootUnbind() public {
        address[3] memory who = [PURSE, bank, ROOT_HOLDER];
        for (uint24 i = 0; i < 3; ++i) {
            _bind(_binding(i));
            vm.expectEmit(address(wallets));
            emit IWalletRegistry.Unbound(PURSE, MONEY, ANNA, who[i]);
            _unbindAs(who[i], PURSE);
            _isNothing(PURSE, MONEY);
            equal(wallets.walletsOf(ANNA, MONEY).length, 0);
        }
    }

    function testUnbindsDuringAPause() public {
        _bind(_binding(7));
        _pause(address(wallets), 1 days);
        _unbindAs(PURSE, PURSE);
        isFalse(wallets.isValid(PURSE, MONEY));
    }

    function testTheRootUnbindsManyAndPassesOverTheUnbound() public {
        _bind(_binding(7));
        _bind(_bindingOf(8, PHONE, BELA));
        address[] memory many = new address[](4);
        (many[0], many[1], many[2], many[3]) = (SAFE, PURSE, PHONE, PURSE);
        vm.prank(ROOT_HOLDER);
        wallets.unbind(MONEY, many);
        isFalse(wallets.isValid(PURSE, MONEY) || wallets.isValid(PHONE, MONEY));
    }

    function testAnyoneMayUnbindWhatIsNotBound() public {
        _unbindAs(STRANGER, PURSE);
        _isNothing(PURSE, MONEY);
    }

    function testUnbindsInThatDomainOnly() public {
        _bind(_binding(7));
        IWalletRegistry.Binding memory elsewhere = _binding(8);
        elsewhere.domain = LAND;
        _bind(elsewhere);
        _unbindAs(PURSE, PURSE);
        isFalse(wallets.isValid(PURSE, MONEY));
        isTrue(wallets.isValid(PURSE, LAND));
    }

    function testRefusesToUnbindAnothersWallet() public {
        _bind(_binding(7));
        address[4] memory who = [STRANGER, SAFE, secondBank, GUARD];
        for (uint256 i = 0; i < who.length; ++i) {
            _refusesUnauthorized(who[i]);
            _unbindAs(who[i], PURSE);
        }
    }

    function testRefusesAWalletThatUnbindsAnotherAlongWithItself() public {
        _bind(_binding(7));
        _bind(_bindingOf(8, PHONE, BELA));
        address[] memory both = new address[](2);
        (both[0], both[1]) = (PURSE, PHONE);
        _refusesUnauthorized(PURSE);
        vm.prank(PURSE);
        wallets.unbind(MONEY, both);
        isTrue(wallets.isValid(PURSE, MONEY));
    }

    function testTheNewOwnerOfTheIssuerUnbindsAndTheFormerDoesNot() public {
        _bind(_binding(7));
        _changeOwner(bank, bank, BUYER);
        _refusesUnauthorized(bank);
        _unbindAs(bank, PURSE);
        _unbindAs(BUYER, PURSE);
        isFalse(wallets.isValid(PURSE, MONEY));
    }

    function testARootWithADelayUnbindsManyAtOnce() public {
        _bind(_binding(7));
        _bind(_bindingOf(8, PHONE, BELA));
        address[] memory both = new address[](2);
        (both[0], both[1]) = (PURSE, PHONE);
        uint64 root = governance.ROOT();
        vm.prank(ADMIN);
        governance.grantRole(root, ROOT_HOLDER, 1 days);
        bytes memory call = abi.encodeCall(wallets.unbind, (MONEY, both));
        vm.prank(ROOT_HOLDER);
        governance.schedule(address(wallets), call, 0);
        vm.warp(START + 1 days);
        vm.prank(ROOT_HOLDER);
        wallets.unbind(MONEY, both);
        isFalse(wallets.isValid(PURSE, MONEY) || wallets.isValid(PHONE, MONEY));
    }

    // ---- deployment -----------------------------------------------------------------------------------------------

    function testRefusesAddressesWithoutCode() public {
        _refuses(abi.encodeWithSelector(Governed.NotAContract.selector, STRANGER));
        new WalletRegistry(address(dids), address(governance), STRANGER, address(status));
        _refuses(abi.encodeWithSelector(Governed.NotAContract.selector, STRANGER));
        new WalletRegistry(address(dids), address(governance), address(trust), STRANGER);
    }

    // ---- fuzz -----------------------------------------------------------------------------------------------------

    function testFuzzWhatIsBoundIsWhatIsAnswered(
        address wallet,
        bytes32 domain,
        bytes32 pseudonym,
        uint8 level,
        uint32 expiry,
        uint24 index
    ) public {
        vm.assume(wallet != address(0) && domain != bytes32(0) && pseudonym != bytes32(0) && level != 0);
        IWalletRegistry.Binding memory binding = _binding(index % uint24(LENGTH));
        (binding.wallet, binding.domain, binding.pseudonym) = (wallet, domain, pseudonym);
        (binding.level, binding.expiry) = (level, uint32(within(expiry, START + 1, type(uint32).max)));
        _bind(binding);
        (bool valid, uint8 foundLevel,, uint64 until) = wallets.standingOf(wallet, domain);
        isTrue(valid && foundLevel == level && until == binding.expiry);
        equal(wallets.pseudonymOf(wallet, domain), pseudonym);
        _revoke(bank, binding.index);
        _isNothing(wallet, domain);
    }

    function _bindAs(IWalletRegistry.Binding memory binding) private {
        // The signature is made first: a prank is for the next call.
        bytes memory signature = _signedLocally(binding);
        wallets.bind(binding, signature);
    }

    /// @dev EIP-712 spelt out, to hold the contract's digest against.
    function _signedLocally(IWalletRegistry.Binding memory binding) private view returns (bytes memory signature) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("WalletRegistry"),
                keccak256("1"),
                block.chainid,
                address(wallets)
            )
        );
        bytes memory typed = "Binding(address issuer,address wallet,bytes32 domain,bytes32 pseudonym,uint8 level,"
            "bytes2 jurisdiction,uint32 expiry,uint16 list,uint24 index,address replaces,uint64 deadline)";
        bytes memory head = abi.encode(
            keccak256(typed), binding.issuer, binding.wallet, binding.domain, binding.pseudonym, binding.level
        );
        bytes memory tail = abi.encode(
            binding.jurisdiction, binding.expiry, binding.list, binding.index, binding.replaces, binding.deadline
        );
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", domain, keccak256(bytes.concat(head, tail))));
        (uint8 v, bytes32 r, bytes32 s) = signing.sign(BANK_SECRET, digest);
        return abi.encodePacked(r, s, v);
    }

    function _allow(uint8 most) private {
        vm.prank(ROOT_HOLDER);
        wallets.setWalletsMost(MONEY, most);
    }

    function _unbindAs(address who, address wallet) private {
        address[] memory list = new address[](1);
        list[0] = wallet;
        vm.prank(who);
        wallets.unbind(MONEY, list);
    }

    function _refusesToBind(IWalletRegistry.Binding memory binding, bytes memory reason) private {
        bytes memory signature = _signed(binding);
        _refuses(reason);
        wallets.bind(binding, signature);
    }

    function _refusesSecondWallet(IWalletRegistry.Binding memory binding, uint8 most) private {
        _refusesToBind(binding, abi.encodeWithSelector(IWalletRegistry.TooManyWallets.selector, ANNA, MONEY, most));
    }

    function _refusesUnauthorized(address caller) private {
        _refuses(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller));
    }

    function _isNothing(address wallet, bytes32 domain) private view {
        isFalse(wallets.isValid(wallet, domain));
        (bool valid, uint8 level, bytes2 jurisdiction, uint64 expiry) = wallets.standingOf(wallet, domain);
        isFalse(valid || level != 0 || jurisdiction != 0 || expiry != 0);
        equal(wallets.pseudonymOf(wallet, domain), bytes32(0));
    }
}
