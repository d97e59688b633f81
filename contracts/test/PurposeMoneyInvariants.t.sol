// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governance} from "../src/Governance.sol";
import {IPurposeMoney} from "../src/IPurposeMoney.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {PurposeMoney} from "../src/PurposeMoney.sol";
import {Currencies} from "./Currencies.sol";
import {RegisterPeople} from "./Registers.sol";
import {Purposes} from "./Purposes.sol";

/// @notice A ministry opens purposes and wraps, holders pay and pass on, in any order and at any time.
contract Spenders is Currencies, RegisterPeople {
    PurposeMoney public purposes;
    uint256 public wrapped;
    uint256 public paid;
    uint256 public returned;
    uint256 public beyondPayees;
    uint256 public afterExpiry;
    mapping(uint256 kind => uint256) public acts;

    uint256[] private _tokenIds;
    address[4] private _people;

    constructor(
        Governance governance_,
        PurposeMoney purposes_,
        ISovereignMoney coin_,
        uint256 first,
        address[4] memory people
    ) {
        (governance, purposes, coin, _people) = (governance_, purposes_, coin_, people);
        _tokenIds.push(first);
    }

    function open(bool passable, uint32 time) external {
        if (_tokenIds.length == 6) return;
        IPurposeMoney.Terms memory terms = purposes.purposeOf(_tokenIds[0]).terms;
        (terms.passable, terms.expiry) = (passable, _now() + uint64(within(time, 1, 5 days)));
        vm.prank(MINISTRY);
        try purposes.openPurpose(bytes32(_tokenIds.length), terms) returns (uint256 tokenId) {
            _tokenIds.push(tokenId);
            ++acts[0];
        } catch {}
    }

    function wrap(uint256 which, uint256 who, uint256 amount) external {
        amount = within(amount, 1, 5000);
        vm.prank(MINISTRY);
        try purposes.wrapMany(_pick(which), oneAddress(_people[who % 4]), one(amount)) {
            wrapped += amount;
            ++acts[1];
        } catch {}
    }

    function pay(uint256 which, uint256 who, uint256 whom, uint256 amount) external {
        (uint256 tokenId, address from, address to) = (_pick(which), _people[who % 4], _people[whom % 4]);
        amount = within(amount, 1, 3000);
        bool isPayee = purposes.isPayee(tokenId, to);
        vm.prank(from);
        try purposes.unwrap(from, to, tokenId, amount) {
            paid += amount;
            if (!isPayee) ++beyondPayees;
            if (block.timestamp >= purposes.purposeOf(tokenId).terms.expiry) ++afterExpiry;
            ++acts[2];
        } catch {}
    }

    function hand(uint256 which, uint256 who, uint256 whom, uint256 amount) external {
        (uint256 tokenId, address from, address to) = (_pick(which), _people[who % 4], _people[whom % 4]);
        amount = within(amount, 1, 3000);
        (bool isPayee, bool passable) = (purposes.isPayee(tokenId, to), purposes.purposeOf(tokenId).terms.passable);
        vm.prank(from);
        try purposes.safeTransferFrom(from, to, tokenId, amount, "") {
            if (isPayee) paid += amount;
            else if (!passable) ++beyondPayees;
            if (block.timestamp >= purposes.purposeOf(tokenId).terms.expiry) ++afterExpiry;
            ++acts[3];
        } catch {}
    }

    function admit(uint256 who, bool admitted) external {
        vm.prank(MINISTRY);
        try purposes.setPayees(keccak256("books"), oneAddress(_people[who % 4]), admitted) {} catch {}
    }

    function giveBack(uint256 which) external {
        uint256 tokenId = _pick(which);
        uint256 rest = purposes.purposeOf(tokenId).supply;
        try purposes.returnExpired(tokenId) {
            returned += rest;
            ++acts[4];
        } catch {}
    }

    function pause(uint32 duration) external {
        vm.prank(GUARD);
        try governance.pause(address(purposes), uint32(within(duration, 1, 1 hours))) {} catch {}
    }

    function wait(uint32 duration) external {
        vm.warp(block.timestamp + within(duration, 1, 12 hours));
    }

    function supplies() external view returns (uint256 amount) {
        for (uint256 i = 0; i < _tokenIds.length; ++i) {
            amount += purposes.purposeOf(_tokenIds[i]).supply;
        }
    }

    function holdings() external view returns (uint256 amount) {
        for (uint256 i = 0; i < _tokenIds.length; ++i) {
            for (uint256 j = 0; j < 4; ++j) {
                amount += purposes.balanceOf(_people[j], _tokenIds[i]);
            }
        }
    }

    function _pick(uint256 which) private view returns (uint256 tokenId) {
        return _tokenIds[which % _tokenIds.length];
    }
}

contract PurposeMoneyInvariants is Purposes {
    Spenders private _spenders;
    address[] private _targets;

    function setUp() public override {
        super.setUp();
        address[4] memory people = [ALICE, BOB, CAROL, SHOP];
        _spenders = new Spenders(governance, purposes, coin, school, people);
        _targets.push(address(_spenders));
    }

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function invariantEveryUnitIsBackedAndHeld() public view {
        equal(coin.balanceOf(address(purposes)), _spenders.supplies());
        equal(_spenders.holdings(), _spenders.supplies());
    }

    function invariantWhatWasWrappedIsHeldPaidOrReturned() public view {
        equal(_spenders.wrapped(), _spenders.supplies() + _spenders.paid() + _spenders.returned());
    }

    function invariantOnlyPayeesArePaidAndOnlyInTime() public view {
        equal(_spenders.beyondPayees() + _spenders.afterExpiry(), 0);
    }

    /// @dev Without this the invariants could hold because every call was refused.
    function testTheSpendersActInEveryWay() public {
        _spenders.open(true, 1 days);
        _spenders.wrap(1, 0, 99);
        _spenders.pay(1, 0, 3, 9);
        _spenders.pay(1, 0, 1, 9);
        _spenders.hand(1, 0, 1, 9);
        _spenders.giveBack(1);
        vm.warp(block.timestamp + 2 days);
        _spenders.giveBack(1);
        _spenders.pay(1, 1, 3, 1);
        for (uint256 i = 0; i < 5; ++i) {
            equal(_spenders.acts(i), 1);
        }
        equal(_spenders.returned(), 90);
        invariantWhatWasWrappedIsHeldPaidOrReturned();
    }
}
