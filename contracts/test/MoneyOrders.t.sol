// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IPolicyEngine} from "../src/IPolicyEngine.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {Moneys} from "./Moneys.sol";

/// @notice Freezes and forced transfers.
contract MoneyOrdersTest is Moneys {
    bytes32 private constant SEIZURE = keccak256("seizure");

    function setUp() public override {
        super.setUp();
        _fund(coin, annaPurse, 1000);
        _fund(crown, annaPurse, 1000);
    }

    function testAFrozenAccountNeitherSendsNorReceives() public {
        vm.expectEmit(address(coin));
        emit ISovereignMoney.AccountFrozenUnder(annaPurse, ORDER);
        _freeze(ORDER);
        isTrue(coin.isFrozen(annaPurse));
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, annaPurse));
        coin.transfer(STRANGER, 0);
        vm.prank(STRANGER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, annaPurse));
        coin.transfer(annaPurse, 0);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, annaPurse));
        coin.mint(annaPurse, 1);
        vm.expectEmit(address(coin));
        emit ISovereignMoney.AccountUnfrozenUnder(annaPurse, ORDER);
        _unfreeze(ORDER);
        vm.prank(annaPurse);
        coin.transfer(STRANGER, 1000);
    }

    function testAFrozenAccountIsFrozenForWhoeverSpendsForIt() public {
        vm.prank(annaPurse);
        coin.approve(STRANGER, 100);
        _freeze(ORDER);
        vm.prank(STRANGER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, annaPurse));
        coin.transferFrom(annaPurse, BUYER, 1);
    }

    /// @dev The first order lies in the account's slot, the others beside it; they come and go in any order.
    function testEachOrderLiftsItsOwnFreezeOnly(uint8 sequence) public {
        bytes32[3] memory orders = [ORDER, SECOND_ORDER, THIRD_ORDER];
        for (uint256 i = 0; i < 3; ++i) {
            _freeze(orders[i]);
            _refusesUnchanged(orders[i]);
            _freezeAgain(orders[i]);
        }
        for (uint256 left = 3; left > 0; --left) {
            isTrue(coin.isFrozen(annaPurse));
            uint256 pick = sequence % left;
            bytes32 lifted = orders[pick];
            _unfreeze(lifted);
            isFalse(coin.isFrozenUnder(annaPurse, lifted));
            orders[pick] = orders[left - 1];
            if (left == 3) {
                // One that ended may come again.
                _freeze(lifted);
                isTrue(coin.isFrozenUnder(annaPurse, lifted));
                _unfreeze(lifted);
            }
            vm.prank(LICENSEE);
            _refuses(abi.encodeWithSelector(ISovereignMoney.FreezeUnchanged.selector, annaPurse, lifted));
            coin.unfreeze(annaPurse, lifted);
            for (uint256 i = 0; i + 1 < left; ++i) {
                isTrue(coin.isFrozenUnder(annaPurse, orders[i]));
            }
        }
        isFalse(coin.isFrozen(annaPurse));
    }

    function testAFrozenAmountStays() public {
        vm.expectEmit(address(coin));
        emit ISovereignMoney.FreezeChanged(annaPurse, ORDER, 300);
        vm.expectEmit(address(coin));
        emit ISovereignMoney.Frozen(annaPurse, 300);
        _freezeAmount(300, ORDER);
        _freezeAmount(200, SECOND_ORDER);
        equal(coin.getFrozenTokens(annaPurse), 500);
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(ISovereignMoney.MoneyFrozen.selector, annaPurse, 500, 501));
        coin.transfer(STRANGER, 501);
        vm.prank(annaPurse);
        coin.transfer(STRANGER, 500);
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(ISovereignMoney.MoneyFrozen.selector, annaPurse, 0, 1));
        coin.transfer(annaPurse, 1);
        _unfreezeAmount(ORDER);
        vm.prank(annaPurse);
        coin.transfer(STRANGER, 300);
        equal(coin.frozenUnder(annaPurse, SECOND_ORDER), 200);
        equal(coin.balanceOf(annaPurse), 200);
    }

    function testNoMoreIsFrozenThanIsThere() public {
        _freezeAmount(600, ORDER);
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.MoneyFrozen.selector, annaPurse, 400, 401));
        coin.freezeAmount(annaPurse, 401, SECOND_ORDER);
    }

    function testAFreezeOfAnAmountIsMadeAndLiftedOnce() public {
        _freezeAmount(1, ORDER);
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.FreezeUnchanged.selector, annaPurse, ORDER));
        coin.freezeAmount(annaPurse, 1, ORDER);
        _unfreezeAmount(ORDER);
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.FreezeUnchanged.selector, annaPurse, ORDER));
        coin.unfreezeAmount(annaPurse, ORDER);
    }

    function testAFreezeNamesAnOrderAndAnAmount() public {
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ZeroIdentifier.selector));
        coin.freeze(annaPurse, bytes32(0));
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ZeroIdentifier.selector));
        coin.freezeAmount(annaPurse, 1, bytes32(0));
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ZeroAmount.selector));
        coin.freezeAmount(annaPurse, 0, ORDER);
    }

    function testOrdersAreTheIssuersToExecute(address caller) public {
        vm.assume(caller != LICENSEE);
        bytes memory reason = abi.encodeWithSelector(ISovereignMoney.NotIssuer.selector, caller);
        vm.prank(caller);
        _refuses(reason);
        coin.freeze(annaPurse, ORDER);
        vm.prank(caller);
        _refuses(reason);
        coin.unfreeze(annaPurse, ORDER);
        vm.prank(caller);
        _refuses(reason);
        coin.freezeAmount(annaPurse, 1, ORDER);
        vm.prank(caller);
        _refuses(reason);
        coin.unfreezeAmount(annaPurse, ORDER);
        vm.prank(caller);
        _refuses(reason);
        coin.forcedTransfer(annaPurse, TREASURY, 1, SEIZURE, ORDER);
    }

    function testAForcedTransferTakesFrozenMoneyFirst() public {
        _freezeAmount(300, ORDER);
        vm.expectEmit(address(coin));
        emit ISovereignMoney.OrderExecuted(SEIZURE, annaPurse, TREASURY, 500);
        _seize(500, SEIZURE, ORDER);
        equal(coin.balanceOf(TREASURY), 500);
        equal(coin.balanceOf(annaPurse), 500);
        equal(coin.getFrozenTokens(annaPurse), 0);
        equal(coin.frozenUnder(annaPurse, ORDER), 0);
        isTrue(coin.isOrderUsed(SEIZURE));
        equal(coin.totalSupply(), 1000);
    }

    function testAForcedTransferLeavesTheRestFrozen() public {
        _freezeAmount(300, ORDER);
        _freezeAmount(600, SECOND_ORDER);
        _seize(200, SEIZURE, ORDER);
        equal(coin.frozenUnder(annaPurse, ORDER), 100);
        equal(coin.getFrozenTokens(annaPurse), 700);
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.MoneyFrozen.selector, annaPurse, 200, 201));
        coin.forcedTransfer(annaPurse, TREASURY, 201, THIRD_ORDER, ORDER);
    }

    function testAForcedTransferNeedsNoFreeze() public {
        _seize(1000, SEIZURE, bytes32(0));
        equal(coin.balanceOf(TREASURY), 1000);
    }

    function testAnOrderServesOnce() public {
        _seize(1, SEIZURE, bytes32(0));
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.OrderUsed.selector, SEIZURE));
        coin.forcedTransfer(annaPurse, TREASURY, 1, SEIZURE, bytes32(0));
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.OrderUsed.selector, SEIZURE));
        coin.forcedTransfer(TREASURY, annaPurse, 1, SEIZURE, bytes32(0));
    }

    function testAForcedTransferToOneselfIsRefused() public {
        _freezeAmount(1000, ORDER);
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.SameAccount.selector, annaPurse));
        coin.forcedTransfer(annaPurse, annaPurse, 1000, SEIZURE, ORDER);
        equal(coin.getFrozenTokens(annaPurse), 1000);
        isFalse(coin.isOrderUsed(SEIZURE));
    }

    function testAForcedTransferNamesAnOrderAnAmountAndAReceiver() public {
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ZeroAmount.selector));
        coin.forcedTransfer(annaPurse, TREASURY, 0, SEIZURE, ORDER);
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ZeroIdentifier.selector));
        coin.forcedTransfer(annaPurse, TREASURY, 1, bytes32(0), ORDER);
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        coin.forcedTransfer(annaPurse, address(0), 1, SEIZURE, ORDER);
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.MoneyFrozen.selector, annaPurse, 1000, 1001));
        coin.forcedTransfer(annaPurse, TREASURY, 1001, SEIZURE, ORDER);
    }

    function testAFrozenAccountGivesOnlyUnderTheOneOrderThatFreezesIt() public {
        _freeze(ORDER);
        _refusesSeizure(SECOND_ORDER);
        _freeze(SECOND_ORDER);
        _refusesSeizure(ORDER);
        _refusesSeizure(SECOND_ORDER);
        _unfreeze(ORDER);
        _refusesSeizure(ORDER);
        _seize(1000, SEIZURE, SECOND_ORDER);
        isTrue(coin.isFrozen(annaPurse));
        _unfreeze(SECOND_ORDER);
        _freeze(THIRD_ORDER);
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.MoneyFrozen.selector, annaPurse, 0, 1));
        coin.forcedTransfer(annaPurse, TREASURY, 1, THIRD_ORDER, THIRD_ORDER);
    }

    function testAForcedTransferDoesNotReachAFrozenReceiver() public {
        vm.prank(LICENSEE);
        coin.freeze(TREASURY, ORDER);
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, TREASURY));
        coin.forcedTransfer(annaPurse, TREASURY, 1, SEIZURE, bytes32(0));
    }

    function testAForcedTransferOfBoundMoneyAsksAboutTheReceiverOnly() public {
        _revoke(bank, 0);
        vm.prank(CENTRAL_BANK);
        _refuses(abi.encodeWithSelector(IPolicyEngine.ReceiverUnknown.selector, TREASURY));
        crown.forcedTransfer(annaPurse, TREASURY, 10, SEIZURE, bytes32(0));
        vm.prank(CENTRAL_BANK);
        crown.forcedTransfer(annaPurse, belaPurse, 10, SEIZURE, bytes32(0));
        equal(crown.balanceOf(belaPurse), 10);
    }

    function testAPauseStopsLiftingAndTakingButNotFreezing() public {
        _freeze(ORDER);
        _freezeAmount(1, ORDER);
        vm.prank(GUARD);
        coin.pause(1 hours);
        _freeze(SECOND_ORDER);
        _freezeAmount(1, SECOND_ORDER);
        bytes memory reason = abi.encodeWithSelector(ISovereignMoney.MoneyPaused.selector);
        vm.prank(LICENSEE);
        _refuses(reason);
        coin.unfreeze(annaPurse, ORDER);
        vm.prank(LICENSEE);
        _refuses(reason);
        coin.unfreezeAmount(annaPurse, ORDER);
        vm.prank(LICENSEE);
        _refuses(reason);
        coin.forcedTransfer(annaPurse, TREASURY, 1, SEIZURE, ORDER);
    }

    function _freeze(bytes32 orderId) private {
        vm.prank(LICENSEE);
        coin.freeze(annaPurse, orderId);
    }

    function _unfreeze(bytes32 orderId) private {
        vm.prank(LICENSEE);
        coin.unfreeze(annaPurse, orderId);
    }

    function _refusesUnchanged(bytes32 orderId) private {
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.FreezeUnchanged.selector, annaPurse, orderId));
        coin.freeze(annaPurse, orderId);
    }

    /// @dev An order that ends makes room in the account's slot, and its return fills it.
    function _freezeAgain(bytes32 orderId) private {
        _unfreeze(orderId);
        _freeze(orderId);
    }

    function _freezeAmount(uint256 amount, bytes32 orderId) private {
        vm.prank(LICENSEE);
        coin.freezeAmount(annaPurse, amount, orderId);
    }

    function _unfreezeAmount(bytes32 orderId) private {
        vm.prank(LICENSEE);
        coin.unfreezeAmount(annaPurse, orderId);
    }

    function _seize(uint256 amount, bytes32 orderId, bytes32 freezeOrderId) private {
        vm.prank(LICENSEE);
        coin.forcedTransfer(annaPurse, TREASURY, amount, orderId, freezeOrderId);
    }

    function _refusesSeizure(bytes32 freezeOrderId) private {
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, annaPurse));
        coin.forcedTransfer(annaPurse, TREASURY, 1, SEIZURE, freezeOrderId);
    }
}
