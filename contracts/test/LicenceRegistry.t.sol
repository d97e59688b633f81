// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {Governed} from "../src/Governed.sol";
import {ILicenceRegistry} from "../src/ILicenceRegistry.sol";
import {IRegistered} from "../src/IRegistered.sol";
import {Registers} from "./Registers.sol";

contract LicenceRegistryTest is Registers {
    uint64 private constant EXPIRY = START + 30 days;

    uint128 private _key;
    uint256 private _id;

    /// @dev Alice's licence, good for thirty days.
    function setUp() public override {
        super.setUp();
        (_key, _id) = (keyOf(AGENCY, LAND), idOf(LAND, ENTRY));
        vm.prank(AGENCY);
        licences.openRegister(AGENCY, LAND, LICENCE, BASE);
        vm.prank(AGENCY);
        licences.mintMany(_key, licence(ENTRY, ALICE, EXPIRY));
    }

    // ---- granting ---------------------------------------------------------------------------------------------------

    function testGrantsManyAtOnceAndSaysThatTheyAreLocked() public {
        ILicenceRegistry.NewLicence[] memory many = new ILicenceRegistry.NewLicence[](2);
        many[0] = ILicenceRegistry.NewLicence(2, BOB, 0, DIGEST);
        many[1] = ILicenceRegistry.NewLicence(3, AGENCY, EXPIRY, OTHER);
        vm.expectEmit(address(licences));
        emit ILicenceRegistry.Granted(idOf(LAND, 2), 0);
        vm.expectEmit(address(licences));
        emit IERC721.Transfer(address(0), BOB, idOf(LAND, 2));
        vm.expectEmit(address(licences));
        emit ILicenceRegistry.Locked(idOf(LAND, 2));
        vm.prank(AGENCY);
        licences.mintMany(_key, many);
        ILicenceRegistry.Standing memory standing = licences.standingOf(idOf(LAND, 3));
        equal(standing.entryId, 3);
        equal(standing.holder, AGENCY);
        equal(standing.expiry, EXPIRY);
        equal(standing.attestedAt, START);
        equal(standing.commitment, OTHER);
        isTrue(standing.state == ILicenceRegistry.State.ACTIVE);
        isTrue(licences.locked(idOf(LAND, 2)));
    }

    function testAnEntryIsGrantedOnce() public {
        _refuses(abi.encodeWithSelector(IRegistered.EntryExists.selector, _id));
        vm.prank(AGENCY);
        licences.mintMany(_key, licence(ENTRY, BOB, EXPIRY));
    }

    function testGrantingRefusesWhatDoesNotFit() public {
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        licences.mintMany(_key, licence(0, ALICE, EXPIRY));
        _refuses(abi.encodeWithSelector(ILicenceRegistry.ExpiryOutOfRange.selector, idOf(LAND, 2), START));
        vm.prank(AGENCY);
        licences.mintMany(_key, licence(2, ALICE, START));
        _refuses(abi.encodeWithSelector(IERC721Errors.ERC721InvalidReceiver.selector, address(0)));
        vm.prank(AGENCY);
        licences.mintMany(_key, licence(2, address(0), EXPIRY));
    }

    function testStrangersDoNothing() public {
        bytes memory refusal = abi.encodeWithSelector(IRegistered.NotRegistrar.selector, _key, STRANGER);
        _refuses(abi.encodeWithSelector(IRegistered.NotRegistrar.selector, keyOf(AGENCY, OTHER), STRANGER));
        vm.prank(STRANGER);
        licences.openRegister(AGENCY, OTHER, LICENCE, BASE);
        _refuses(refusal);
        vm.prank(STRANGER);
        licences.mintMany(_key, licence(2, ALICE, EXPIRY));
        _refuses(refusal);
        vm.prank(STRANGER);
        licences.amend(one(_id), oneHash(OTHER));
        _refuses(refusal);
        vm.prank(STRANGER);
        licences.renew(one(_id), one64(EXPIRY), oneHash(OTHER));
        _refuses(refusal);
        vm.prank(STRANGER);
        licences.suspend(one(_id));
        _refuses(refusal);
        vm.prank(STRANGER);
        licences.reinstate(one(_id));
        _refuses(refusal);
        vm.prank(STRANGER);
        licences.revoke(one(_id));
        _refuses(refusal);
        vm.prank(STRANGER);
        licences.replaceWallet(_id, ALICE, BOB, ORDER);
    }

    // ---- the lock ---------------------------------------------------------------------------------------------------

    function testALicenceIsNeitherSoldNorApproved() public {
        _refuses(ILicenceRegistry.LicenceLocked.selector);
        vm.prank(ALICE);
        licences.transferFrom(ALICE, BOB, _id);
        _refuses(ILicenceRegistry.LicenceLocked.selector);
        vm.prank(ALICE);
        licences.safeTransferFrom(ALICE, BOB, _id);
        _refuses(ILicenceRegistry.LicenceLocked.selector);
        vm.prank(ALICE);
        licences.approve(BOB, _id);
        _refuses(ILicenceRegistry.LicenceLocked.selector);
        vm.prank(ALICE);
        licences.setApprovalForAll(BOB, true);
    }

    function testNotEvenTheRegistrarTransfersOneInCustody() public {
        vm.prank(AGENCY);
        licences.mintMany(_key, licence(2, AGENCY, 0));
        _refuses(ILicenceRegistry.LicenceLocked.selector);
        vm.prank(AGENCY);
        licences.transferFrom(AGENCY, BOB, idOf(LAND, 2));
    }

    function testSaysByErc165ThatItIsLocked() public {
        isTrue(licences.supportsInterface(0xb45a3c0e) && licences.supportsInterface(0x80ac58cd));
        isFalse(licences.supportsInterface(0xffffffff));
        _refuses(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, _id + 1));
        licences.locked(_id + 1);
    }

    function testTheUriIsBelowThatOfTheRegister() public {
        equal(keccak256(bytes(licences.tokenURI(_id))), keccak256(bytes(string.concat(BASE, vm.toString(_id)))));
        _refuses(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, _id + 1));
        licences.tokenURI(_id + 1);
    }

    // ---- another wallet of the same person --------------------------------------------------------------------------

    function testTheRegistrarReplacesAWalletOncePerReason() public {
        vm.expectEmit(address(licences));
        emit IRegistered.OrderExecuted(_key, ORDER, _id);
        vm.expectEmit(address(licences));
        emit IERC721.Transfer(ALICE, CAROL, _id);
        vm.prank(AGENCY);
        licences.replaceWallet(_id, ALICE, CAROL, ORDER);
        equal(licences.ownerOf(_id), CAROL);
        _refuses(abi.encodeWithSelector(IRegistered.OrderUsed.selector, _key, ORDER));
        vm.prank(AGENCY);
        licences.replaceWallet(_id, CAROL, BOB, ORDER);
    }

    function testAReplacementNamesTheWalletAReasonAndALiveLicence() public {
        _refuses(abi.encodeWithSelector(IRegistered.NotHolder.selector, _id, BOB));
        vm.prank(AGENCY);
        licences.replaceWallet(_id, BOB, CAROL, ORDER);
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        licences.replaceWallet(_id, ALICE, CAROL, 0);
        _refuses(abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _id + 1));
        vm.prank(AGENCY);
        licences.replaceWallet(_id + 1, ALICE, CAROL, ORDER);
        vm.prank(AGENCY);
        licences.revoke(one(_id));
        _refuses(abi.encodeWithSelector(ILicenceRegistry.WrongState.selector, _id, ILicenceRegistry.State.REVOKED));
        vm.prank(AGENCY);
        licences.replaceWallet(_id, ALICE, CAROL, ORDER);
    }

    // ---- renewing, suspending, revoking -----------------------------------------------------------------------------

    function testALicenceLapsesAndIsRenewed() public {
        vm.warp(EXPIRY - 1);
        isTrue(licences.isInForce(_id));
        vm.warp(EXPIRY);
        isFalse(licences.isInForce(_id));
        vm.expectEmit(address(licences));
        emit ILicenceRegistry.Granted(_id, EXPIRY + YEAR);
        vm.prank(AGENCY);
        licences.renew(one(_id), one64(EXPIRY + YEAR), oneHash(OTHER));
        isTrue(licences.isInForce(_id));
        equal(licences.standingOf(_id).commitment, OTHER);
        equal(licences.standingOf(_id).attestedAt, EXPIRY);
    }

    function testARenewalNeverShortens() public {
        _refuses(abi.encodeWithSelector(ILicenceRegistry.ExpiryOutOfRange.selector, _id, EXPIRY - 1));
        vm.prank(AGENCY);
        licences.renew(one(_id), one64(EXPIRY - 1), oneHash(OTHER));
        vm.prank(AGENCY);
        licences.renew(one(_id), one64(0), oneHash(OTHER));
        _refuses(abi.encodeWithSelector(ILicenceRegistry.ExpiryOutOfRange.selector, _id, EXPIRY + YEAR));
        vm.prank(AGENCY);
        licences.renew(one(_id), one64(EXPIRY + YEAR), oneHash(OTHER));
        vm.prank(AGENCY);
        licences.renew(one(_id), one64(0), oneHash(OTHER));
        vm.warp(START + 100 * YEAR);
        isTrue(licences.standingOf(_id).expiry == 0);
    }

    function testARenewalRefusesWhatDoesNotFit() public {
        _refuses(IRegistered.LengthMismatch.selector);
        vm.prank(AGENCY);
        licences.renew(one(_id), new uint64[](0), oneHash(OTHER));
        _refuses(IRegistered.LengthMismatch.selector);
        vm.prank(AGENCY);
        licences.renew(one(_id), one64(EXPIRY), new bytes32[](0));
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        licences.renew(one(_id), one64(EXPIRY), oneHash(0));
        _refuses(abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _id + 1));
        vm.prank(AGENCY);
        licences.renew(one(_id + 1), one64(EXPIRY), oneHash(OTHER));
    }

    function testASuspendedLicenceIsNotInForceUntilItIsReinstated() public {
        vm.expectEmit(address(licences));
        emit ILicenceRegistry.StateChanged(_id, ILicenceRegistry.State.SUSPENDED);
        vm.prank(AGENCY);
        licences.suspend(one(_id));
        isFalse(licences.isInForce(_id));
        bytes memory suspended =
            abi.encodeWithSelector(ILicenceRegistry.WrongState.selector, _id, ILicenceRegistry.State.SUSPENDED);
        _refuses(suspended);
        vm.prank(AGENCY);
        licences.suspend(one(_id));
        _refuses(suspended);
        vm.prank(AGENCY);
        licences.renew(one(_id), one64(EXPIRY), oneHash(OTHER));
        vm.prank(AGENCY);
        licences.reinstate(one(_id));
        isTrue(licences.isInForce(_id));
        _refuses(abi.encodeWithSelector(ILicenceRegistry.WrongState.selector, _id, ILicenceRegistry.State.ACTIVE));
        vm.prank(AGENCY);
        licences.reinstate(one(_id));
    }

    function testARevokedLicenceStaysRevoked() public {
        vm.prank(AGENCY);
        licences.revoke(one(_id));
        isFalse(licences.isInForce(_id));
        equal(licences.ownerOf(_id), ALICE);
        bytes memory revoked =
            abi.encodeWithSelector(ILicenceRegistry.WrongState.selector, _id, ILicenceRegistry.State.REVOKED);
        _refuses(revoked);
        vm.prank(AGENCY);
        licences.reinstate(one(_id));
        _refuses(revoked);
        vm.prank(AGENCY);
        licences.renew(one(_id), one64(EXPIRY), oneHash(OTHER));
        _refuses(revoked);
        vm.prank(AGENCY);
        licences.revoke(one(_id));
        _refuses(revoked);
        vm.prank(AGENCY);
        licences.suspend(one(_id));
    }

    function testASuspendedLicenceCanBeRevoked() public {
        vm.prank(AGENCY);
        licences.suspend(one(_id));
        vm.prank(AGENCY);
        licences.revoke(one(_id));
        isTrue(licences.standingOf(_id).state == ILicenceRegistry.State.REVOKED);
    }

    function testAPauseStopsWhatGivesAndNothingThatProtects() public {
        vm.prank(AGENCY);
        licences.mintMany(_key, licence(2, BOB, 0));
        vm.prank(AGENCY);
        licences.suspend(one(_id));
        _pause(address(licences), 1 days);
        _refuses(Governed.Paused.selector);
        vm.prank(AGENCY);
        licences.openRegister(AGENCY, OTHER, LICENCE, BASE);
        _refuses(Governed.Paused.selector);
        vm.prank(AGENCY);
        licences.mintMany(_key, licence(3, BOB, 0));
        _refuses(Governed.Paused.selector);
        vm.prank(AGENCY);
        licences.renew(one(_id), one64(EXPIRY), oneHash(OTHER));
        _refuses(Governed.Paused.selector);
        vm.prank(AGENCY);
        licences.reinstate(one(_id));
        _refuses(Governed.Paused.selector);
        vm.prank(AGENCY);
        licences.replaceWallet(_id, ALICE, CAROL, ORDER);
        vm.prank(AGENCY);
        licences.suspend(one(idOf(LAND, 2)));
        vm.prank(AGENCY);
        licences.revoke(one(_id));
        vm.prank(AGENCY);
        licences.amend(one(_id), oneHash(OTHER));
        equal(licences.standingOf(_id).commitment, OTHER);
    }

    function testAmendingRefusesWhatDoesNotFit() public {
        _refuses(IRegistered.LengthMismatch.selector);
        vm.prank(AGENCY);
        licences.amend(one(_id), new bytes32[](0));
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        licences.amend(one(_id), oneHash(0));
        _refuses(abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _id + 1));
        vm.prank(AGENCY);
        licences.amend(one(_id + 1), oneHash(OTHER));
    }

    // ---- force and trust --------------------------------------------------------------------------------------------

    function testWhatWasGrantedBeforeAnAccreditationEndedStaysInForce() public {
        vm.warp(START + 1);
        _endAccreditation();
        isTrue(licences.isInForce(_id));
        _refuses(abi.encodeWithSelector(IRegistered.RegistrarNotAccredited.selector, AGENCY, LICENCE));
        vm.prank(AGENCY);
        licences.mintMany(_key, licence(2, BOB, 0));
    }

    function testWhatWasGrantedInAVoidTimeIsNotInForce() public {
        vm.warp(START + 10);
        vm.prank(AGENCY);
        licences.mintMany(_key, licence(2, BOB, 0));
        vm.warp(START + 20);
        vm.prank(ROOT_HOLDER);
        trust.voidAccreditation(address(0), AGENCY, LICENCE, START + 5);
        isTrue(licences.isInForce(_id));
        isFalse(licences.isInForce(idOf(LAND, 2)));
    }

    function testWhatIsNotKnownIsNotInForce() public {
        isFalse(licences.isInForce(_id + 1));
        isFalse(licences.isInForce(0));
        _refuses(abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _id + 1));
        licences.standingOf(_id + 1);
    }

    function testFuzzALicenceIsInForceExactlyBeforeItsExpiry(uint32 length, uint64 time) public {
        uint64 expiry = START + 1 + length;
        time = uint64(within(time, START, START + 2 * uint256(type(uint32).max)));
        vm.prank(AGENCY);
        licences.mintMany(_key, licence(2, BOB, expiry));
        vm.warp(time);
        equal(licences.isInForce(idOf(LAND, 2)) ? 1 : 0, time < expiry ? 1 : 0);
    }

    function testARegisterIsReadInPages() public {
        vm.prank(AGENCY);
        licences.mintMany(_key, licence(2, BOB, 0));
        ILicenceRegistry.Standing[] memory page = licences.standingsIn(_key, 1, 10);
        equal(page.length, 1);
        equal(page[0].entryId, 2);
        equal(page[0].holder, BOB);
    }
}
