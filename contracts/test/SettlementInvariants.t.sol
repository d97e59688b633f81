// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governance} from "../src/Governance.sol";
import {ISettlement} from "../src/ISettlement.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {Settlement} from "../src/Settlement.sol";
import {TitleRegistry} from "../src/TitleRegistry.sol";
import {Currencies} from "./Currencies.sol";
import {RegisterPeople} from "./Registers.sol";
import {Settlements} from "./Settlements.sol";

/// @notice Two people trade flats against money, swap moneys and lock them, in any order and at any time, and remember
///         what should have moved.
contract Dealers is Currencies, RegisterPeople {
    bytes32 internal constant PREIMAGE = keccak256("preimage");

    Settlement public settlement;
    mapping(address money => uint256) public locked;
    mapping(address money => mapping(address wallet => uint256)) public expected;
    mapping(uint256 flat => address) public owner;
    mapping(uint256 kind => uint256) public acts;

    ISettlement.Lock[] private _locks;
    ISettlement.Trade[] private _trades;
    bool[] private _settled;
    address[2] private _people;
    uint256[3] private _flats;
    uint256 private _salt;

    constructor(
        Governance governance_,
        Settlement settlement_,
        TitleRegistry titles_,
        ISovereignMoney cbdc_,
        ISovereignMoney coin_,
        address[2] memory people,
        uint256[3] memory flats
    ) {
        (governance, settlement, titles, cbdc, coin) = (governance_, settlement_, titles_, cbdc_, coin_);
        (_people, _flats) = (people, flats);
        for (uint256 i = 0; i < 2; ++i) {
            expected[address(cbdc)][people[i]] = cbdc.balanceOf(people[i]);
            expected[address(coin)][people[i]] = coin.balanceOf(people[i]);
        }
        for (uint256 i = 0; i < 3; ++i) {
            owner[flats[i]] = titles.ownerOf(flats[i]);
        }
    }

    /// @dev A flat or money against money; both agree, or one does.
    function agree(uint256 what, uint256 who, uint256 price, bool both) external {
        (address giver, address payer) = (_people[who % 2], _people[1 - who % 2]);
        _trades.push();
        _settled.push(false);
        ISettlement.Trade storage trade = _trades[_trades.length - 1];
        if (what % 2 == 0) {
            uint256 flat = _flats[what % 3];
            trade.legs.push(ISettlement.Leg(ISettlement.Kind.ERC721, address(titles), giver, payer, flat, 1));
        } else {
            trade.legs.push(_money(true, giver, payer, within(what, 1, 3000)));
        }
        trade.legs.push(_money(false, payer, giver, within(price, 1, 3000)));
        (trade.validUntil, trade.salt) = (_now() + 2 days, bytes32(++_salt));
        vm.prank(giver);
        settlement.agree(trade);
        if (!both) return;
        vm.prank(payer);
        settlement.agree(trade);
    }

    function settle(uint256 which, uint256 who) external {
        if (_trades.length == 0) return;
        uint256 place = which % _trades.length;
        ISettlement.Trade memory trade = _trades[place];
        vm.prank(who % 3 == 0 ? STRANGER : _people[who % 2]);
        try settlement.settle(trade, new bytes[](2)) {
            isFalse(_settled[place]);
            _settled[place] = true;
            for (uint256 i = 0; i < 2; ++i) {
                ISettlement.Leg memory leg = trade.legs[i];
                if (leg.kind == ISettlement.Kind.ERC721) owner[leg.id] = leg.to;
                else _moved(leg.token, leg.from, leg.to, leg.amount);
            }
            ++acts[trade.legs[0].kind == ISettlement.Kind.ERC721 ? 0 : 1];
        } catch {}
    }

    function cancel(uint256 which, uint256 who) external {
        if (_trades.length == 0) return;
        uint256 place = which % _trades.length;
        vm.prank(_people[who % 2]);
        try settlement.cancelTrade(_trades[place]) {
            isFalse(_settled[place]);
            _settled[place] = true;
            ++acts[2];
        } catch {}
    }

    function lock(uint256 who, uint256 amount, uint32 time, bool byHash, bool bound) external {
        ISettlement.Lock memory terms;
        (terms.payer, terms.payee) = (_people[who % 2], _people[1 - who % 2]);
        (terms.money, terms.amount) = (address(bound ? cbdc : coin), within(amount, 1, 3000));
        (terms.expiry, terms.salt) = (_now() + uint64(within(time, 1, 3 days)), bytes32(++_salt));
        if (byHash) terms.hashLock = sha256(abi.encodePacked(PREIMAGE));
        vm.prank(terms.payer);
        try settlement.lock(terms) {
            _locks.push(terms);
            locked[terms.money] += terms.amount;
            expected[terms.money][terms.payer] -= terms.amount;
            ++acts[3];
        } catch {}
    }

    function claim(uint256 which, bool right) external {
        if (_locks.length == 0) return;
        ISettlement.Lock memory terms = _locks[which % _locks.length];
        bytes32 preimage = terms.hashLock == bytes32(0) ? bytes32(0) : right ? PREIMAGE : DIGEST;
        vm.prank(terms.payee);
        try settlement.claim(terms, preimage) {
            isTrue(preimage != DIGEST && block.timestamp < terms.expiry);
            _end(terms, terms.payee);
            ++acts[4];
        } catch {}
    }

    function giveBack(uint256 which, bool byPayee) external {
        if (_locks.length == 0) return;
        ISettlement.Lock memory terms = _locks[which % _locks.length];
        vm.prank(byPayee ? terms.payee : terms.payer);
        try settlement.giveBack(terms) {
            isTrue(byPayee);
            _end(terms, terms.payer);
            ++acts[5];
        } catch {}
    }

    function refund(uint256 which) external {
        if (_locks.length == 0) return;
        ISettlement.Lock memory terms = _locks[which % _locks.length];
        try settlement.refund(terms) {
            isTrue(block.timestamp >= terms.expiry);
            _end(terms, terms.payer);
            ++acts[6];
        } catch {}
    }

    function freeze(uint256 who, bool on) external {
        vm.prank(ISSUER);
        if (on) {
            try coin.freeze(_people[who % 2], FREEZE) {} catch {}
        } else {
            try coin.unfreeze(_people[who % 2], FREEZE) {} catch {}
        }
    }

    function pause(uint32 duration) external {
        vm.prank(GUARD);
        try governance.pause(address(settlement), uint32(within(duration, 1, 1 hours))) {} catch {}
    }

    function wait(uint32 duration) external {
        vm.warp(block.timestamp + within(duration, 1, 12 hours));
    }

    /// @dev What the contract says is locked, added up over all locks there ever were.
    function open(ISovereignMoney money) external view returns (uint256 amount) {
        for (uint256 i = 0; i < _locks.length; ++i) {
            bool stands = settlement.lockStateOf(settlement.lockIdOf(_locks[i])) == ISettlement.LockState.LOCKED;
            if (stands && _locks[i].money == address(money)) amount += _locks[i].amount;
        }
    }

    function _end(ISettlement.Lock memory terms, address to) private {
        locked[terms.money] -= terms.amount;
        expected[terms.money][to] += terms.amount;
    }

    function _moved(address money, address from, address to, uint256 amount) private {
        expected[money][from] -= amount;
        expected[money][to] += amount;
    }

    function _money(bool bound, address from, address to, uint256 amount)
        private
        view
        returns (ISettlement.Leg memory leg)
    {
        return ISettlement.Leg(ISettlement.Kind.ERC20, address(bound ? cbdc : coin), from, to, 0, amount);
    }
}

contract SettlementInvariants is Settlements {
    Dealers private _dealers;
    address[] private _targets;
    uint256[3] private _flats;

    function setUp() public override {
        super.setUp();
        _flats = [flat, idOf(FLATS, ENTRY + 1), idOf(FLATS, ENTRY + 2)];
        vm.prank(AGENCY);
        titles.mintMany(keyOf(AGENCY, FLATS), title(ENTRY + 1, seller));
        vm.prank(AGENCY);
        titles.mintMany(keyOf(AGENCY, FLATS), title(ENTRY + 2, buyer));
        _issueCoin(seller, 10 * PRICE);
        _issueCbdc(seller, 10 * PRICE);
        address[2] memory people = [seller, buyer];
        for (uint256 i = 0; i < 2; ++i) {
            _approve(coin, people[i], address(settlement), type(uint256).max);
            _approve(cbdc, people[i], address(settlement), type(uint256).max);
            vm.prank(people[i]);
            titles.setApprovalForAll(address(settlement), true);
        }
        _dealers = new Dealers(governance, settlement, titles, cbdc, coin, people, _flats);
        _targets.push(address(_dealers));
    }

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function invariantWhatLiesHereIsWhatIsLocked() public view {
        equal(coin.balanceOf(address(settlement)), _dealers.open(coin));
        equal(cbdc.balanceOf(address(settlement)), _dealers.open(cbdc));
        equal(_dealers.locked(address(coin)), _dealers.open(coin));
        equal(_dealers.locked(address(cbdc)), _dealers.open(cbdc));
    }

    function invariantEveryLegMovedWithTheOthersAndNothingElseDid() public view {
        address[2] memory people = [seller, buyer];
        for (uint256 i = 0; i < 2; ++i) {
            equal(coin.balanceOf(people[i]), _dealers.expected(address(coin), people[i]));
            equal(cbdc.balanceOf(people[i]), _dealers.expected(address(cbdc), people[i]));
        }
        for (uint256 i = 0; i < 3; ++i) {
            equal(titles.ownerOf(_flats[i]), _dealers.owner(_flats[i]));
        }
    }

    /// @dev Without this the invariants could hold because every call was refused.
    function testTheDealersActInEveryWay() public {
        _dealers.agree(0, 0, 100, true);
        _dealers.settle(0, 3);
        _dealers.agree(1, 0, 100, false);
        _dealers.settle(1, 1);
        _dealers.agree(1, 0, 100, false);
        _dealers.cancel(2, 0);
        for (uint256 i = 0; i < 3; ++i) {
            _dealers.lock(0, 100, 1000, i == 0, i == 1);
        }
        _dealers.claim(0, false);
        _dealers.claim(0, true);
        _dealers.giveBack(1, false);
        _dealers.giveBack(1, true);
        _dealers.refund(2);
        vm.warp(block.timestamp + 3 days);
        _dealers.refund(2);
        for (uint256 i = 0; i < 7; ++i) {
            equal(_dealers.acts(i), i == 3 ? 3 : 1);
        }
        invariantWhatLiesHereIsWhatIsLocked();
        invariantEveryLegMovedWithTheOthersAndNothingElseDid();
    }
}
