// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AssetRegistry} from "../src/AssetRegistry.sol";
import {Governance} from "../src/Governance.sol";
import {IAssetRegistry} from "../src/IAssetRegistry.sol";
import {RegisterPeople, Registers} from "./Registers.sol";

/// @notice Acts on classes of units as the registrar, as wallets and as a stranger in any order, and remembers what must
///         stay true.
contract AssetActor is RegisterPeople {
    mapping(uint256 tokenId => mapping(address holder => uint256)) public frozen;
    uint256 public movedByRegisterOnly;
    uint256 public movedToUnbound;
    uint256 public strangersAccepted;
    uint256 public acts;

    address[4] private _holders = [ALICE, BOB, CAROL, AGENCY];
    bytes32[3] private _orders = [ORDER, CAVEAT, OTHER];

    constructor(Governance governance_, AssetRegistry assets_) {
        (governance, assets) = (governance_, assets_);
    }

    function issue(uint256 which, uint256 who, uint16 amount) external {
        vm.prank(AGENCY);
        try assets.issueMany(_idOf(which), oneAddress(_holders[who % 4]), one128(amount)) {
            ++acts;
        } catch {}
    }

    function retire(uint256 which, uint256 who, uint16 amount) external {
        vm.prank(AGENCY);
        try assets.retire(_idOf(which), _holders[who % 4], amount) {
            ++acts;
        } catch {}
    }

    function setCap(uint256 which, uint16 cap) external {
        vm.prank(AGENCY);
        try assets.amend(_idOf(which), cap, DIGEST) {
            ++acts;
        } catch {}
    }

    function transfer(uint256 which, uint256 who, uint256 to, uint16 amount) external {
        vm.prank(AGENCY);
        try assets.transferByRegister(_idOf(which), _holders[who % 4], _holders[to % 4], amount) {
            ++acts;
        } catch {}
    }

    function walletTransfer(uint256 which, uint256 who, uint256 to, uint16 first, uint16 second) external {
        (address from, address receiver) = (_holders[who % 4], _holders[to % 4]);
        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (_idOf(which), _idOf(which));
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (first % 500, second % 500);
        bool possible = assets.canTransfer(from, receiver, ids[0], amounts[0] + amounts[1]);
        vm.prank(from);
        try assets.safeBatchTransferFrom(from, receiver, ids, amounts, "") {
            ++acts;
            // What one sends to oneself need not all be there at once.
            isTrue(possible || from == receiver);
            if (which % 2 == 1 || from == AGENCY) ++movedByRegisterOnly;
            if (receiver != ALICE && receiver != BOB) ++movedToUnbound;
        } catch {}
    }

    function freeze(uint256 which, uint256 who, uint16 amount, uint256 order) external {
        (uint256 tokenId, address holder) = (_idOf(which), _holders[who % 4]);
        vm.prank(AGENCY);
        try assets.freeze(tokenId, holder, amount, _orders[order % 3]) {
            ++acts;
            frozen[tokenId][holder] += amount;
        } catch {}
    }

    function unfreeze(uint256 which, uint256 who, uint256 order) external {
        (uint256 tokenId, address holder) = (_idOf(which), _holders[who % 4]);
        uint256 amount = assets.frozenUnder(tokenId, holder, _orders[order % 3]);
        vm.prank(AGENCY);
        try assets.unfreeze(tokenId, holder, _orders[order % 3]) {
            ++acts;
            frozen[tokenId][holder] -= amount;
        } catch {}
    }

    function force(uint256 which, uint256 who, uint256 to, uint16 amount, uint256 order, uint256 past) external {
        (uint256 tokenId, address from) = (_idOf(which), _holders[who % 4]);
        uint256 held = assets.frozenUnder(tokenId, from, _orders[past % 3]);
        bytes32 orderId = keccak256(abi.encode(order % 40));
        vm.prank(AGENCY);
        try assets.forcedTransfer(tokenId, from, _holders[to % 4], amount, orderId, _orders[past % 3]) {
            ++acts;
            frozen[tokenId][from] -= held - assets.frozenUnder(tokenId, from, _orders[past % 3]);
        } catch {}
    }

    function actAsStranger(uint256 which, uint256 who, uint16 amount, uint256 what) external {
        (uint256 tokenId, address from) = (_idOf(which), _holders[who % 4]);
        bytes[4] memory calls = [
            abi.encodeCall(assets.issueMany, (tokenId, oneAddress(STRANGER), one128(amount))),
            abi.encodeCall(assets.transferByRegister, (tokenId, from, STRANGER, amount)),
            abi.encodeCall(assets.unfreeze, (tokenId, from, ORDER)),
            abi.encodeCall(assets.safeTransferFrom, (from, STRANGER, tokenId, amount, ""))
        ];
        vm.prank(STRANGER);
        (bool accepted,) = address(assets).call(calls[what % 4]);
        if (accepted) ++strangersAccepted;
    }

    function pause(uint32 duration) external {
        vm.prank(GUARD);
        try governance.pause(address(assets), uint32(within(duration, 1, 1 days))) {} catch {}
    }

    function wait(uint32 duration) external {
        vm.warp(block.timestamp + within(duration, 1, 3 days));
    }

    function _idOf(uint256 which) private pure returns (uint256 tokenId) {
        return idOf(LAND, which % 2 == 0 ? 1 : 2);
    }
}

contract AssetInvariants is Registers {
    AssetActor private _actor;
    address[] private _targets;
    address[5] private _accounts = [ALICE, BOB, CAROL, AGENCY, STRANGER];

    function setUp() public override {
        super.setUp();
        // Longer than any of the runs lasts.
        vm.prank(ROOT_HOLDER);
        trust.accredit(AGENCY, PERMIT, START, START + 100 * YEAR, 0);
        vm.prank(AGENCY);
        assets.openRegister(AGENCY, LAND, PERMIT, BASE);
        vm.prank(AGENCY);
        assets.openClass(keyOf(AGENCY, LAND), class(1, 40_000, true));
        vm.prank(AGENCY);
        assets.openClass(keyOf(AGENCY, LAND), class(2, 40_000, false));
        _actor = new AssetActor(governance, assets);
        _targets.push(address(_actor));
    }

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function invariantHoldingsSumToTheSupplyWithinTheCap() public view {
        for (uint128 entry = 1; entry <= 2; ++entry) {
            uint256 tokenId = idOf(LAND, entry);
            IAssetRegistry.Standing memory standing = assets.standingOf(tokenId);
            uint256 held;
            for (uint256 i = 0; i < 5; ++i) {
                held += assets.balanceOf(_accounts[i], tokenId);
            }
            equal(held, standing.supply);
            isTrue(standing.supply <= standing.cap);
        }
    }

    function invariantHoldersAreAllListedOnce() public view {
        for (uint128 entry = 1; entry <= 2; ++entry) {
            uint256 tokenId = idOf(LAND, entry);
            IAssetRegistry.Holding[] memory all = assets.holdingsIn(tokenId, 0, 100);
            uint256 held;
            for (uint256 i = 0; i < all.length; ++i) {
                held += all[i].amount;
                for (uint256 j = 0; j < i; ++j) {
                    isTrue(all[i].holder != all[j].holder);
                }
            }
            equal(held, assets.standingOf(tokenId).supply);
        }
    }

    function invariantFrozenUnitsAreThere() public view {
        for (uint128 entry = 1; entry <= 2; ++entry) {
            uint256 tokenId = idOf(LAND, entry);
            for (uint256 i = 0; i < 5; ++i) {
                uint256 frozen = assets.getFrozenTokens(_accounts[i], tokenId);
                equal(frozen, _actor.frozen(tokenId, _accounts[i]));
                isTrue(frozen <= assets.balanceOf(_accounts[i], tokenId));
            }
        }
    }

    function invariantWalletsKeepTheRules() public view {
        equal(_actor.movedByRegisterOnly(), 0);
        equal(_actor.movedToUnbound(), 0);
    }

    function invariantStrangersChangeNothing() public view {
        equal(_actor.strangersAccepted(), 0);
    }

    /// @dev Without this the invariants could hold because every call was refused.
    function testTheActorActsInEveryWay() public {
        _actor.issue(0, 0, 1000);
        _actor.walletTransfer(0, 0, 1, 100, 100);
        _actor.transfer(0, 0, 2, 100);
        _actor.freeze(0, 0, 600, 1);
        equal(_actor.acts(), 4);
        _actor.walletTransfer(0, 0, 1, 100, 100);
        _actor.retire(0, 0, 101);
        equal(_actor.acts(), 4);
        _actor.force(0, 0, 2, 300, 1, 1);
        equal(_actor.frozen(idOf(LAND, 1), ALICE), 300);
        _actor.unfreeze(0, 0, 1);
        _actor.retire(0, 0, 400);
        _actor.setCap(0, 600);
        equal(_actor.acts(), 8);
    }
}
