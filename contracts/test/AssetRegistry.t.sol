// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {Governed} from "../src/Governed.sol";
import {IAssetRegistry} from "../src/IAssetRegistry.sol";
import {IRegistered} from "../src/IRegistered.sol";
import {Registers} from "./Registers.sol";

contract AssetRegistryTest is Registers {
    uint128 private _key;
    uint256 private _id;
    uint256 private _quota;

    /// @dev A class that wallets may transfer, 600 of 1000 with Alice; and one that only the register moves.
    function setUp() public override {
        super.setUp();
        (_key, _id, _quota) = (keyOf(AGENCY, LAND), idOf(LAND, ENTRY), idOf(LAND, 2));
        vm.prank(AGENCY);
        assets.openRegister(AGENCY, LAND, LICENCE, BASE);
        vm.prank(AGENCY);
        assets.openClass(_key, class(ENTRY, 1000, true));
        vm.prank(AGENCY);
        assets.openClass(_key, class(2, 500, false));
        _issue(_id, ALICE, 600);
        _issue(_quota, ALICE, 100);
    }

    // ---- classes ----------------------------------------------------------------------------------------------------

    function testAClassIsWhatItWasOpenedAs() public {
        IAssetRegistry.Standing memory opened = class(3, 9, true);
        opened.supply = 8;
        vm.expectEmit(address(assets));
        emit IAssetRegistry.CapChanged(idOf(LAND, 3), 9);
        vm.expectEmit(address(assets));
        emit IRegistered.Amended(idOf(LAND, 3), DIGEST);
        vm.prank(AGENCY);
        assets.openClass(_key, opened);
        IAssetRegistry.Standing memory standing = assets.standingOf(idOf(LAND, 3));
        equal(standing.entryId, 3);
        equal(standing.cap, 9);
        equal(standing.supply, 0);
        equal(standing.decimals, 3);
        equal(standing.level, 2);
        equal(standing.domain, REALM);
        isTrue(standing.walletTransfers);
    }

    function testOpeningRefusesWhatDoesNotFit() public {
        _refuses(abi.encodeWithSelector(IRegistered.EntryExists.selector, _id));
        vm.prank(AGENCY);
        assets.openClass(_key, class(ENTRY, 1, false));
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        assets.openClass(_key, class(0, 1, false));
        _refuses(abi.encodeWithSelector(IAssetRegistry.CapOutOfRange.selector, idOf(LAND, 3), 0));
        vm.prank(AGENCY);
        assets.openClass(_key, class(3, 0, false));
        IAssetRegistry.Standing memory fine = class(3, 1, false);
        fine.decimals = 19;
        _refuses(abi.encodeWithSelector(IAssetRegistry.InvalidDecimals.selector, 19));
        vm.prank(AGENCY);
        assets.openClass(_key, fine);
    }

    function testACapIsNeverLowerThanWhatIsIssued() public {
        vm.expectEmit(address(assets));
        emit IAssetRegistry.CapChanged(_id, 600);
        vm.prank(AGENCY);
        assets.amend(_id, 600, OTHER);
        equal(assets.standingOf(_id).commitment, OTHER);
        _refuses(abi.encodeWithSelector(IAssetRegistry.CapOutOfRange.selector, _id, 599));
        vm.prank(AGENCY);
        assets.amend(_id, 599, OTHER);
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        assets.amend(_id, 600, 0);
        _refuses(abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _id + 1));
        vm.prank(AGENCY);
        assets.amend(_id + 1, 600, OTHER);
    }

    function testAnEmptyClassKeepsACap() public {
        vm.prank(AGENCY);
        assets.openClass(_key, class(3, 5, false));
        _refuses(abi.encodeWithSelector(IAssetRegistry.CapOutOfRange.selector, idOf(LAND, 3), 0));
        vm.prank(AGENCY);
        assets.amend(idOf(LAND, 3), 0, OTHER);
        vm.prank(AGENCY);
        assets.amend(idOf(LAND, 3), 5, OTHER);
    }

    function testTheUriIsBelowThatOfTheRegister() public {
        equal(keccak256(bytes(assets.uri(_id))), keccak256(bytes(string.concat(BASE, vm.toString(_id)))));
        _refuses(abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _id + 1));
        assets.uri(_id + 1);
    }

    // ---- issuing and retiring ---------------------------------------------------------------------------------------

    function testIssuesToManyUpToTheCap() public {
        address[] memory holders = new address[](2);
        (holders[0], holders[1]) = (BOB, AGENCY);
        uint128[] memory amounts = new uint128[](2);
        (amounts[0], amounts[1]) = (150, 250);
        vm.expectEmit(address(assets));
        emit IERC1155.TransferSingle(AGENCY, address(0), BOB, _id, 150);
        vm.prank(AGENCY);
        assets.issueMany(_id, holders, amounts);
        equal(assets.standingOf(_id).supply, 1000);
        equal(assets.balanceOf(AGENCY, _id), 250);
        _refuses(abi.encodeWithSelector(IAssetRegistry.CapExceeded.selector, _id, 1001));
        vm.prank(AGENCY);
        assets.issueMany(_id, oneAddress(BOB), one128(1));
    }

    function testIssuingRefusesWhatDoesNotFit() public {
        _refuses(IRegistered.LengthMismatch.selector);
        vm.prank(AGENCY);
        assets.issueMany(_id, oneAddress(BOB), new uint128[](0));
        _refuses(IAssetRegistry.ZeroAmount.selector);
        vm.prank(AGENCY);
        assets.issueMany(_id, oneAddress(BOB), one128(0));
        _refuses(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(0)));
        vm.prank(AGENCY);
        assets.issueMany(_id, oneAddress(address(0)), one128(1));
        _refuses(abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _id + 1));
        vm.prank(AGENCY);
        assets.issueMany(_id + 1, oneAddress(BOB), one128(1));
        _refuses(abi.encodeWithSelector(IAssetRegistry.CapExceeded.selector, _id, uint256(type(uint128).max) + 600));
        vm.prank(AGENCY);
        assets.issueMany(_id, oneAddress(BOB), one128(type(uint128).max));
    }

    function testRetiredUnitsMakeRoom() public {
        vm.prank(AGENCY);
        assets.retire(_id, ALICE, 100);
        equal(assets.standingOf(_id).supply, 500);
        _issue(_id, BOB, 500);
        _refuses(abi.encodeWithSelector(IAssetRegistry.UnitsFrozen.selector, _id, ALICE, 500));
        vm.prank(AGENCY);
        assets.retire(_id, ALICE, 501);
        _refuses(IAssetRegistry.ZeroAmount.selector);
        vm.prank(AGENCY);
        assets.retire(_id, ALICE, 0);
    }

    // ---- the registrar ----------------------------------------------------------------------------------------------

    function testStrangersDoNothing() public {
        _refuses(abi.encodeWithSelector(IRegistered.NotRegistrar.selector, keyOf(AGENCY, OTHER), STRANGER));
        vm.prank(STRANGER);
        assets.openRegister(AGENCY, OTHER, LICENCE, BASE);
        bytes memory refusal = abi.encodeWithSelector(IRegistered.NotRegistrar.selector, _key, STRANGER);
        _refuses(refusal);
        vm.prank(STRANGER);
        assets.openClass(_key, class(3, 1, false));
        _refuses(refusal);
        vm.prank(STRANGER);
        assets.amend(_id, 1000, OTHER);
        _refuses(refusal);
        vm.prank(STRANGER);
        assets.issueMany(_id, oneAddress(STRANGER), one128(1));
        _refuses(refusal);
        vm.prank(STRANGER);
        assets.retire(_id, ALICE, 1);
        _refuses(refusal);
        vm.prank(STRANGER);
        assets.transferByRegister(_id, ALICE, STRANGER, 1);
        _refuses(refusal);
        vm.prank(STRANGER);
        assets.freeze(_id, ALICE, 1, CAVEAT);
        _refuses(refusal);
        vm.prank(STRANGER);
        assets.unfreeze(_id, ALICE, CAVEAT);
        _refuses(refusal);
        vm.prank(STRANGER);
        assets.forcedTransfer(_id, ALICE, STRANGER, 1, ORDER, 0);
    }

    function testWithTheAccreditationTheRegistrarsPowerEnds() public {
        _endAccreditation();
        _refuses(abi.encodeWithSelector(IRegistered.RegistrarNotAccredited.selector, AGENCY, LICENCE));
        vm.prank(AGENCY);
        assets.issueMany(_id, oneAddress(BOB), one128(1));
    }

    function testTheRegisterTransfersToAnyHolder() public {
        vm.expectEmit(address(assets));
        emit IERC1155.TransferSingle(AGENCY, ALICE, CAROL, _quota, 40);
        vm.prank(AGENCY);
        assets.transferByRegister(_quota, ALICE, CAROL, 40);
        equal(assets.balanceOf(CAROL, _quota), 40);
        _refuses(abi.encodeWithSelector(IAssetRegistry.UnitsFrozen.selector, _quota, ALICE, 60));
        vm.prank(AGENCY);
        assets.transferByRegister(_quota, ALICE, CAROL, 61);
        _refuses(IAssetRegistry.ZeroAmount.selector);
        vm.prank(AGENCY);
        assets.transferByRegister(_quota, ALICE, CAROL, 0);
        _refuses(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(0)));
        vm.prank(AGENCY);
        assets.transferByRegister(_quota, ALICE, address(0), 1);
    }

    // ---- wallet to wallet -------------------------------------------------------------------------------------------

    function testAWalletTransfersToABoundWallet() public {
        isTrue(assets.canTransfer(ALICE, BOB, _id, 600));
        isFalse(assets.canTransfer(ALICE, BOB, _id, 601));
        vm.prank(ALICE);
        assets.safeTransferFrom(ALICE, BOB, _id, 600, "");
        equal(assets.balanceOf(BOB, _id), 600);
    }

    function testAWalletThatNobodyStandsBehindReceivesNothing() public {
        isFalse(assets.canTransfer(ALICE, CAROL, _id, 1));
        _refuses(abi.encodeWithSelector(IAssetRegistry.WalletNotBound.selector, CAROL));
        vm.prank(ALICE);
        assets.safeTransferFrom(ALICE, CAROL, _id, 1, "");
        wallets.know(REALM, CAROL, 1);
        _refuses(abi.encodeWithSelector(IAssetRegistry.WalletNotBound.selector, CAROL));
        vm.prank(ALICE);
        assets.safeTransferFrom(ALICE, CAROL, _id, 1, "");
    }

    function testAnOperatorIsHeldToTheSameRules() public {
        _refuses(abi.encodeWithSelector(IERC1155Errors.ERC1155MissingApprovalForAll.selector, STRANGER, ALICE));
        vm.prank(STRANGER);
        assets.safeTransferFrom(ALICE, BOB, _id, 1, "");
        vm.prank(ALICE);
        assets.setApprovalForAll(STRANGER, true);
        _refuses(abi.encodeWithSelector(IAssetRegistry.WalletNotBound.selector, CAROL));
        vm.prank(STRANGER);
        assets.safeTransferFrom(ALICE, CAROL, _id, 1, "");
        vm.prank(STRANGER);
        assets.safeTransferFrom(ALICE, BOB, _id, 1, "");
        equal(assets.balanceOf(BOB, _id), 1);
    }

    function testAClassWithoutWalletTransfersHasNone() public {
        isFalse(assets.canTransfer(ALICE, BOB, _quota, 1));
        _refuses(abi.encodeWithSelector(IAssetRegistry.ByRegisterOnly.selector, _quota));
        vm.prank(ALICE);
        assets.safeTransferFrom(ALICE, BOB, _quota, 1, "");
        _refuses(abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _id + 1));
        vm.prank(ALICE);
        assets.safeTransferFrom(ALICE, BOB, _id + 1, 0, "");
        isFalse(assets.canTransfer(ALICE, BOB, _id + 1, 0));
    }

    function testUnitsInCustodyMoveByTheRegisterAlone() public {
        _issue(_id, AGENCY, 10);
        isFalse(assets.canTransfer(AGENCY, BOB, _id, 1));
        _refuses(abi.encodeWithSelector(IAssetRegistry.ByRegisterOnly.selector, _id));
        vm.prank(AGENCY);
        assets.safeTransferFrom(AGENCY, BOB, _id, 1, "");
        vm.prank(AGENCY);
        assets.transferByRegister(_id, AGENCY, BOB, 10);
    }

    function testABatchThatNamesAClassTwiceTakesNothingFrozen() public {
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 400, CAVEAT);
        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (_id, _id);
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (200, 200);
        _refuses(abi.encodeWithSelector(IAssetRegistry.UnitsFrozen.selector, _id, ALICE, 200));
        vm.prank(ALICE);
        assets.safeBatchTransferFrom(ALICE, BOB, ids, amounts, "");
        (amounts[0], amounts[1]) = (100, 100);
        vm.prank(ALICE);
        assets.safeBatchTransferFrom(ALICE, BOB, ids, amounts, "");
        equal(assets.balanceOf(BOB, _id), 200);
        _refuses(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidArrayLength.selector, 2, 1));
        vm.prank(ALICE);
        assets.safeBatchTransferFrom(ALICE, BOB, ids, one(1), "");
    }

    function testNothingCountsNobodyAsAHolder() public {
        vm.prank(ALICE);
        assets.safeTransferFrom(ALICE, BOB, _id, 0, "");
        equal(assets.holdersOf(_id), 1);
    }

    // ---- freezes and orders -----------------------------------------------------------------------------------------

    function testFrozenUnitsStayWhereTheyAre() public {
        vm.expectEmit(address(assets));
        emit IAssetRegistry.FreezeChanged(_id, ALICE, CAVEAT, 500);
        vm.expectEmit(address(assets));
        emit IAssetRegistry.Frozen(ALICE, _id, 500);
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 500, CAVEAT);
        equal(assets.getFrozenTokens(ALICE, _id), 500);
        equal(assets.frozenUnder(_id, ALICE, CAVEAT), 500);
        isFalse(assets.canTransfer(ALICE, BOB, _id, 101));
        _refuses(abi.encodeWithSelector(IAssetRegistry.UnitsFrozen.selector, _id, ALICE, 499));
        vm.prank(ALICE);
        assets.safeTransferFrom(ALICE, BOB, _id, 101, "");
        bytes memory frozen = abi.encodeWithSelector(IAssetRegistry.UnitsFrozen.selector, _id, ALICE, 100);
        _refuses(frozen);
        vm.prank(AGENCY);
        assets.transferByRegister(_id, ALICE, BOB, 101);
        _refuses(frozen);
        vm.prank(AGENCY);
        assets.retire(_id, ALICE, 101);
        _refuses(frozen);
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 101, ORDER);
        vm.prank(ALICE);
        assets.safeTransferFrom(ALICE, BOB, _id, 100, "");
        vm.prank(AGENCY);
        assets.unfreeze(_id, ALICE, CAVEAT);
        vm.prank(ALICE);
        assets.safeTransferFrom(ALICE, BOB, _id, 500, "");
    }

    function testAFreezeStandsOrItDoesNot() public {
        _refuses(abi.encodeWithSelector(IAssetRegistry.FreezeUnchanged.selector, _id, CAVEAT));
        vm.prank(AGENCY);
        assets.unfreeze(_id, ALICE, CAVEAT);
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 1, CAVEAT);
        _refuses(abi.encodeWithSelector(IAssetRegistry.FreezeUnchanged.selector, _id, CAVEAT));
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 1, CAVEAT);
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 1, 0);
        _refuses(IAssetRegistry.ZeroAmount.selector);
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 0, ORDER);
    }

    function testAForcedTransferTakesWhatOneFreezeHolds() public {
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 300, CAVEAT);
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 200, OTHER);
        _refuses(abi.encodeWithSelector(IAssetRegistry.UnitsFrozen.selector, _id, ALICE, 100));
        vm.prank(AGENCY);
        assets.forcedTransfer(_id, ALICE, CAROL, 101, ORDER, 0);
        _refuses(abi.encodeWithSelector(IAssetRegistry.UnitsFrozen.selector, _id, ALICE, 400));
        vm.prank(AGENCY);
        assets.forcedTransfer(_id, ALICE, CAROL, 401, ORDER, CAVEAT);
        vm.expectEmit(address(assets));
        emit IRegistered.OrderExecuted(_key, ORDER, _id);
        vm.expectEmit(address(assets));
        emit IAssetRegistry.FreezeChanged(_id, ALICE, CAVEAT, 0);
        vm.expectEmit(address(assets));
        emit IAssetRegistry.ForcedTransfer(ALICE, CAROL, _id, 350);
        vm.prank(AGENCY);
        assets.forcedTransfer(_id, ALICE, CAROL, 350, ORDER, CAVEAT);
        equal(assets.balanceOf(ALICE, _id), 250);
        equal(assets.getFrozenTokens(ALICE, _id), 200);
        _refuses(abi.encodeWithSelector(IRegistered.OrderUsed.selector, _key, ORDER));
        vm.prank(AGENCY);
        assets.forcedTransfer(_id, ALICE, CAROL, 1, ORDER, CAVEAT);
    }

    function testAForcedTransferTakesFrozenUnitsFirst() public {
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 300, CAVEAT);
        vm.prank(AGENCY);
        assets.forcedTransfer(_id, ALICE, CAROL, 100, ORDER, CAVEAT);
        equal(assets.frozenUnder(_id, ALICE, CAVEAT), 200);
        equal(assets.getFrozenTokens(ALICE, _id), 200);
        isTrue(assets.canTransfer(ALICE, BOB, _id, 300));
    }

    function testAForcedTransferWithoutAFreezeTakesWhatIsFree() public {
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 300, CAVEAT);
        vm.prank(AGENCY);
        assets.forcedTransfer(_id, ALICE, CAROL, 300, ORDER, 0);
        equal(assets.getFrozenTokens(ALICE, _id), 300);
    }

    function testAForcedTransferRefusesWhatDoesNotFit() public {
        _refuses(IAssetRegistry.ZeroAmount.selector);
        vm.prank(AGENCY);
        assets.forcedTransfer(_id, ALICE, CAROL, 0, ORDER, 0);
        _refuses(IRegistered.ZeroIdentifier.selector);
        vm.prank(AGENCY);
        assets.forcedTransfer(_id, ALICE, CAROL, 1, 0, 0);
        _refuses(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(0)));
        vm.prank(AGENCY);
        assets.forcedTransfer(_id, ALICE, address(0), 1, ORDER, 0);
    }

    function testAPauseStopsWhatMovesAndNeverAFreeze() public {
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 100, CAVEAT);
        _pause(address(assets), 1 days);
        bytes memory paused = abi.encodeWithSelector(Governed.Paused.selector);
        isFalse(assets.canTransfer(ALICE, BOB, _id, 1));
        _refuses(paused);
        vm.prank(ALICE);
        assets.safeTransferFrom(ALICE, BOB, _id, 1, "");
        _refuses(paused);
        vm.prank(AGENCY);
        assets.transferByRegister(_id, ALICE, BOB, 1);
        _refuses(paused);
        vm.prank(AGENCY);
        assets.forcedTransfer(_id, ALICE, BOB, 1, ORDER, 0);
        _refuses(paused);
        vm.prank(AGENCY);
        assets.issueMany(_id, oneAddress(BOB), one128(1));
        _refuses(paused);
        vm.prank(AGENCY);
        assets.retire(_id, ALICE, 1);
        _refuses(paused);
        vm.prank(AGENCY);
        assets.unfreeze(_id, ALICE, CAVEAT);
        _refuses(paused);
        vm.prank(AGENCY);
        assets.openClass(_key, class(3, 1, false));
        _refuses(paused);
        vm.prank(AGENCY);
        assets.amend(_id, 1001, OTHER);
        vm.prank(AGENCY);
        assets.amend(_id, 999, OTHER);
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 100, ORDER);
        equal(assets.getFrozenTokens(ALICE, _id), 200);
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    function testClassesAndHoldingsAreReadInPages() public {
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, 100, CAVEAT);
        vm.prank(AGENCY);
        assets.transferByRegister(_id, ALICE, BOB, 1);
        IAssetRegistry.Standing[] memory page = assets.standingsIn(_key, 1, 10);
        equal(page.length, 1);
        equal(page[0].cap, 500);
        IAssetRegistry.Holding[] memory held = assets.holdingsIn(_id, 0, 1);
        equal(held.length, 1);
        equal(held[0].holder, ALICE);
        equal(held[0].amount, 599);
        equal(held[0].frozen, 100);
        held = assets.holdingsIn(_id, 1, type(uint256).max);
        equal(held.length, 1);
        equal(held[0].holder, BOB);
        equal(assets.holdingsIn(_id, type(uint256).max, 1).length, 0);
        _refuses(abi.encodeWithSelector(IRegistered.UnknownEntry.selector, _id + 1));
        assets.standingOf(_id + 1);
    }

    function testTheViewsOfErc7943SayWhatCouldBe() public view {
        isTrue(assets.canSend(ALICE) && assets.canReceive(BOB));
        isFalse(assets.canSend(address(0)) || assets.canReceive(address(0)));
        isFalse(assets.canTransfer(address(0), BOB, _id, 0) || assets.canTransfer(ALICE, address(0), _id, 0));
        isTrue(assets.supportsInterface(0xd9b67a26));
        isFalse(assets.supportsInterface(0x41c4fbad));
    }

    function testFuzzFreezesAreCountedTogether(uint16 first, uint16 second) public {
        (uint128 a, uint128 b) = (uint128(within(first, 1, 300)), uint128(within(second, 1, 300)));
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, a, CAVEAT);
        vm.prank(AGENCY);
        assets.freeze(_id, ALICE, b, ORDER);
        equal(assets.getFrozenTokens(ALICE, _id), a + b);
        isTrue(assets.canTransfer(ALICE, BOB, _id, 600 - a - b));
        isFalse(assets.canTransfer(ALICE, BOB, _id, 601 - a - b));
        vm.prank(AGENCY);
        assets.unfreeze(_id, ALICE, CAVEAT);
        equal(assets.getFrozenTokens(ALICE, _id), b);
    }

    function _issue(uint256 tokenId, address holder, uint128 amount) private {
        vm.prank(AGENCY);
        assets.issueMany(tokenId, oneAddress(holder), one128(amount));
    }
}
