// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {Governed} from "../src/Governed.sol";
import {IRegistered} from "../src/IRegistered.sol";
import {ITitleRegistry} from "../src/ITitleRegistry.sol";
import {TitleRegistry} from "../src/TitleRegistry.sol";
import {Registers} from "./Registers.sol";

contract TitleRegistryTest is Registers {
    uint128 private _land;
    uint128 private _flats;
    uint256 private _id;
    uint256 private _flat;

    /// @dev A register that moves by itself alone, one that wallets may transfer in, and a title of Alice's in each.
    function setUp() public override {
        super.setUp();
        (_land, _flats) = (keyOf(AGENCY, LAND), keyOf(AGENCY, FLATS));
        (_id, _flat) = (idOf(LAND, ENTRY), idOf(FLATS, ENTRY));
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, LAND, LICENCE, BASE, false, 0, 0);
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, FLATS, LICENCE, BASE, true, REALM, 2);
        vm.prank(AGENCY);
        titles.mintMany(_land, title(ENTRY, ALICE));
        vm.prank(AGENCY);
        titles.mintMany(_flats, title(ENTRY, ALICE));
    }

    // ---- deployment -----------------------------------------------------------------------------------------------

    function testRefusesADeploymentWithoutARegistryOfTrust() public {
        _refuses(abi.encodeWithSelector(Governed.NotAContract.selector, STRANGER));
        new TitleRegistry(address(dids), address(governance), STRANGER, address(wallets));
    }

    function testRefusesADeploymentWithoutAVerifierOfWallets() public {
        _refuses(abi.encodeWithSelector(Governed.NotAContract.selector, STRANGER));
        new TitleRegistry(address(dids), address(governance), address(trust), STRANGER);
    }

    // ---- registers ------------------------------------------------------------------------------------------------

    function testARegisterIsWhatItWasOpenedAs() public view {
        IRegistered.Register memory opened = titles.registerOf(_flats);
        equal(opened.issuer, AGENCY);
        equal(opened.registerId, FLATS);
        equal(opened.typeId, LICENCE);
        equal(opened.domain, REALM);
        equal(opened.level, 2);
        isTrue(opened.walletTransfers);
        equal(keccak256(bytes(opened.baseUri)), keccak256(bytes(BASE)));
        equal(titles.registerKeyOf(AGENCY, FLATS), _flats);
        equal(titles.tokenIdOf(AGENCY, FLATS, ENTRY), _flat);
        equal(titles.entriesOf(_flats), 1);
    }

    function testOpeningIsTold() public {
        uint128 key = keyOf(AGENCY, OTHER);
        vm.expectEmit(address(titles));
        emit IRegistered.RegisterOpened(key, AGENCY, OTHER, LICENCE, BASE);
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, OTHER, LICENCE, BASE, false, 0, 0);
    }

    function testOnlyTheOwnerOfTheIssuerOpens() public {
        _refuses(abi.encodeWithSelector(IRegistered.NotRegistrar.selector, keyOf(AGENCY, OTHER), STRANGER));
        vm.prank(STRANGER);
        titles.openRegister(AGENCY, OTHER, LICENCE, BASE, false, 0, 0);
    }

    function testNobodyOpensForIdentityZero() public {
        _claimIdentityZero(STRANGER);
        _refuses(abi.encodeWithSelector(IRegistered.NotRegistrar.selector, keyOf(address(0), OTHER), STRANGER));
        vm.prank(STRANGER);
        titles.openRegister(address(0), OTHER, LICENCE, BASE, false, 0, 0);
    }

    function testAnIssuerWithoutAccreditationOpensNothing() public {
        _refuses(abi.encodeWithSelector(IRegistered.RegistrarNotAccredited.selector, OFFICE, LICENCE));
        vm.prank(OFFICE);
        titles.openRegister(OFFICE, OTHER, LICENCE, BASE, false, 0, 0);
    }

    function testAnAccreditationForAnotherTypeIsNone() public {
        _refuses(abi.encodeWithSelector(IRegistered.RegistrarNotAccredited.selector, AGENCY, PERMIT));
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, OTHER, PERMIT, BASE, false, 0, 0);
    }

    function testARegisterIsOpenedOnce() public {
        _refuses(abi.encodeWithSelector(IRegistered.RegisterExists.selector, _land));
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, LAND, LICENCE, BASE, true, REALM, 0);
    }

    function testARegisterHasAnIdAndAType() public {
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, 0, LICENCE, BASE, false, 0, 0);
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, OTHER, 0, BASE, false, 0, 0);
    }

    function testABaseUriIsNeitherEmptyNorEndless() public {
        _refuses(IRegistered.InvalidUri.selector);
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, OTHER, LICENCE, "", false, 0, 0);
        _refuses(IRegistered.InvalidUri.selector);
        vm.prank(AGENCY);
        titles.setBaseUri(_land, string(new bytes(513)));
    }

    function testNothingIsOpenedWhilePaused() public {
        _pause(address(titles), 1 days);
        _refuses(Governed.Paused.selector);
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, OTHER, LICENCE, BASE, false, 0, 0);
    }

    function testATokensUriIsBelowThatOfItsRegister() public {
        equal(keccak256(bytes(titles.tokenURI(_id))), keccak256(bytes(string.concat(BASE, vm.toString(_id)))));
        vm.expectEmit(address(titles));
        emit IRegistered.BaseUriChanged(_land, "https://elsewhere.example/");
        vm.prank(AGENCY);
        titles.setBaseUri(_land, "https://elsewhere.example/");
        equal(
            keccak256(bytes(titles.tokenURI(_id))),
            keccak256(bytes(string.concat("https://elsewhere.example/", vm.toString(_id))))
        );
        _refuses(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, _id + 1));
        titles.tokenURI(_id + 1);
    }

    function testStrangersDoNotMoveTheMetadata() public {
        _refuses(abi.encodeWithSelector(IRegistered.NotRegistrar.selector, _land, STRANGER));
        vm.prank(STRANGER);
        titles.setBaseUri(_land, BASE);
    }

    function testAnUnknownRegisterIsUnknown() public {
        uint128 key = keyOf(AGENCY, OTHER);
        _refuses(abi.encodeWithSelector(IRegistered.UnknownRegister.selector, key));
        titles.registerOf(key);
        _refuses(abi.encodeWithSelector(IRegistered.UnknownRegister.selector, key));
        vm.prank(AGENCY);
        titles.mintMany(key, title(1, ALICE));
    }

    // ---- the registrar --------------------------------------------------------------------------------------------

    function testNoOtherAgencyActsInARegister() public {
        _accredit(OFFICE);
        bytes memory refusal = abi.encodeWithSelector(IRegistered.NotRegistrar.selector, _land, OFFICE);
        _refuses(refusal);
        vm.prank(OFFICE);
        titles.mintMany(_land, title(2, ALICE));
        _refuses(refusal);
        vm.prank(OFFICE);
        titles.transferByRegister(_id, ALICE, BOB, DIGEST);
        _refuses(refusal);
        vm.prank(OFFICE);
        titles.forcedTransfer(_id, ALICE, BOB, ORDER, DIGEST);
        _refuses(refusal);
        vm.prank(OFFICE);
        titles.freeze(_id, CAVEAT);
        _refuses(refusal);
        vm.prank(OFFICE);
        titles.unfreeze(_id, CAVEAT);
        _refuses(refusal);
        vm.prank(OFFICE);
        titles.close(_id, ALICE);
        _refuses(refusal);
        vm.prank(OFFICE);
        titles.encumber(_id, 1, DIGEST);
        _refuses(refusal);
        vm.prank(OFFICE);
        titles.amend(one(_id), oneHash(DIGEST));
        _refuses(refusal);
        vm.prank(OFFICE);
        titles.replace(_land, one(_id), oneAddress(ALICE), title(2, ALICE));
    }

    function testWithTheAccreditationTheRegistrarsPowerEnds() public {
        _endAccreditation();
        _refuses(abi.encodeWithSelector(IRegistered.RegistrarNotAccredited.selector, AGENCY, LICENCE));
        vm.prank(AGENCY);
        titles.transferByRegister(_id, ALICE, BOB, DIGEST);
    }

    function testANewOwnerOfTheIssuerIsTheRegistrar() public {
        _changeOwner(AGENCY, AGENCY, BUYER);
        _refuses(abi.encodeWithSelector(IRegistered.NotRegistrar.selector, _land, AGENCY));
        vm.prank(AGENCY);
        titles.transferByRegister(_id, ALICE, BOB, DIGEST);
        vm.prank(BUYER);
        titles.transferByRegister(_id, ALICE, BOB, DIGEST);
        equal(titles.ownerOf(_id), BOB);
    }

    function testManyActsAreOneTransaction() public {
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(titles.transferByRegister, (_id, ALICE, BOB, OTHER));
        calls[1] = abi.encodeCall(titles.freeze, (_id, CAVEAT));
        vm.prank(AGENCY);
        titles.multicall(calls);
        equal(titles.ownerOf(_id), BOB);
        isTrue(titles.isFrozenUnder(_id, CAVEAT));
        _refuses(abi.encodeWithSelector(IRegistered.NotRegistrar.selector, _land, STRANGER));
        vm.prank(STRANGER);
        titles.multicall(calls);
    }

    // ---- making ---------------------------------------------------------------------------------------------------

    function testMakesManyTitlesAtOnce() public {
        ITitleRegistry.NewTitle[] memory made = new ITitleRegistry.NewTitle[](2);
        made[0] = ITitleRegistry.NewTitle(7, AGENCY, 0, DIGEST);
        made[1] = ITitleRegistry.NewTitle(8, BOB, 2, OTHER);
        vm.expectEmit(address(titles));
        emit IERC721.Transfer(address(0), AGENCY, idOf(LAND, 7));
        vm.expectEmit(address(titles));
        emit IERC721.Transfer(address(0), BOB, idOf(LAND, 8));
        vm.expectEmit(address(titles));
        emit ITitleRegistry.Encumbered(idOf(LAND, 8), 2);
        vm.prank(AGENCY);
        titles.mintMany(_land, made);
        ITitleRegistry.Standing memory standing = titles.standingOf(idOf(LAND, 8));
        equal(standing.holder, BOB);
        equal(standing.entryId, 8);
        equal(standing.encumbrances, 2);
        equal(standing.commitment, OTHER);
    }

    function testAnEntryHasOneTokenForEver() public {
        _refuses(abi.encodeWithSelector(IRegistered.EntryExists.selector, _id));
        vm.prank(AGENCY);
        titles.mintMany(_land, title(ENTRY, BOB));
        vm.prank(AGENCY);
        titles.close(_id, ALICE);
        _refuses(abi.encodeWithSelector(IRegistered.EntryExists.selector, _id));
        vm.prank(AGENCY);
        titles.mintMany(_land, title(ENTRY, BOB));
    }

    function testATitleHasAnEntryACommitmentAndAHolder() public {
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        titles.mintMany(_land, title(0, ALICE));
        ITitleRegistry.NewTitle[] memory empty = title(9, ALICE);
        empty[0].commitment = 0;
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        titles.mintMany(_land, empty);
        _refuses(abi.encodeWithSelector(IERC721Errors.ERC721InvalidReceiver.selector, address(0)));
        vm.prank(AGENCY);
        titles.mintMany(_land, title(9, address(0)));
    }

    function testNothingIsMadeWhilePaused() public {
        _pause(address(titles), 1 days);
        _refuses(Governed.Paused.selector);
        vm.prank(AGENCY);
        titles.mintMany(_land, title(2, ALICE));
    }

    function testFuzzTokenIdsTellRegisterAndEntry(address issuer, bytes32 register, uint128 entry) public view {
        uint256 tokenId = titles.tokenIdOf(issuer, register, entry);
        equal(tokenId >> 128, titles.registerKeyOf(issuer, register));
        equal(uint128(tokenId), entry);
    }

    // ---- amending -------------------------------------------------------------------------------------------------

    function testAmendsSeveralOfSeveralRegisters() public {
        vm.prank(AGENCY);
        titles.mintMany(_land, title(2, ALICE));
        uint256[] memory ids = new uint256[](3);
        (ids[0], ids[1], ids[2]) = (_id, idOf(LAND, 2), _flat);
        bytes32[] memory commitments = new bytes32[](3);
        (commitments[0], commitments[1], commitments[2]) = (OTHER, OTHER, CAVEAT);
        vm.expectEmit(address(titles));
        emit IRegistered.Amended(_id, OTHER);
        vm.prank(AGENCY);
        titles.amend(ids, commitments);
        equal(titles.standingOf(_flat).commitment, CAVEAT);
    }

    function testEveryRegisterOfABatchIsTheCallersOwn() public {
        _accredit(OFFICE);
        vm.prank(OFFICE);
        titles.openRegister(OFFICE, LAND, LICENCE, BASE, false, 0, 0);
        uint256 theirs = uint256(keyOf(OFFICE, LAND)) << 128 | 1;
        vm.prank(OFFICE);
        titles.mintMany(keyOf(OFFICE, LAND), title(1, BOB));
        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (_id, theirs);
        bytes32[] memory commitments = new bytes32[](2);
        (commitments[0], commitments[1]) = (OTHER, OTHER);
        _refuses(abi.encodeWithSelector(IRegistered.NotRegistrar.selector, keyOf(OFFICE, LAND), AGENCY));
        vm.prank(AGENCY);
        titles.amend(ids, commitments);
    }

    function testAmendingRefusesWhatDoesNotFit() public {
        _refuses(IRegistered.LengthMismatch.selector);
        vm.prank(AGENCY);
        titles.amend(one(_id), new bytes32[](0));
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        titles.amend(one(_id), oneHash(0));
        _refuses(abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _id + 1));
        vm.prank(AGENCY);
        titles.amend(one(_id + 1), oneHash(DIGEST));
    }

    function testEncumbrancesAreCounted() public {
        vm.expectEmit(address(titles));
        emit ITitleRegistry.Encumbered(_id, 3);
        vm.prank(AGENCY);
        titles.encumber(_id, 3, OTHER);
        ITitleRegistry.Standing memory standing = titles.standingOf(_id);
        equal(standing.encumbrances, 3);
        equal(standing.commitment, OTHER);
    }

    // ---- transfers by the register ----------------------------------------------------------------------------------

    function testTheRegisterTransfersToAnyHolder() public {
        vm.expectEmit(address(titles));
        emit IRegistered.Amended(_id, OTHER);
        vm.expectEmit(address(titles));
        emit IERC721.Transfer(ALICE, CAROL, _id);
        vm.prank(AGENCY);
        titles.transferByRegister(_id, ALICE, CAROL, OTHER);
        equal(titles.ownerOf(_id), CAROL);
    }

    function testATransferNamesTheHolderItTakesFrom() public {
        _refuses(abi.encodeWithSelector(IRegistered.NotHolder.selector, _id, BOB));
        vm.prank(AGENCY);
        titles.transferByRegister(_id, BOB, CAROL, DIGEST);
        _refuses(abi.encodeWithSelector(IRegistered.NotHolder.selector, _id, BOB));
        vm.prank(AGENCY);
        titles.forcedTransfer(_id, BOB, CAROL, ORDER, DIGEST);
        _refuses(abi.encodeWithSelector(IRegistered.NotHolder.selector, _id, BOB));
        vm.prank(AGENCY);
        titles.close(_id, BOB);
    }

    function testNothingMovesToNobody() public {
        _refuses(abi.encodeWithSelector(IERC721Errors.ERC721InvalidReceiver.selector, address(0)));
        vm.prank(AGENCY);
        titles.transferByRegister(_id, ALICE, address(0), DIGEST);
    }

    function testTheRegisterMovesNothingWhilePaused() public {
        vm.prank(AGENCY);
        titles.freeze(_id, CAVEAT);
        _pause(address(titles), 1 days);
        _refuses(Governed.Paused.selector);
        vm.prank(AGENCY);
        titles.transferByRegister(_id, ALICE, BOB, DIGEST);
        _refuses(Governed.Paused.selector);
        vm.prank(AGENCY);
        titles.forcedTransfer(_id, ALICE, BOB, ORDER, DIGEST);
        _refuses(Governed.Paused.selector);
        vm.prank(AGENCY);
        titles.unfreeze(_id, CAVEAT);
        _refuses(Governed.Paused.selector);
        vm.prank(AGENCY);
        titles.close(_id, ALICE);
        _refuses(Governed.Paused.selector);
        vm.prank(AGENCY);
        titles.replace(_land, one(_id), oneAddress(ALICE), title(2, ALICE));
        vm.prank(AGENCY);
        titles.freeze(_id, ORDER);
        vm.prank(AGENCY);
        titles.encumber(_id, 1, DIGEST);
        equal(titles.standingOf(_id).freezes, 2);
    }

    // ---- freezes and orders -----------------------------------------------------------------------------------------

    function testAFreezeStopsEveryWayButTheForced() public {
        vm.expectEmit(address(titles));
        emit ITitleRegistry.FreezeChanged(_flat, CAVEAT, true);
        vm.expectEmit(address(titles));
        emit ITitleRegistry.Frozen(ALICE, _flat, true);
        vm.prank(AGENCY);
        titles.freeze(_flat, CAVEAT);
        isTrue(titles.getFrozenTokens(ALICE, _flat));
        isFalse(titles.getFrozenTokens(BOB, _flat));
        bytes memory frozen = abi.encodeWithSelector(ITitleRegistry.TitleFrozen.selector, _flat);
        _refuses(frozen);
        vm.prank(AGENCY);
        titles.transferByRegister(_flat, ALICE, BOB, DIGEST);
        _refuses(frozen);
        vm.prank(ALICE);
        titles.transferFrom(ALICE, BOB, _flat);
        _refuses(frozen);
        vm.prank(AGENCY);
        titles.close(_flat, ALICE);
        _refuses(frozen);
        vm.prank(AGENCY);
        titles.replace(_flats, one(_flat), oneAddress(ALICE), title(2, BOB));
        vm.expectEmit(address(titles));
        emit IRegistered.OrderExecuted(_flats, ORDER, _flat);
        vm.expectEmit(address(titles));
        emit ITitleRegistry.ForcedTransfer(ALICE, CAROL, _flat);
        vm.prank(AGENCY);
        titles.forcedTransfer(_flat, ALICE, CAROL, ORDER, OTHER);
        equal(titles.ownerOf(_flat), CAROL);
        isTrue(titles.getFrozenTokens(CAROL, _flat));
        isTrue(titles.isOrderUsed(_flats, ORDER));
    }

    function testAnOrderForcesOnce() public {
        vm.prank(AGENCY);
        titles.forcedTransfer(_id, ALICE, BOB, ORDER, DIGEST);
        _refuses(abi.encodeWithSelector(IRegistered.OrderUsed.selector, _land, ORDER));
        vm.prank(AGENCY);
        titles.forcedTransfer(_id, BOB, ALICE, ORDER, DIGEST);
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        titles.forcedTransfer(_id, BOB, ALICE, 0, DIGEST);
        // Another register's orders are its own.
        vm.prank(AGENCY);
        titles.forcedTransfer(_flat, ALICE, BOB, ORDER, DIGEST);
    }

    function testEveryFreezeIsLiftedByItself() public {
        vm.prank(AGENCY);
        titles.freeze(_id, CAVEAT);
        vm.prank(AGENCY);
        titles.freeze(_id, ORDER);
        vm.prank(AGENCY);
        titles.unfreeze(_id, CAVEAT);
        _refuses(abi.encodeWithSelector(ITitleRegistry.TitleFrozen.selector, _id));
        vm.prank(AGENCY);
        titles.transferByRegister(_id, ALICE, BOB, DIGEST);
        vm.expectEmit(address(titles));
        emit ITitleRegistry.FreezeChanged(_id, ORDER, false);
        vm.expectEmit(address(titles));
        emit ITitleRegistry.Frozen(ALICE, _id, false);
        vm.prank(AGENCY);
        titles.unfreeze(_id, ORDER);
        vm.prank(AGENCY);
        titles.transferByRegister(_id, ALICE, BOB, DIGEST);
    }

    function testAFreezeStandsOrItDoesNot() public {
        _refuses(abi.encodeWithSelector(ITitleRegistry.FreezeUnchanged.selector, _id, CAVEAT));
        vm.prank(AGENCY);
        titles.unfreeze(_id, CAVEAT);
        vm.prank(AGENCY);
        titles.freeze(_id, CAVEAT);
        _refuses(abi.encodeWithSelector(ITitleRegistry.FreezeUnchanged.selector, _id, CAVEAT));
        vm.prank(AGENCY);
        titles.freeze(_id, CAVEAT);
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        titles.freeze(_id, 0);
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        titles.unfreeze(_id, 0);
        _refuses(abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _id + 1));
        vm.prank(AGENCY);
        titles.freeze(_id + 1, CAVEAT);
    }

    // ---- wallet to wallet -------------------------------------------------------------------------------------------

    function testAWalletTransfersToABoundWallet() public {
        isTrue(titles.canTransfer(ALICE, BOB, _flat));
        vm.prank(ALICE);
        titles.transferFrom(ALICE, BOB, _flat);
        equal(titles.ownerOf(_flat), BOB);
    }

    function testAnApprovedOperatorIsHeldToTheSameRules() public {
        vm.prank(ALICE);
        titles.approve(STRANGER, _flat);
        isFalse(titles.canTransfer(ALICE, CAROL, _flat));
        _refuses(abi.encodeWithSelector(ITitleRegistry.WalletNotBound.selector, CAROL));
        vm.prank(STRANGER);
        titles.transferFrom(ALICE, CAROL, _flat);
        vm.prank(STRANGER);
        titles.transferFrom(ALICE, BOB, _flat);
        equal(titles.ownerOf(_flat), BOB);
    }

    function testALowerLevelIsNotEnough() public {
        wallets.know(REALM, BOB, 1);
        _refuses(abi.encodeWithSelector(ITitleRegistry.WalletNotBound.selector, BOB));
        vm.prank(ALICE);
        titles.transferFrom(ALICE, BOB, _flat);
        wallets.know(OTHER, BOB, 3);
        _refuses(abi.encodeWithSelector(ITitleRegistry.WalletNotBound.selector, BOB));
        vm.prank(ALICE);
        titles.transferFrom(ALICE, BOB, _flat);
    }

    function testNobodyTakesWhatIsNotTheirs() public {
        _refuses(abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, BOB, _flat));
        vm.prank(BOB);
        titles.transferFrom(ALICE, BOB, _flat);
        _refuses(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, _flat + 1));
        vm.prank(BOB);
        titles.transferFrom(ALICE, BOB, _flat + 1);
    }

    function testAnEncumberedTitleMovesByTheRegisterAlone() public {
        vm.prank(AGENCY);
        titles.encumber(_flat, 1, DIGEST);
        isFalse(titles.canTransfer(ALICE, BOB, _flat));
        _refuses(abi.encodeWithSelector(ITitleRegistry.TitleEncumbered.selector, _flat));
        vm.prank(ALICE);
        titles.transferFrom(ALICE, BOB, _flat);
        vm.prank(AGENCY);
        titles.transferByRegister(_flat, ALICE, BOB, DIGEST);
    }

    function testARegisterWithoutWalletTransfersHasNone() public {
        isFalse(titles.canTransfer(ALICE, BOB, _id));
        _refuses(abi.encodeWithSelector(ITitleRegistry.ByRegisterOnly.selector, _id));
        vm.prank(ALICE);
        titles.transferFrom(ALICE, BOB, _id);
    }

    function testNotEvenTheRegistrarTakesATitleOutOfCustodyAsAWallet() public {
        vm.prank(AGENCY);
        titles.mintMany(_flats, title(2, AGENCY));
        uint256 kept = idOf(FLATS, 2);
        _refuses(abi.encodeWithSelector(ITitleRegistry.ByRegisterOnly.selector, kept));
        vm.prank(AGENCY);
        titles.transferFrom(AGENCY, BOB, kept);
        vm.prank(AGENCY);
        titles.transferByRegister(kept, AGENCY, BOB, DIGEST);
    }

    function testWalletsTransferNothingWhilePaused() public {
        _pause(address(titles), 1 days);
        isFalse(titles.canTransfer(ALICE, BOB, _flat));
        _refuses(Governed.Paused.selector);
        vm.prank(ALICE);
        titles.transferFrom(ALICE, BOB, _flat);
    }

    function testTheViewsOfErc7943SayWhatCouldBe() public view {
        isTrue(titles.canSend(ALICE) && titles.canReceive(BOB));
        isFalse(titles.canSend(address(0)) || titles.canReceive(address(0)));
        isFalse(titles.canTransfer(BOB, ALICE, _flat));
        isFalse(titles.canTransfer(ALICE, address(0), _flat));
        isFalse(titles.canTransfer(address(0), ALICE, _flat + 1));
        isFalse(titles.getFrozenTokens(address(0), _flat + 1));
        isTrue(titles.supportsInterface(0x80ac58cd) && titles.supportsInterface(0x5b5e139f));
        isFalse(titles.supportsInterface(0xbf1ef5fe));
    }

    // ---- split, merge, close ----------------------------------------------------------------------------------------

    function testATitleIsSplitAndMerged() public {
        ITitleRegistry.NewTitle[] memory parts = new ITitleRegistry.NewTitle[](2);
        parts[0] = ITitleRegistry.NewTitle(2, ALICE, 1, OTHER);
        parts[1] = ITitleRegistry.NewTitle(3, ALICE, 1, OTHER);
        uint256[] memory made = new uint256[](2);
        (made[0], made[1]) = (idOf(LAND, 2), idOf(LAND, 3));
        vm.expectEmit(address(titles));
        emit IERC721.Transfer(ALICE, address(0), _id);
        vm.expectEmit(address(titles));
        emit ITitleRegistry.Replaced(_land, one(_id), made);
        vm.prank(AGENCY);
        titles.replace(_land, one(_id), oneAddress(ALICE), parts);
        equal(titles.standingOf(_id).holder, address(0));
        equal(titles.balanceOf(ALICE), 3);
        address[] memory holders = new address[](2);
        (holders[0], holders[1]) = (ALICE, ALICE);
        vm.prank(AGENCY);
        titles.replace(_land, made, holders, title(4, ALICE));
        equal(titles.balanceOf(ALICE), 2);
        equal(titles.entriesOf(_land), 4);
    }

    function testAReplacementRefusesWhatDoesNotFit() public {
        _refuses(IRegistered.LengthMismatch.selector);
        vm.prank(AGENCY);
        titles.replace(_land, one(_id), new address[](0), title(2, ALICE));
        _refuses(ITitleRegistry.NothingToReplace.selector);
        vm.prank(AGENCY);
        titles.replace(_land, new uint256[](0), new address[](0), title(2, ALICE));
        _refuses(ITitleRegistry.NothingToReplace.selector);
        vm.prank(AGENCY);
        titles.replace(_land, one(_id), oneAddress(ALICE), new ITitleRegistry.NewTitle[](0));
        _refuses(abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _flat));
        vm.prank(AGENCY);
        titles.replace(_land, one(_flat), oneAddress(ALICE), title(2, ALICE));
        _refuses(abi.encodeWithSelector(IRegistered.NotHolder.selector, _id, BOB));
        vm.prank(AGENCY);
        titles.replace(_land, one(_id), oneAddress(BOB), title(2, ALICE));
        _refuses(abi.encodeWithSelector(IRegistered.EntryExists.selector, _id));
        vm.prank(AGENCY);
        titles.replace(_land, one(_id), oneAddress(ALICE), title(ENTRY, ALICE));
    }

    function testAClosedTitleIsOver() public {
        vm.prank(AGENCY);
        titles.close(_id, ALICE);
        bytes memory unknown = abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _id);
        _refuses(unknown);
        vm.prank(AGENCY);
        titles.freeze(_id, CAVEAT);
        _refuses(unknown);
        vm.prank(AGENCY);
        titles.unfreeze(_id, CAVEAT);
        _refuses(unknown);
        vm.prank(AGENCY);
        titles.encumber(_id, 1, DIGEST);
        _refuses(unknown);
        vm.prank(AGENCY);
        titles.forcedTransfer(_id, ALICE, BOB, ORDER, DIGEST);
        _refuses(unknown);
        vm.prank(AGENCY);
        titles.close(_id, ALICE);
        equal(titles.standingOf(_id).commitment, DIGEST);
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    function testARegisterIsReadInPages() public {
        vm.prank(AGENCY);
        titles.mintMany(_land, title(2, BOB));
        vm.prank(AGENCY);
        titles.close(_id, ALICE);
        ITitleRegistry.Standing[] memory page = titles.standingsIn(_land, 0, 1);
        equal(page.length, 1);
        equal(page[0].entryId, ENTRY);
        equal(page[0].holder, address(0));
        page = titles.standingsIn(_land, 1, 100);
        equal(page.length, 1);
        equal(page[0].holder, BOB);
        equal(titles.standingsIn(_land, 2, 100).length, 0);
        equal(titles.standingsIn(_land, type(uint256).max, type(uint256).max).length, 0);
        equal(titles.standingsIn(_land, 0, type(uint256).max).length, 2);
        _refuses(abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _id + 1));
        titles.standingOf(_id + 1);
    }
}
