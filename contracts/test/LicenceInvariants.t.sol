// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governance} from "../src/Governance.sol";
import {ILicenceRegistry} from "../src/ILicenceRegistry.sol";
import {LicenceRegistry} from "../src/LicenceRegistry.sol";
import {RegisterPeople, Registers} from "./Registers.sol";

/// @notice Acts on licences as the registrar and as holders in any order, and remembers what must stay true.
contract LicenceActor is RegisterPeople {
    uint256 internal constant ENTRIES = 6;

    mapping(uint256 tokenId => address) public holder;
    mapping(uint256 tokenId => bool) public revoked;
    uint256 public soldOrGiven;
    uint256 public acts;

    address[4] private _holders = [ALICE, BOB, CAROL, AGENCY];

    constructor(Governance governance_, LicenceRegistry licences_) {
        (governance, licences) = (governance_, licences_);
    }

    function mint(uint128 entry, uint256 who, uint32 length) external {
        entry = uint128(within(entry, 1, ENTRIES));
        uint64 expiry = length % 3 == 0 ? 0 : _now() + 1 + length;
        vm.prank(AGENCY);
        try licences.mintMany(keyOf(AGENCY, LAND), licence(entry, _holders[who % 4], expiry)) {
            ++acts;
            equal(holder[idOf(LAND, entry)], address(0));
            holder[idOf(LAND, entry)] = _holders[who % 4];
        } catch {}
    }

    function replaceWallet(uint128 entry, uint256 who, uint256 reason) external {
        uint256 tokenId = _idOf(entry);
        vm.prank(AGENCY);
        try licences.replaceWallet(tokenId, holder[tokenId], _holders[who % 4], keccak256(abi.encode(reason % 30))) {
            ++acts;
            isFalse(revoked[tokenId]);
            holder[tokenId] = _holders[who % 4];
        } catch {}
    }

    function sell(uint128 entry, uint256 who, uint256 how) external {
        uint256 tokenId = _idOf(entry);
        address from = holder[tokenId] == address(0) ? ALICE : holder[tokenId];
        address to = _holders[who % 4];
        bytes[4] memory calls = [
            abi.encodeWithSignature("transferFrom(address,address,uint256)", from, to, tokenId),
            abi.encodeWithSignature("safeTransferFrom(address,address,uint256)", from, to, tokenId),
            abi.encodeWithSignature("approve(address,uint256)", to, tokenId),
            abi.encodeWithSignature("setApprovalForAll(address,bool)", to, true)
        ];
        vm.prank(from);
        (bool accepted,) = address(licences).call(calls[how % 4]);
        if (accepted) ++soldOrGiven;
    }

    function suspend(uint128 entry) external {
        vm.prank(AGENCY);
        try licences.suspend(one(_idOf(entry))) {
            ++acts;
        } catch {}
    }

    function reinstate(uint128 entry) external {
        uint256 tokenId = _idOf(entry);
        vm.prank(AGENCY);
        try licences.reinstate(one(tokenId)) {
            ++acts;
            isFalse(revoked[tokenId]);
        } catch {}
    }

    function revoke(uint128 entry) external {
        uint256 tokenId = _idOf(entry);
        vm.prank(AGENCY);
        try licences.revoke(one(tokenId)) {
            ++acts;
            isFalse(revoked[tokenId]);
            revoked[tokenId] = true;
        } catch {}
    }

    function renew(uint128 entry, uint32 length) external {
        uint256 tokenId = _idOf(entry);
        vm.prank(AGENCY);
        try licences.renew(one(tokenId), one64(_now() + length), oneHash(OTHER)) {
            ++acts;
            isFalse(revoked[tokenId]);
        } catch {}
    }

    function pause(uint32 duration) external {
        vm.prank(GUARD);
        try governance.pause(address(licences), uint32(within(duration, 1, 1 days))) {} catch {}
    }

    function wait(uint32 duration) external {
        vm.warp(block.timestamp + within(duration, 1, 3 days));
    }

    function _idOf(uint128 entry) private pure returns (uint256 tokenId) {
        return idOf(LAND, uint128(within(entry, 1, ENTRIES)));
    }
}

contract LicenceInvariants is Registers {
    LicenceActor private _actor;
    address[] private _targets;

    function setUp() public override {
        super.setUp();
        // Longer than any of the runs lasts.
        vm.prank(ROOT_HOLDER);
        trust.accredit(AGENCY, PERMIT, START, START + 100 * YEAR, 0);
        vm.prank(AGENCY);
        licences.openRegister(AGENCY, LAND, PERMIT, BASE);
        _actor = new LicenceActor(governance, licences);
        _targets.push(address(_actor));
    }

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function invariantALicenceMovesOnlyByReplacingItsWallet() public view {
        equal(_actor.soldOrGiven(), 0);
        ILicenceRegistry.Standing[] memory all = licences.standingsIn(keyOf(AGENCY, LAND), 0, 100);
        for (uint256 i = 0; i < all.length; ++i) {
            equal(all[i].holder, _actor.holder(idOf(LAND, all[i].entryId)));
        }
    }

    function invariantNoTokenIsWithoutAnEntry() public view {
        uint256 held = licences.balanceOf(ALICE) + licences.balanceOf(BOB) + licences.balanceOf(CAROL)
            + licences.balanceOf(AGENCY) + licences.balanceOf(STRANGER);
        equal(held, licences.entriesOf(keyOf(AGENCY, LAND)));
    }

    function invariantWhatIsRevokedStaysRevokedAndNothingElseIsInForceBeyondItsExpiry() public view {
        ILicenceRegistry.Standing[] memory all = licences.standingsIn(keyOf(AGENCY, LAND), 0, 100);
        for (uint256 i = 0; i < all.length; ++i) {
            uint256 tokenId = idOf(LAND, all[i].entryId);
            isTrue(_actor.revoked(tokenId) == (all[i].state == ILicenceRegistry.State.REVOKED));
            bool before = all[i].expiry == 0 || block.timestamp < all[i].expiry;
            isTrue(licences.isInForce(tokenId) == (before && all[i].state == ILicenceRegistry.State.ACTIVE));
        }
    }

    /// @dev Without this the invariants could hold because every call was refused.
    function testTheActorActsInEveryWay() public {
        _actor.mint(0, 0, 1);
        _actor.replaceWallet(0, 1, 0);
        _actor.suspend(0);
        _actor.reinstate(0);
        _actor.renew(0, 100);
        _actor.sell(0, 2, 0);
        equal(_actor.acts(), 5);
        _actor.revoke(0);
        _actor.reinstate(0);
        equal(_actor.acts(), 6);
        equal(licences.ownerOf(idOf(LAND, 1)), BOB);
    }
}
