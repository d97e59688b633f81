// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governed} from "../src/Governed.sol";
import {IStatusRegistry} from "../src/IStatusRegistry.sol";
import {StatusRegistry} from "../src/StatusRegistry.sol";
import {Nation} from "./Nation.sol";

contract StatusRegistryTest is Nation {
    uint32 private constant LENGTH = 131_072;
    uint32 private constant WORDS = LENGTH / 256;
    uint256 private constant REVOCATIONS = 1;
    uint256 private constant SUSPENSIONS = 2;
    uint256 private constant BINDINGS = 3;
    uint256 private constant ANCHORED = 4;
    uint256 private constant UNKNOWN = 99;
    string private constant URL = "https://agency.example/status/4";

    function setUp() public override {
        super.setUp();
        _open(REVOCATIONS, 1, 0, LENGTH);
        _open(SUSPENSIONS, 2, 0, LENGTH);
        _open(BINDINGS, 3, 0, LENGTH);
        _open(ANCHORED, 1, 1, LENGTH);
    }

    // ---- deployment -----------------------------------------------------------------------------------------------

    function testRefusesADeploymentWithoutARegistryOfDids() public {
        _refuses(abi.encodeWithSelector(Governed.NotAContract.selector, STRANGER));
        new StatusRegistry(STRANGER, address(governance));
    }

    function testRefusesADeploymentWithoutGovernance() public {
        _refuses(abi.encodeWithSelector(Governed.NotAContract.selector, STRANGER));
        new StatusRegistry(address(dids), STRANGER);
    }

    // ---- opening lists --------------------------------------------------------------------------------------------

    function testTheOwnerOpensSeveralListsAtOnce() public {
        uint256[] memory lists = new uint256[](2);
        (lists[0], lists[1]) = (10, 11);
        uint8[] memory purposes = new uint8[](2);
        (purposes[0], purposes[1]) = (1, 2);
        uint8[] memory modes = new uint8[](2);
        (modes[0], modes[1]) = (0, 1);
        uint32[] memory lengths = new uint32[](2);
        (lengths[0], lengths[1]) = (1 << 24, LENGTH + 256);
        vm.expectEmit(address(status));
        emit IStatusRegistry.ListOpened(AGENCY, 10, 1, 0, 1 << 24);
        vm.expectEmit(address(status));
        emit IStatusRegistry.ListOpened(AGENCY, 11, 2, 1, LENGTH + 256);
        vm.prank(AGENCY);
        status.openLists(AGENCY, lists, purposes, modes, lengths);
        (uint8 purpose, uint8 mode, uint32 length) = status.listOf(AGENCY, 11);
        equal(purpose, 2);
        equal(mode, 1);
        equal(length, LENGTH + 256);
    }

    function testADelegateNamedBeforehandOpensItsList() public {
        _delegate(AGENCY, 20, DELEGATE, true);
        vm.prank(DELEGATE);
        status.openLists(AGENCY, one(20), one8(1), one8(0), one32(LENGTH));
        (,, uint32 length) = status.listOf(AGENCY, 20);
        equal(length, LENGTH);
    }

    function testListsOfTheSameNumberBelongToTheirIssuers() public {
        (,, uint32 length) = status.listOf(OFFICE, REVOCATIONS);
        equal(length, 0);
        vm.prank(OFFICE);
        status.openLists(OFFICE, one(REVOCATIONS), one8(2), one8(0), one32(LENGTH));
        _set(REVOCATIONS, 0, 1);
        equal(status.statusWord(OFFICE, REVOCATIONS, 0), 0);
    }

    function testRefusesAStrangerWhoOpensAList() public {
        _refuses(_notWriter(20, STRANGER));
        vm.prank(STRANGER);
        status.openLists(AGENCY, one(20), one8(1), one8(0), one32(LENGTH));
    }

    function testRefusesADelegateOfAnotherListWhoOpensAList() public {
        _delegate(AGENCY, 20, DELEGATE, true);
        _refuses(_notWriter(21, DELEGATE));
        vm.prank(DELEGATE);
        status.openLists(AGENCY, one(21), one8(1), one8(0), one32(LENGTH));
    }

    function testRefusesToOpenAListTwice() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.ListExists.selector, AGENCY, REVOCATIONS));
        vm.prank(AGENCY);
        status.openLists(AGENCY, one(REVOCATIONS), one8(2), one8(0), one32(LENGTH));
    }

    function testRefusesAListWithoutPurpose() public {
        _refusesToOpen(0, 0, LENGTH, abi.encodeWithSelector(IStatusRegistry.InvalidPurpose.selector, 0));
    }

    function testRefusesAListWithAnUnknownPurpose() public {
        _refusesToOpen(4, 0, LENGTH, abi.encodeWithSelector(IStatusRegistry.InvalidPurpose.selector, 4));
    }

    function testRefusesAListWithAnUnknownMode() public {
        _refusesToOpen(1, 2, LENGTH, abi.encodeWithSelector(IStatusRegistry.InvalidMode.selector, 2));
    }

    function testRefusesAListThatHidesTooFew() public {
        uint32 length = LENGTH - 256;
        _refusesToOpen(1, 0, length, abi.encodeWithSelector(IStatusRegistry.InvalidLength.selector, length));
    }

    function testRefusesAListThatIsTooLong() public {
        uint32 length = (1 << 24) + 256;
        _refusesToOpen(1, 0, length, abi.encodeWithSelector(IStatusRegistry.InvalidLength.selector, length));
    }

    function testRefusesAListThatIsNoMultipleOfAWord() public {
        uint32 length = LENGTH + 1;
        _refusesToOpen(1, 0, length, abi.encodeWithSelector(IStatusRegistry.InvalidLength.selector, length));
    }

    function testRefusesToOpenListsWithAPurposeMissing() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.LengthMismatch.selector));
        vm.prank(AGENCY);
        status.openLists(AGENCY, one(20), new uint8[](0), one8(0), one32(LENGTH));
    }

    function testRefusesToOpenListsWithAModeMissing() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.LengthMismatch.selector));
        vm.prank(AGENCY);
        status.openLists(AGENCY, one(20), one8(1), new uint8[](2), one32(LENGTH));
    }

    function testRefusesToOpenListsWithALengthMissing() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.LengthMismatch.selector));
        vm.prank(AGENCY);
        status.openLists(AGENCY, one(20), one8(1), one8(0), new uint32[](0));
    }

    // ---- who may write --------------------------------------------------------------------------------------------

    function testTheOwnerNamesADelegateForOneList() public {
        vm.expectEmit(address(status));
        emit IStatusRegistry.ListDelegateChanged(AGENCY, REVOCATIONS, DELEGATE, true);
        _delegate(AGENCY, REVOCATIONS, DELEGATE, true);
        isTrue(status.isWriter(AGENCY, REVOCATIONS, DELEGATE));
        isFalse(status.isWriter(AGENCY, SUSPENSIONS, DELEGATE));
        vm.prank(DELEGATE);
        status.setBits(AGENCY, REVOCATIONS, one32(3), one(5));
        equal(status.statusWord(AGENCY, REVOCATIONS, 3), 5);
    }

    function testANewOwnerKeepsTheListsAndTheBits() public {
        _set(REVOCATIONS, 0, 1);
        _changeOwner(AGENCY, AGENCY, BUYER);
        vm.prank(BUYER);
        status.setBits(AGENCY, REVOCATIONS, one32(0), one(2));
        equal(status.statusWord(AGENCY, REVOCATIONS, 0), 3);
    }

    function testRefusesAFormerOwner() public {
        _changeOwner(AGENCY, AGENCY, BUYER);
        _refuses(_notWriter(REVOCATIONS, AGENCY));
        _set(REVOCATIONS, 0, 1);
    }

    function testRefusesADelegateOfAFormerOwner() public {
        _delegate(AGENCY, REVOCATIONS, DELEGATE, true);
        _changeOwner(AGENCY, AGENCY, BUYER);
        isFalse(status.isWriter(AGENCY, REVOCATIONS, DELEGATE));
        _refuses(_notWriter(REVOCATIONS, DELEGATE));
        vm.prank(DELEGATE);
        status.setBits(AGENCY, REVOCATIONS, one32(0), one(1));
    }

    function testRefusesADelegateWhoWasDismissed() public {
        _delegate(AGENCY, REVOCATIONS, DELEGATE, true);
        _delegate(AGENCY, REVOCATIONS, DELEGATE, false);
        _refuses(_notWriter(REVOCATIONS, DELEGATE));
        vm.prank(DELEGATE);
        status.setBits(AGENCY, REVOCATIONS, one32(0), one(1));
    }

    function testRefusesADelegateOnAnotherIssuersList() public {
        _delegate(OFFICE, REVOCATIONS, DELEGATE, true);
        _refuses(_notWriter(REVOCATIONS, DELEGATE));
        vm.prank(DELEGATE);
        status.setBits(AGENCY, REVOCATIONS, one32(0), one(1));
    }

    function testRefusesADelegateWhoNamesAnother() public {
        _delegate(AGENCY, REVOCATIONS, DELEGATE, true);
        _refuses(abi.encodeWithSelector(IStatusRegistry.NotOwner.selector, AGENCY, DELEGATE));
        vm.prank(DELEGATE);
        status.setListDelegate(AGENCY, REVOCATIONS, STRANGER, true);
    }

    function testRefusesAFormerOwnerWhoNamesADelegate() public {
        _changeOwner(AGENCY, AGENCY, BUYER);
        _refuses(abi.encodeWithSelector(IStatusRegistry.NotOwner.selector, AGENCY, AGENCY));
        _delegate(AGENCY, REVOCATIONS, DELEGATE, true);
    }

    function testRefusesTheRootOnAnAgencysList() public {
        _refuses(_notWriter(REVOCATIONS, ROOT_HOLDER));
        vm.prank(ROOT_HOLDER);
        status.setBits(AGENCY, REVOCATIONS, one32(0), one(1));
    }

    function testRefusesWhoeverClaimedIdentityZero() public {
        _claimIdentityZero(STRANGER);
        _refuses(abi.encodeWithSelector(IStatusRegistry.NotWriter.selector, address(0), 20, STRANGER));
        vm.prank(STRANGER);
        status.openLists(address(0), one(20), one8(1), one8(0), one32(LENGTH));
        _refuses(abi.encodeWithSelector(IStatusRegistry.NotOwner.selector, address(0), STRANGER));
        vm.prank(STRANGER);
        status.setListDelegate(address(0), 20, STRANGER, true);
        isFalse(status.isWriter(address(0), 20, address(0)));
    }

    // ---- setting bits ---------------------------------------------------------------------------------------------

    function testABitOfTheFirstCredentialIsTheMostSignificant() public {
        vm.expectEmit(address(status));
        emit IStatusRegistry.StatusChanged(AGENCY, REVOCATIONS, 0, 1 << 255);
        _set(REVOCATIONS, 0, 1 << 255);
        isTrue(status.isSet(AGENCY, REVOCATIONS, 0));
        isFalse(status.isSet(AGENCY, REVOCATIONS, 1));
    }

    function testTheWordsInOrderAreTheBitstring() public {
        _set(REVOCATIONS, 0, 1 << (255 - 9));
        _set(REVOCATIONS, 1, 1 << 255);
        bytes memory bitstring =
            abi.encodePacked(status.statusWord(AGENCY, REVOCATIONS, 0), status.statusWord(AGENCY, REVOCATIONS, 1));
        equal(uint8(bitstring[1]), 0x40);
        equal(uint8(bitstring[32]), 0x80);
        isTrue(status.isSet(AGENCY, REVOCATIONS, 9));
        isTrue(status.isSet(AGENCY, REVOCATIONS, 256));
    }

    function testSettingAddsToWhatIsSet() public {
        _set(REVOCATIONS, 7, 1);
        vm.expectEmit(address(status));
        emit IStatusRegistry.StatusChanged(AGENCY, REVOCATIONS, 7, 3);
        _set(REVOCATIONS, 7, 2);
    }

    function testAnUnchangedWordIsNeitherAnErrorNorAnEvent() public {
        _set(REVOCATIONS, 7, 3);
        vm.recordLogs();
        _set(REVOCATIONS, 7, 1);
        _set(REVOCATIONS, 8, 0);
        _clear(SUSPENSIONS, 7, 1);
        equal(vm.getRecordedLogs().length, 0);
    }

    function testOneCallTouchesSeveralLists() public {
        (uint256[] memory lists, uint32[] memory words, uint256[] memory masks) = _acrossLists();
        vm.prank(AGENCY);
        status.setBitsIn(AGENCY, lists, words, masks);
        equal(status.statusWord(AGENCY, REVOCATIONS, 1), 4);
        equal(status.statusWord(AGENCY, SUSPENSIONS, 2), 8);
    }

    function testSettingGoesOnDuringAPause() public {
        _pause(address(status), 7 days);
        _set(REVOCATIONS, 0, 1);
        _set(SUSPENSIONS, 0, 1);
        vm.prank(AGENCY);
        status.setBitsIn(AGENCY, one(BINDINGS), one32(0), one(1));
        isTrue(status.isSet(AGENCY, BINDINGS, 255));
    }

    function testSettingGoesOnWithoutGovernance() public {
        vm.etch(address(governance), "");
        _set(REVOCATIONS, 0, 1);
        isTrue(status.isSet(AGENCY, REVOCATIONS, 255));
    }

    function testRefusesAStrangerWhoSetsBits() public {
        _refuses(_notWriter(REVOCATIONS, STRANGER));
        vm.prank(STRANGER);
        status.setBits(AGENCY, REVOCATIONS, one32(0), one(1));
    }

    function testRefusesAnEmptyCallOfAStranger() public {
        _refuses(_notWriter(REVOCATIONS, STRANGER));
        vm.prank(STRANGER);
        status.setBits(AGENCY, REVOCATIONS, new uint32[](0), new uint256[](0));
    }

    function testRefusesToSetBitsOfAnUnknownList() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.UnknownList.selector, AGENCY, UNKNOWN));
        _set(UNKNOWN, 0, 1);
    }

    function testRefusesToSetBitsOfAnAnchoredList() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.WrongMode.selector, AGENCY, ANCHORED));
        _set(ANCHORED, 0, 1);
    }

    function testRefusesToSetAWordBeyondTheEnd() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.WordOutOfRange.selector, REVOCATIONS, WORDS));
        _set(REVOCATIONS, WORDS, 1);
    }

    function testRefusesToSetBitsWithAMaskMissing() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.LengthMismatch.selector));
        vm.prank(AGENCY);
        status.setBits(AGENCY, REVOCATIONS, one32(0), new uint256[](0));
    }

    function testRefusesToSetBitsInListsWithAWordMissing() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.LengthMismatch.selector));
        vm.prank(AGENCY);
        status.setBitsIn(AGENCY, one(REVOCATIONS), new uint32[](0), one(1));
    }

    function testRefusesToSetBitsInListsWithAMaskMissing() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.LengthMismatch.selector));
        vm.prank(AGENCY);
        status.setBitsIn(AGENCY, one(REVOCATIONS), one32(0), new uint256[](2));
    }

    function testRefusesAllWhenOneOfTheListsIsNotTheDelegates() public {
        _delegate(AGENCY, REVOCATIONS, DELEGATE, true);
        (uint256[] memory lists, uint32[] memory words, uint256[] memory masks) = _acrossLists();
        _refuses(_notWriter(SUSPENSIONS, DELEGATE));
        vm.prank(DELEGATE);
        status.setBitsIn(AGENCY, lists, words, masks);
        equal(status.statusWord(AGENCY, REVOCATIONS, 1), 0);
    }

    function testFuzzTheBitOfAnIndexIsTheOneThatWasSet(uint24 seed, uint256 noise) public {
        uint256 index = within(seed, 0, LENGTH - 1);
        uint256 other = within(noise, 0, LENGTH - 1);
        vm.assume(index != other);
        _set(REVOCATIONS, index / 256, 1 << (255 - index % 256));
        isTrue(status.isSet(AGENCY, REVOCATIONS, index));
        isFalse(status.isSet(AGENCY, REVOCATIONS, other));
    }

    function testFuzzSettingIsTheUnionOfTheMasks(uint256[8] memory masks, uint8 seed) public {
        uint256 word = within(seed, 0, WORDS - 1);
        uint256 expected;
        for (uint256 i = 0; i < masks.length; ++i) {
            _set(REVOCATIONS, word, masks[i]);
            expected |= masks[i];
            equal(status.statusWord(AGENCY, REVOCATIONS, word), expected);
        }
    }

    function testFuzzRefusesWhoeverIsNeitherOwnerNorDelegate(address caller, uint256 mask) public {
        vm.assume(caller != AGENCY);
        _refuses(_notWriter(REVOCATIONS, caller));
        vm.prank(caller);
        status.setBits(AGENCY, REVOCATIONS, one32(0), one(mask));
    }

    function testFuzzRefusesEveryWordBeyondTheEnd(uint32 seed) public {
        uint256 word = within(seed, WORDS, type(uint32).max);
        _refuses(abi.encodeWithSelector(IStatusRegistry.WordOutOfRange.selector, REVOCATIONS, word));
        _set(REVOCATIONS, word, 1);
    }

    // ---- clearing bits --------------------------------------------------------------------------------------------

    function testASuspensionEnds() public {
        _set(SUSPENSIONS, 4, 7);
        vm.expectEmit(address(status));
        emit IStatusRegistry.StatusChanged(AGENCY, SUSPENSIONS, 4, 5);
        _clear(SUSPENSIONS, 4, 2);
        equal(status.statusWord(AGENCY, SUSPENSIONS, 4), 5);
    }

    function testSuspensionsOfSeveralListsEnd() public {
        _open(22, 2, 0, LENGTH);
        _set(SUSPENSIONS, 1, 15);
        _set(22, 2, 15);
        (uint256[] memory lists, uint32[] memory words, uint256[] memory masks) = _acrossLists();
        (lists[0], lists[1]) = (SUSPENSIONS, 22);
        vm.prank(AGENCY);
        status.clearBitsIn(AGENCY, lists, words, masks);
        equal(status.statusWord(AGENCY, SUSPENSIONS, 1), 11);
        equal(status.statusWord(AGENCY, 22, 2), 7);
    }

    function testReinstatementGoesOnWhenThePauseIsOver() public {
        _set(SUSPENSIONS, 4, 7);
        _pause(address(status), 1 days);
        vm.warp(START + 1 days);
        _clear(SUSPENSIONS, 4, 7);
        equal(status.statusWord(AGENCY, SUSPENSIONS, 4), 0);
    }

    function testRefusesReinstatementDuringAPause() public {
        _set(SUSPENSIONS, 4, 7);
        _pause(address(status), 1 days);
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        _clear(SUSPENSIONS, 4, 7);
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        vm.prank(AGENCY);
        status.clearBitsIn(AGENCY, one(SUSPENSIONS), one32(4), one(7));
    }

    function testRefusesToClearARevocation() public {
        _set(REVOCATIONS, 4, 7);
        _refuses(abi.encodeWithSelector(IStatusRegistry.NotClearable.selector, AGENCY, REVOCATIONS));
        _clear(REVOCATIONS, 4, 7);
    }

    function testRefusesToClearABinding() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.NotClearable.selector, AGENCY, BINDINGS));
        _clear(BINDINGS, 4, 7);
    }

    function testRefusesToClearARevocationAmongSuspensions() public {
        _set(SUSPENSIONS, 2, 15);
        (uint256[] memory lists, uint32[] memory words, uint256[] memory masks) = _acrossLists();
        (lists[0], lists[1]) = (SUSPENSIONS, REVOCATIONS);
        _refuses(abi.encodeWithSelector(IStatusRegistry.NotClearable.selector, AGENCY, REVOCATIONS));
        vm.prank(AGENCY);
        status.clearBitsIn(AGENCY, lists, words, masks);
        equal(status.statusWord(AGENCY, SUSPENSIONS, 2), 15);
    }

    function testRefusesAStrangerWhoClearsBits() public {
        _refuses(_notWriter(SUSPENSIONS, STRANGER));
        vm.prank(STRANGER);
        status.clearBits(AGENCY, SUSPENSIONS, one32(0), one(1));
    }

    function testRefusesToClearBitsOfAnUnknownList() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.UnknownList.selector, AGENCY, UNKNOWN));
        _clear(UNKNOWN, 0, 1);
    }

    function testRefusesToClearBitsOfAnAnchoredList() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.WrongMode.selector, AGENCY, ANCHORED));
        _clear(ANCHORED, 0, 1);
    }

    function testRefusesToClearAWordBeyondTheEnd() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.WordOutOfRange.selector, SUSPENSIONS, WORDS));
        _clear(SUSPENSIONS, WORDS, 1);
    }

    function testRefusesToClearBitsWithAMaskMissing() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.LengthMismatch.selector));
        vm.prank(AGENCY);
        status.clearBits(AGENCY, SUSPENSIONS, one32(0), new uint256[](0));
    }

    function testRefusesToClearBitsInListsWithAWordMissing() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.LengthMismatch.selector));
        vm.prank(AGENCY);
        status.clearBitsIn(AGENCY, one(SUSPENSIONS), new uint32[](0), one(1));
    }

    function testRefusesToClearBitsInListsWithAMaskMissing() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.LengthMismatch.selector));
        vm.prank(AGENCY);
        status.clearBitsIn(AGENCY, one(SUSPENSIONS), one32(0), new uint256[](0));
    }

    function testFuzzClearingTakesAwayTheMaskAlone(uint256 before, uint256 mask) public {
        _set(SUSPENSIONS, 0, before);
        _clear(SUSPENSIONS, 0, mask);
        equal(status.statusWord(AGENCY, SUSPENSIONS, 0), before & ~mask);
    }

    // ---- reading --------------------------------------------------------------------------------------------------

    function testRefusesToReadAnUnknownList() public {
        bytes memory reason = abi.encodeWithSelector(IStatusRegistry.UnknownList.selector, AGENCY, UNKNOWN);
        _refuses(reason);
        status.isSet(AGENCY, UNKNOWN, 0);
        _refuses(reason);
        status.statusWord(AGENCY, UNKNOWN, 0);
        _refuses(reason);
        status.anchorOf(AGENCY, UNKNOWN);
    }

    function testRefusesToCallAnAnchoredCredentialUnrevoked() public {
        bytes memory reason = abi.encodeWithSelector(IStatusRegistry.WrongMode.selector, AGENCY, ANCHORED);
        _refuses(reason);
        status.isSet(AGENCY, ANCHORED, 0);
        _refuses(reason);
        status.statusWord(AGENCY, ANCHORED, 0);
    }

    function testRefusesToReadAnAnchorOfABitmap() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.WrongMode.selector, AGENCY, REVOCATIONS));
        status.anchorOf(AGENCY, REVOCATIONS);
    }

    function testRefusesToReadBeyondTheEnd() public {
        isFalse(status.isSet(AGENCY, REVOCATIONS, LENGTH - 1));
        _refuses(abi.encodeWithSelector(IStatusRegistry.IndexOutOfRange.selector, REVOCATIONS, LENGTH));
        status.isSet(AGENCY, REVOCATIONS, LENGTH);
        _refuses(abi.encodeWithSelector(IStatusRegistry.WordOutOfRange.selector, REVOCATIONS, WORDS));
        status.statusWord(AGENCY, REVOCATIONS, WORDS);
    }

    // ---- anchoring ------------------------------------------------------------------------------------------------

    function testAnAnchorHoldsTheNewestVersion() public {
        (uint64 version, uint64 time, bytes32 digest) = status.anchorOf(AGENCY, ANCHORED);
        equal(version, 0);
        vm.expectEmit(address(status));
        emit IStatusRegistry.Anchored(AGENCY, ANCHORED, 1, DIGEST, START, URL);
        _anchor(1, DIGEST, START);
        _anchor(2, keccak256("second"), START);
        _anchor(3, keccak256("third"), START + 5 minutes);
        (version, time, digest) = status.anchorOf(AGENCY, ANCHORED);
        equal(version, 3);
        equal(time, START + 5 minutes);
        equal(digest, keccak256("third"));
        (uint8 purpose, uint8 mode, uint32 length) = status.listOf(AGENCY, ANCHORED);
        equal(purpose, 1);
        equal(mode, 1);
        equal(length, LENGTH);
    }

    function testAnchoringGoesOnDuringAPause() public {
        _pause(address(status), 7 days);
        _anchor(1, DIGEST, START);
    }

    function testADelegateAnchors() public {
        _delegate(AGENCY, ANCHORED, DELEGATE, true);
        vm.prank(DELEGATE);
        status.anchor(AGENCY, ANCHORED, 1, DIGEST, START, URL);
    }

    function testRefusesAStrangerWhoAnchors() public {
        _refuses(_notWriter(ANCHORED, STRANGER));
        vm.prank(STRANGER);
        status.anchor(AGENCY, ANCHORED, 1, DIGEST, START, URL);
    }

    function testRefusesToAnchorAnUnknownList() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.UnknownList.selector, AGENCY, UNKNOWN));
        vm.prank(AGENCY);
        status.anchor(AGENCY, UNKNOWN, 1, DIGEST, START, URL);
    }

    function testRefusesToAnchorABitmap() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.WrongMode.selector, AGENCY, REVOCATIONS));
        vm.prank(AGENCY);
        status.anchor(AGENCY, REVOCATIONS, 1, DIGEST, START, URL);
    }

    function testRefusesAVersionThatWasAnchored() public {
        _anchor(1, DIGEST, START);
        _refuses(abi.encodeWithSelector(IStatusRegistry.UnexpectedVersion.selector, 1, 2));
        _anchor(1, keccak256("other"), START);
    }

    function testRefusesToSkipAVersion() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.UnexpectedVersion.selector, 2, 1));
        _anchor(2, DIGEST, START);
    }

    function testRefusesAVersionOlderThanThePreviousOne() public {
        _anchor(1, DIGEST, START);
        _refuses(abi.encodeWithSelector(IStatusRegistry.TimeOutOfRange.selector, START - 1, START, START + 5 minutes));
        _anchor(2, DIGEST, START - 1);
    }

    function testRefusesAVersionFromTheFuture() public {
        uint64 latest = START + 5 minutes;
        _refuses(abi.encodeWithSelector(IStatusRegistry.TimeOutOfRange.selector, latest + 1, 0, latest));
        _anchor(1, DIGEST, latest + 1);
    }

    function testRefusesAnAnchorWithoutADigest() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.InvalidDigest.selector));
        _anchor(1, bytes32(0), START);
    }

    function testRefusesAnAnchorWithoutAUrl() public {
        _refuses(abi.encodeWithSelector(IStatusRegistry.InvalidUrl.selector));
        vm.prank(AGENCY);
        status.anchor(AGENCY, ANCHORED, 1, DIGEST, START, "");
    }

    function testRefusesAnAnchorWithAnEndlessUrl() public {
        vm.prank(AGENCY);
        status.anchor(AGENCY, ANCHORED, 1, DIGEST, START, string(new bytes(1024)));
        _refuses(abi.encodeWithSelector(IStatusRegistry.InvalidUrl.selector));
        vm.prank(AGENCY);
        status.anchor(AGENCY, ANCHORED, 2, DIGEST, START, string(new bytes(1025)));
    }

    function _open(uint256 list, uint8 purpose, uint8 mode, uint32 length) private {
        vm.prank(AGENCY);
        status.openLists(AGENCY, one(list), one8(purpose), one8(mode), one32(length));
    }

    function _refusesToOpen(uint8 purpose, uint8 mode, uint32 length, bytes memory reason) private {
        _refuses(reason);
        _open(20, purpose, mode, length);
    }

    function _delegate(address issuer, uint256 list, address delegate, bool allowed) private {
        vm.prank(issuer);
        status.setListDelegate(issuer, list, delegate, allowed);
    }

    function _set(uint256 list, uint256 word, uint256 mask) private {
        vm.prank(AGENCY);
        status.setBits(AGENCY, list, one32(word), one(mask));
    }

    function _clear(uint256 list, uint256 word, uint256 mask) private {
        vm.prank(AGENCY);
        status.clearBits(AGENCY, list, one32(word), one(mask));
    }

    function _anchor(uint64 version, bytes32 digest, uint64 time) private {
        vm.prank(AGENCY);
        status.anchor(AGENCY, ANCHORED, version, digest, time, URL);
    }

    function _acrossLists()
        private
        pure
        returns (uint256[] memory lists, uint32[] memory words, uint256[] memory masks)
    {
        lists = new uint256[](2);
        words = new uint32[](2);
        masks = new uint256[](2);
        (lists[0], lists[1]) = (REVOCATIONS, SUSPENSIONS);
        (words[0], words[1]) = (1, 2);
        (masks[0], masks[1]) = (4, 8);
    }

    function _notWriter(uint256 list, address caller) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IStatusRegistry.NotWriter.selector, AGENCY, list, caller);
    }
}
