// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governance} from "../src/Governance.sol";
import {ITitleRegistry} from "../src/ITitleRegistry.sol";
import {TitleRegistry} from "../src/TitleRegistry.sol";
import {RegisterPeople, Registers} from "./Registers.sol";

/// @notice Acts on titles as the registrar, as wallets and as a stranger in any order, and remembers what must stay true.
contract TitleActor is RegisterPeople {
    uint256 internal constant ENTRIES = 6;

    mapping(uint256 tokenId => bool) public entered;
    mapping(uint256 tokenId => uint256) public freezes;
    mapping(bytes32 orderId => uint256) public executed;
    uint256 public movedPastFreeze;
    uint256 public movedEncumbered;
    uint256 public movedToUnbound;
    uint256 public movedByRegisterOnly;
    uint256 public strangersAccepted;
    uint256 public acts;

    address[4] private _holders = [ALICE, BOB, CAROL, AGENCY];
    bytes32[3] private _orders = [ORDER, CAVEAT, OTHER];

    constructor(Governance governance_, TitleRegistry titles_) {
        (governance, titles) = (governance_, titles_);
    }

    function mint(uint256 where, uint128 entry, uint256 who, uint32 encumbrances) external {
        (bytes32 register, uint256 tokenId) = _place(where, entry);
        ITitleRegistry.NewTitle[] memory made = title(uint128(tokenId), _holders[who % 4]);
        made[0].encumbrances = encumbrances % 2;
        vm.prank(AGENCY);
        try titles.mintMany(keyOf(AGENCY, register), made) {
            ++acts;
            isFalse(entered[tokenId]);
            entered[tokenId] = true;
        } catch {}
    }

    function transfer(uint256 where, uint128 entry, uint256 who) external {
        (, uint256 tokenId) = _place(where, entry);
        address from = _holderOf(tokenId);
        vm.prank(AGENCY);
        try titles.transferByRegister(tokenId, from, _holders[who % 4], DIGEST) {
            _moved(tokenId);
        } catch {}
    }

    function force(uint256 where, uint128 entry, uint256 who, uint256 order) external {
        (bytes32 register, uint256 tokenId) = _place(where, entry);
        address from = _holderOf(tokenId);
        bytes32 orderId = keccak256(abi.encode(order % 20));
        vm.prank(AGENCY);
        try titles.forcedTransfer(tokenId, from, _holders[who % 4], orderId, DIGEST) {
            ++acts;
            ++executed[keccak256(abi.encode(register, orderId))];
            equal(executed[keccak256(abi.encode(register, orderId))], 1);
        } catch {}
    }

    function walletTransfer(uint256 where, uint128 entry, uint256 who) external {
        (bytes32 register, uint256 tokenId) = _place(where, entry);
        address from = _holderOf(tokenId);
        address to = _holders[who % 4];
        uint256 encumbrances = entered[tokenId] ? titles.standingOf(tokenId).encumbrances : 0;
        bool possible = titles.canTransfer(from, to, tokenId);
        vm.prank(from);
        try titles.transferFrom(from, to, tokenId) {
            isTrue(possible);
            _moved(tokenId);
            if (encumbrances > 0) ++movedEncumbered;
            if (to != ALICE && to != BOB) ++movedToUnbound;
            if (register == LAND || from == AGENCY) ++movedByRegisterOnly;
        } catch {
            isFalse(possible);
        }
    }

    function freeze(uint256 where, uint128 entry, uint256 order) external {
        (, uint256 tokenId) = _place(where, entry);
        vm.prank(AGENCY);
        try titles.freeze(tokenId, _orders[order % 3]) {
            ++acts;
            ++freezes[tokenId];
        } catch {}
    }

    function unfreeze(uint256 where, uint128 entry, uint256 order) external {
        (, uint256 tokenId) = _place(where, entry);
        vm.prank(AGENCY);
        try titles.unfreeze(tokenId, _orders[order % 3]) {
            ++acts;
            --freezes[tokenId];
        } catch {}
    }

    function encumber(uint256 where, uint128 entry, uint32 encumbrances) external {
        (, uint256 tokenId) = _place(where, entry);
        vm.prank(AGENCY);
        try titles.encumber(tokenId, encumbrances % 2, DIGEST) {
            ++acts;
        } catch {}
    }

    function close(uint256 where, uint128 entry) external {
        (, uint256 tokenId) = _place(where, entry);
        address from = _holderOf(tokenId);
        vm.prank(AGENCY);
        try titles.close(tokenId, from) {
            _moved(tokenId);
        } catch {}
    }

    function replace(uint256 where, uint128 entry, uint128 successor, uint256 who) external {
        (bytes32 register, uint256 tokenId) = _place(where, entry);
        uint256 made = idOf(register, uint128(within(successor, 1, ENTRIES)));
        address from = _holderOf(tokenId);
        ITitleRegistry.NewTitle[] memory next = title(uint128(made), _holders[who % 4]);
        vm.prank(AGENCY);
        try titles.replace(keyOf(AGENCY, register), one(tokenId), oneAddress(from), next) {
            _moved(tokenId);
            isFalse(entered[made]);
            entered[made] = true;
        } catch {}
    }

    function actAsStranger(uint256 where, uint128 entry, uint256 what) external {
        (bytes32 register, uint256 tokenId) = _place(where, entry);
        address from = _holderOf(tokenId);
        bytes[4] memory calls = [
            abi.encodeCall(titles.mintMany, (keyOf(AGENCY, register), title(uint128(tokenId), STRANGER))),
            abi.encodeCall(titles.transferByRegister, (tokenId, from, STRANGER, DIGEST)),
            abi.encodeCall(titles.forcedTransfer, (tokenId, from, STRANGER, ORDER, DIGEST)),
            abi.encodeCall(titles.unfreeze, (tokenId, ORDER))
        ];
        vm.prank(STRANGER);
        (bool accepted,) = address(titles).call(calls[what % 4]);
        if (accepted) ++strangersAccepted;
    }

    function pause(uint32 duration) external {
        vm.prank(GUARD);
        try governance.pause(address(titles), uint32(within(duration, 1, 1 days))) {} catch {}
    }

    function wait(uint32 duration) external {
        vm.warp(block.timestamp + within(duration, 1, 3 days));
    }

    function _moved(uint256 tokenId) private {
        ++acts;
        if (freezes[tokenId] > 0) ++movedPastFreeze;
    }

    function _holderOf(uint256 tokenId) private view returns (address holder) {
        holder = entered[tokenId] ? titles.standingOf(tokenId).holder : ALICE;
        if (holder == address(0)) holder = BOB;
    }

    function _place(uint256 where, uint128 entry) private pure returns (bytes32 register, uint256 tokenId) {
        register = where % 2 == 0 ? LAND : FLATS;
        return (register, idOf(register, uint128(within(entry, 1, ENTRIES))));
    }
}

contract TitleInvariants is Registers {
    TitleActor private _actor;
    address[] private _targets;
    address[5] private _accounts = [ALICE, BOB, CAROL, AGENCY, STRANGER];

    function setUp() public override {
        super.setUp();
        // Longer than any of the runs lasts.
        vm.prank(ROOT_HOLDER);
        trust.accredit(AGENCY, PERMIT, START, START + 100 * YEAR, 0);
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, LAND, PERMIT, BASE, false, 0, 0);
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, FLATS, PERMIT, BASE, true, REALM, 2);
        _actor = new TitleActor(governance, titles);
        _targets.push(address(_actor));
    }

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function invariantNoTokenIsWithoutAnEntry() public view {
        uint256 held;
        for (uint256 i = 0; i < 5; ++i) {
            held += titles.balanceOf(_accounts[i]);
        }
        equal(held, _liveIn(LAND) + _liveIn(FLATS));
    }

    function invariantNoEntryIsTransferredPastAFreeze() public view {
        equal(_actor.movedPastFreeze(), 0);
    }

    function invariantAFreezeStandsUntilItIsLifted() public view {
        _freezesAreThoseOf(LAND);
        _freezesAreThoseOf(FLATS);
    }

    function invariantWalletsKeepTheRules() public view {
        equal(_actor.movedEncumbered(), 0);
        equal(_actor.movedToUnbound(), 0);
        equal(_actor.movedByRegisterOnly(), 0);
    }

    function invariantStrangersChangeNothing() public view {
        equal(_actor.strangersAccepted(), 0);
        equal(titles.balanceOf(STRANGER), 0);
    }

    /// @dev Without this the invariants could hold because every call was refused.
    function testTheActorActsInEveryWay() public {
        _actor.mint(1, 0, 0, 0);
        _actor.walletTransfer(1, 0, 1);
        _actor.transfer(1, 0, 0);
        _actor.encumber(1, 0, 1);
        _actor.freeze(1, 0, 1);
        equal(_actor.acts(), 5);
        _actor.walletTransfer(1, 0, 1);
        _actor.transfer(1, 0, 1);
        _actor.close(1, 0);
        equal(_actor.acts(), 5);
        _actor.force(1, 0, 2, 1);
        _actor.unfreeze(1, 0, 1);
        _actor.replace(1, 0, 1, 3);
        _actor.close(1, 1);
        equal(_actor.acts(), 9);
        equal(titles.entriesOf(keyOf(AGENCY, FLATS)), 2);
    }

    function _liveIn(bytes32 register) private view returns (uint256 live) {
        ITitleRegistry.Standing[] memory all = titles.standingsIn(keyOf(AGENCY, register), 0, 100);
        for (uint256 i = 0; i < all.length; ++i) {
            isTrue(_actor.entered(idOf(register, all[i].entryId)) && all[i].commitment != 0);
            if (all[i].holder != address(0)) ++live;
        }
    }

    function _freezesAreThoseOf(bytes32 register) private view {
        ITitleRegistry.Standing[] memory all = titles.standingsIn(keyOf(AGENCY, register), 0, 100);
        for (uint256 i = 0; i < all.length; ++i) {
            equal(all[i].freezes, _actor.freezes(idOf(register, all[i].entryId)));
        }
    }
}
