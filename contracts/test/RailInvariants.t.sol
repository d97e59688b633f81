// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governance} from "../src/Governance.sol";
import {IPolicyEngine} from "../src/IPolicyEngine.sol";
import {IRailGate} from "../src/IRailGate.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {RailGate} from "../src/RailGate.sol";
import {Currencies} from "./Currencies.sol";
import {Rails} from "./Rails.sol";

/// @notice The other rail, as plain as it can be: what can be spent there, what lies in the rail's account (home
///         LEDGER), and every operation with what the ledger did about it. All act in any order, twice, late or never; the
///         ledger gives money back only after the gate has said that the operation is over.
contract TwoRails is Currencies {
    enum Side {
        OPEN,
        CREDITED,
        REFUSED,
        GIVEN_BACK
    }

    struct Move {
        bytes32 opId;
        address party;
        uint256 amount;
        bool departs;
        Side side;
    }

    address internal constant OPERATOR = address(0x0E);
    uint256 internal constant ISSUED = 500_000;

    RailGate public gate;
    mapping(address money => uint256) public spendable;
    mapping(address money => uint256) public railAccount;
    mapping(address money => mapping(address wallet => uint256)) public expected;
    mapping(uint256 kind => uint256) public acts;

    mapping(address money => Move[]) private _moves;
    address[4] private _people;
    uint256 private _count;

    constructor(
        Governance governance_,
        RailGate gate_,
        ISovereignMoney cbdc_,
        ISovereignMoney coin_,
        address[4] memory people
    ) {
        (governance, gate, cbdc, coin, _people) = (governance_, gate_, cbdc_, coin_, people);
        spendable[address(cbdc_)] = ISSUED;
        for (uint256 i = 0; i < 4; ++i) {
            expected[address(coin_)][people[i]] = coin_.balanceOf(people[i]);
        }
    }

    /// @dev The ledger takes the money out of its books first.
    function send(bool home, uint256 who, uint256 amount) external {
        ISovereignMoney money = _money(home);
        if (spendable[address(money)] == 0) return;
        amount = within(amount, 1, spendable[address(money)]);
        if (amount > 100_000) amount = within(amount, 1, 100_000);
        spendable[address(money)] -= amount;
        if (home) railAccount[address(money)] += amount;
        _moves[address(money)].push(Move(keccak256(abi.encode(++_count)), _people[who % 4], amount, false, Side.OPEN));
        ++acts[0];
    }

    function arrive(bool home, uint256 which, bool twice) external {
        ISovereignMoney money = _money(home);
        Move storage move = _pick(money, which);
        if (move.departs) return;
        bool known = _stateOf(money, move) != IRailGate.State.NONE;
        IRailGate.Arrival[] memory arrivals = new IRailGate.Arrival[](twice ? 2 : 1);
        for (uint256 i = 0; i < arrivals.length; ++i) {
            arrivals[i] = IRailGate.Arrival(move.opId, address(money), move.party, move.amount);
        }
        vm.prank(OPERATOR);
        gate.arrive(arrivals);
        if (known) return;
        ++acts[1];
        if (_stateOf(money, move) == IRailGate.State.ARRIVED) expected[address(money)][move.party] += move.amount;
        else ++acts[2];
    }

    function cancel(bool home, uint256 which) external {
        ISovereignMoney money = _money(home);
        Move storage move = _pick(money, which);
        IRailGate.State state = _stateOf(money, move);
        vm.prank(OPERATOR);
        try gate.cancel(address(money), move.opId) {
            isTrue(state == IRailGate.State.NONE);
            ++acts[3];
        } catch {
            isTrue(state != IRailGate.State.NONE);
        }
    }

    function settle(bool home, uint256 which, uint256 who) external {
        ISovereignMoney money = _money(home);
        Move storage move = _pick(money, which);
        address to = who % 2 == 0 ? move.party : _people[who % 4];
        IRailGate.State before = _stateOf(money, move);
        vm.prank(OPERATOR);
        try gate.settleSuspense(address(money), move.opId, to) {
            isTrue(before == IRailGate.State.SUSPENDED);
            if (_stateOf(money, move) == IRailGate.State.SUSPENDED) return;
            expected[address(money)][to] += move.amount;
            ++acts[4];
        } catch {}
    }

    function giveBack(bool home, uint256 which) external {
        ISovereignMoney money = _money(home);
        Move storage move = _pick(money, which);
        vm.prank(OPERATOR);
        try gate.returnSuspense(address(money), move.opId) {
            ++acts[5];
        } catch {}
    }

    function depart(bool home, uint256 who, uint256 amount) external {
        ISovereignMoney money = _money(home);
        address from = _people[who % 4];
        if (money.balanceOf(from) == 0) return;
        amount = within(amount, 1, money.balanceOf(from));
        _approve(money, from, address(gate), amount);
        vm.prank(from);
        try gate.depart(address(money), 1, amount) returns (bytes32 opId) {
            expected[address(money)][from] -= amount;
            _moves[address(money)].push(Move(opId, from, amount, true, Side.OPEN));
            ++acts[6];
        } catch {}
    }

    /// @dev The ledger's cursor passes the departure: it credits, or cancels in its own book.
    function book(bool home, uint256 which, bool credit) external {
        ISovereignMoney money = _money(home);
        Move storage move = _pick(money, which);
        if (!move.departs || move.side != Side.OPEN) return;
        if (_stateOf(money, move) != IRailGate.State.DEPARTED) return;
        move.side = credit ? Side.CREDITED : Side.REFUSED;
        if (credit) _take(money, home, move.amount);
        ++acts[7];
    }

    function refund(bool home, uint256 which) external {
        ISovereignMoney money = _money(home);
        Move storage move = _pick(money, which);
        if (move.side != Side.REFUSED) return;
        IRailGate.State before = _stateOf(money, move);
        vm.prank(OPERATOR);
        try gate.refund(address(money), move.opId) {
            isTrue(before == IRailGate.State.DEPARTED);
            if (_stateOf(money, move) == IRailGate.State.REFUNDED) expected[address(money)][move.party] += move.amount;
            ++acts[8];
        } catch {
            isTrue(before != IRailGate.State.DEPARTED);
        }
    }

    /// @dev Only after the gate has said so, once.
    function giveBackOnLedger(bool home, uint256 which) external {
        ISovereignMoney money = _money(home);
        Move storage move = _pick(money, which);
        if (move.side == Side.CREDITED || move.side == Side.GIVEN_BACK) return;
        IRailGate.State state = _stateOf(money, move);
        if (state != IRailGate.State.CANCELLED && state != IRailGate.State.RETURNED) return;
        move.side = Side.GIVEN_BACK;
        _take(money, home, move.amount);
        ++acts[9];
    }

    function freeze(bool home, uint256 who) external {
        vm.prank(ISSUER);
        try _money(home).freeze(_people[who % 4], FREEZE) {} catch {}
    }

    function unfreeze(bool home, uint256 who) external {
        vm.prank(ISSUER);
        try _money(home).unfreeze(_people[who % 4], FREEZE) {} catch {}
    }

    function pause(uint32 duration) external {
        vm.prank(GUARD);
        try governance.pause(address(gate), uint32(within(duration, 1, 1 hours))) {} catch {}
    }

    function wait(uint32 duration) external {
        vm.warp(block.timestamp + within(duration, 1, 12 hours));
    }

    /// @dev What is neither spendable on the ledger nor in a wallet nor over.
    function inTransit(ISovereignMoney money) external view returns (uint256 amount) {
        Move[] storage moves = _moves[address(money)];
        for (uint256 i = 0; i < moves.length; ++i) {
            IRailGate.State state = _stateOf(money, moves[i]);
            bool isHere = state == IRailGate.State.ARRIVED || state == IRailGate.State.REFUNDED;
            bool isThere = moves[i].side == Side.CREDITED || moves[i].side == Side.GIVEN_BACK;
            isFalse(isHere && isThere);
            if (!isHere && !isThere) amount += moves[i].amount;
        }
    }

    /// @dev What the gate keeps as suspended, added up from its operations.
    function suspended(ISovereignMoney money) external view returns (uint256 amount) {
        Move[] storage moves = _moves[address(money)];
        for (uint256 i = 0; i < moves.length; ++i) {
            if (_stateOf(money, moves[i]) == IRailGate.State.SUSPENDED) amount += moves[i].amount;
        }
    }

    function personAt(uint256 place) external view returns (address wallet) {
        return _people[place];
    }

    function _take(ISovereignMoney money, bool home, uint256 amount) private {
        spendable[address(money)] += amount;
        if (home) railAccount[address(money)] -= amount;
    }

    /// @dev One that is nowhere, while there is none.
    function _pick(ISovereignMoney money, uint256 which) private returns (Move storage move) {
        Move[] storage moves = _moves[address(money)];
        if (moves.length == 0) moves.push(Move(keccak256(abi.encode(++_count)), _people[0], 1, true, Side.CREDITED));
        return moves[which % moves.length];
    }

    function _money(bool home) private view returns (ISovereignMoney money) {
        return home ? cbdc : coin;
    }

    function _stateOf(ISovereignMoney money, Move storage move) private view returns (IRailGate.State state) {
        return gate.operation(address(money), move.opId).state;
    }
}

contract RailInvariants is Rails {
    TwoRails private _rails;
    address[] private _targets;

    function setUp() public override {
        super.setUp();
        vm.prank(ROOT_HOLDER);
        gate.setCeiling(address(cbdc), 300_000);
        address[4] memory people = [PURSE, SAFE, PHONE, STRANGER];
        _issueCoin(PURSE, 100_000);
        _issueCoin(STRANGER, 400_000);
        _rails = new TwoRails(governance, gate, cbdc, coin, people);
        _targets.push(address(_rails));
    }

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function invariantTheAwayRailNeverHasMoreThanIsLockedAtHome() public view {
        isTrue(cbdc.totalSupply() <= _rails.railAccount(address(cbdc)));
        isTrue(_rails.spendable(address(coin)) <= gate.lockedOf(address(coin)));
    }

    function invariantTheDifferenceIsWhatIsInTransit() public view {
        equal(_rails.railAccount(address(cbdc)) - cbdc.totalSupply(), _rails.inTransit(cbdc));
        equal(gate.lockedOf(address(coin)) - _rails.spendable(address(coin)), _rails.inTransit(coin));
    }

    function invariantIssuedIsSpendableOnEitherRailOrInTransit() public view {
        uint256 both = _rails.spendable(address(cbdc)) + cbdc.totalSupply();
        equal(both + _rails.inTransit(cbdc), 500_000);
        both = _rails.spendable(address(coin)) + coin.totalSupply() - coin.balanceOf(address(gate));
        equal(both + _rails.inTransit(coin), 500_000);
    }

    function invariantEachOperationCountsOnce() public view {
        for (uint256 i = 0; i < 4; ++i) {
            address wallet = _rails.personAt(i);
            equal(cbdc.balanceOf(wallet), _rails.expected(address(cbdc), wallet));
            equal(coin.balanceOf(wallet), _rails.expected(address(coin), wallet));
        }
    }

    function invariantTheBooksOfTheGateAreTrue() public view {
        _isBooked(cbdc, cbdc.totalSupply(), _rails.suspended(cbdc));
        _isBooked(coin, coin.balanceOf(address(gate)), _rails.suspended(coin));
        isTrue(cbdc.totalSupply() <= gate.currencyOf(address(cbdc)).ceiling);
    }

    /// @dev Without this the invariants could hold because every call was refused.
    function testBothRailsActInEveryWay() public {
        _rails.send(true, 0, 1000);
        _rails.arrive(true, 0, true);
        _rails.depart(true, 0, 399);
        _rails.book(true, 1, false);
        _rails.freeze(true, 0);
        _rails.refund(true, 1);
        _rails.settle(true, 1, 1);
        _rails.send(true, 0, 50);
        _rails.arrive(true, 2, false);
        _rails.giveBack(true, 2);
        _rails.giveBackOnLedger(true, 2);
        _rails.send(true, 2, 50);
        _rails.cancel(true, 3);
        _rails.giveBackOnLedger(true, 3);
        for (uint256 i = 0; i < 10; ++i) {
            isTrue(_rails.acts(i) > 0);
        }
        equal(cbdc.balanceOf(SAFE), 400);
        _rails.depart(false, 3, 999);
        _rails.book(false, 0, true);
        equal(_rails.spendable(address(coin)), 1000);
        invariantTheDifferenceIsWhatIsInTransit();
        invariantEachOperationCountsOnce();
    }
}
