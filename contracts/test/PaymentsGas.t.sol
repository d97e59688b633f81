// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRailGate} from "../src/IRailGate.sol";
import {ISettlement} from "../src/ISettlement.sol";
import {Purposes} from "./Purposes.sol";
import {Rails} from "./Rails.sol";
import {Settlements} from "./Settlements.sol";

/// @notice What one transaction at the gate costs. Each test is one call; everything it builds on stands in setUp, so
///         that storage is cold. `.gas-snapshot` holds the figures without the 21,000 a transaction costs by itself.
contract RailGateGasTest is Rails {
    bytes32 private constant NEW = keccak256("new");

    bytes32 private _departed;
    IRailGate.Arrival[] private _hundred;

    function setUp() public override {
        super.setUp();
        _arrive(cbdc, OP, PURSE, 1000);
        _arrive(cbdc, DIGEST, PHONE, 1000);
        _issueCoin(STRANGER, 1000);
        _departed = _depart(coin, STRANGER, 500);
        _approve(coin, STRANGER, address(gate), 500);
        _arrive(cbdc, OP2, STRANGER, 7);
        for (uint256 i = 0; i < 100; ++i) {
            _hundred.push(IRailGate.Arrival(keccak256(abi.encode(i)), address(cbdc), i % 2 == 0 ? PURSE : PHONE, 5));
        }
    }

    function testGasArrive() public {
        _arrive(cbdc, NEW, PHONE, 10);
    }

    function testGasArrive100() public {
        IRailGate.Arrival[] memory hundred = _hundred;
        vm.prank(OPERATOR);
        gate.arrive(hundred);
    }

    function testGasArriveAtHomeOnTheChain() public {
        _arrive(coin, NEW, STRANGER, 10);
    }

    function testGasArriveInSuspense() public {
        _arrive(cbdc, NEW, STRANGER, 10);
    }

    function testGasDepart() public {
        _send(cbdc, PURSE, 10);
    }

    function testGasDepartFromHomeOnTheChain() public {
        _send(coin, STRANGER, 10);
    }

    function testGasRefund() public {
        _refund(coin, _departed);
    }

    function testGasCancel() public {
        _cancel(cbdc, NEW);
    }

    function testGasReturnSuspense() public {
        _return(cbdc, OP2);
    }
}

contract SettlementGasTest is Settlements {
    ISettlement.Trade private _trade;
    bytes[] private _signed;
    ISettlement.Lock private _open;
    ISettlement.Lock private _next;

    function setUp() public override {
        super.setUp();
        ISettlement.Trade memory trade = _sale();
        _trade.legs.push(trade.legs[0]);
        _trade.legs.push(trade.legs[1]);
        (_trade.validUntil, _trade.salt) = (trade.validUntil, trade.salt);
        _signed = _signatures(trade);
        _open = _hashTerms();
        _lock(_open);
        _next = _open;
        _next.salt = OTHER;
    }

    function testGasSettleATitleAgainstMoney() public {
        settlement.settle(_trade, _signed);
    }

    function testGasLock() public {
        ISettlement.Lock memory terms = _next;
        vm.prank(buyer);
        settlement.lock(terms);
    }

    function testGasClaim() public {
        settlement.claim(_open, PREIMAGE);
    }
}

contract PurposeMoneyGasTest is Purposes {
    function setUp() public override {
        super.setUp();
        _wrap(school, ALICE, 100);
    }

    function testGasWrap() public {
        _wrap(school, BOB, 10);
    }

    function testGasUnwrap() public {
        vm.prank(ALICE);
        purposes.unwrap(ALICE, SHOP, school, 10);
    }
}
