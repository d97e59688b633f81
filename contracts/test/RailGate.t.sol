// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Governed} from "../src/Governed.sol";
import {IRailGate} from "../src/IRailGate.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {RailGate} from "../src/RailGate.sol";
import {OddMoney} from "./OddMoney.sol";
import {Rails} from "./Rails.sol";

contract RailGateTest is Rails {
    function testAGateNeedsItsNation() public {
        _refuses(abi.encodeWithSelector(Governed.NotAContract.selector, STRANGER));
        new RailGate(STRANGER, address(governance));
        _refuses(abi.encodeWithSelector(Governed.NotAContract.selector, STRANGER));
        new RailGate(address(dids), STRANGER);
    }

    // Opening

    function testTheRootOpensACurrency() public {
        IRailGate.Currency memory currency = gate.currencyOf(address(cbdc));
        equal(currency.operator, OPERATOR);
        equal(uint256(currency.home), uint256(IRailGate.Home.LEDGER));
        equal(currency.ceiling, CEILING);
        _isBooked(cbdc, 0, 0);
        equal(gate.rootFunctions().length, 3);
        RailGate other = _newGate();
        vm.expectEmit(address(other));
        emit IRailGate.CurrencyOpened(address(coin), IRailGate.Home.CHAIN, OPERATOR, 5);
        vm.prank(ROOT_HOLDER);
        other.openCurrency(address(coin), IRailGate.Home.CHAIN, OPERATOR, 5);
    }

    function testOnlyTheRootOpensAndChangesACurrency() public {
        bytes memory reason = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, OPERATOR);
        _refuses(reason);
        vm.prank(OPERATOR);
        gate.openCurrency(address(cbdc), IRailGate.Home.LEDGER, OPERATOR, CEILING);
        _refuses(reason);
        vm.prank(OPERATOR);
        gate.setOperator(address(cbdc), STRANGER);
        _refuses(reason);
        vm.prank(OPERATOR);
        gate.setCeiling(address(cbdc), 0);
    }

    function testACurrencyIsOpenedOnce() public {
        _refuses(abi.encodeWithSelector(IRailGate.CurrencyExists.selector, address(cbdc)));
        _open(address(cbdc), IRailGate.Home.LEDGER);
    }

    function testACurrencyIsOpenedAsItsMoneySays() public {
        RailGate other = _newGate();
        address[2] memory moneys = [address(cbdc), address(coin)];
        IRailGate.Home[2] memory wrong = [IRailGate.Home.CHAIN, IRailGate.Home.LEDGER];
        for (uint256 i = 0; i < 2; ++i) {
            _refuses(abi.encodeWithSelector(IRailGate.InvalidHome.selector));
            vm.prank(ROOT_HOLDER);
            other.openCurrency(moneys[i], wrong[i], OPERATOR, CEILING);
            _refuses(abi.encodeWithSelector(IRailGate.InvalidHome.selector));
            vm.prank(ROOT_HOLDER);
            other.openCurrency(moneys[i], IRailGate.Home.NONE, OPERATOR, CEILING);
        }
    }

    function testACurrencyNeedsAContractAndAnOperator() public {
        RailGate other = _newGate();
        _refuses(abi.encodeWithSelector(Governed.NotAContract.selector, STRANGER));
        vm.prank(ROOT_HOLDER);
        other.openCurrency(STRANGER, IRailGate.Home.LEDGER, OPERATOR, CEILING);
        _refuses(abi.encodeWithSelector(IRailGate.ZeroAddress.selector));
        vm.prank(ROOT_HOLDER);
        other.openCurrency(address(cbdc), IRailGate.Home.LEDGER, address(0), CEILING);
    }

    function testAPauseStopsOpeningAndRaisingNotLoweringNorANewOperator() public {
        _pause(address(gate), 1 days);
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        _open(address(cbdc), IRailGate.Home.LEDGER);
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        _setCeiling(cbdc, CEILING + 1);
        _setCeiling(cbdc, CEILING);
        vm.expectEmit(address(gate));
        emit IRailGate.CeilingChanged(address(cbdc), 5);
        _setCeiling(cbdc, 5);
        vm.expectEmit(address(gate));
        emit IRailGate.OperatorChanged(address(cbdc), RIVAL);
        _setOperator(address(cbdc), RIVAL);
    }

    function testACeilingCanBeRaised() public {
        _setCeiling(cbdc, CEILING + 1);
        _arrive(cbdc, OP, PURSE, CEILING + 1);
        equal(cbdc.balanceOf(PURSE), CEILING + 1);
    }

    function testWhatIsNotOpenHasNothing() public {
        bytes memory reason = abi.encodeWithSelector(IRailGate.UnknownCurrency.selector, STRANGER);
        _refuses(reason);
        _setOperator(STRANGER, OPERATOR);
        _refuses(reason);
        vm.prank(ROOT_HOLDER);
        gate.setCeiling(STRANGER, 1);
        _refuses(reason);
        vm.prank(PURSE);
        gate.depart(STRANGER, ACCOUNT, 1);
        _refuses(reason);
        _arrive(ISovereignMoney(STRANGER), OP, PURSE, 1);
        _refuses(reason);
        _cancel(ISovereignMoney(STRANGER), OP);
        _refuses(reason);
        _refund(ISovereignMoney(STRANGER), OP);
        _refuses(reason);
        _settle(ISovereignMoney(STRANGER), OP, PURSE);
        _refuses(reason);
        _return(ISovereignMoney(STRANGER), OP);
        _refuses(reason);
        gate.currencyOf(STRANGER);
        equal(gate.lockedOf(STRANGER) + gate.outstandingOf(STRANGER) + gate.inTransitOf(STRANGER), 0);
    }

    function testAnOperatorIsReplaced() public {
        _refuses(abi.encodeWithSelector(IRailGate.ZeroAddress.selector));
        _setOperator(address(cbdc), address(0));
        _setOperator(address(cbdc), RIVAL);
        _refuses(abi.encodeWithSelector(IRailGate.NotOperator.selector, address(cbdc), OPERATOR));
        _arrive(cbdc, OP, PURSE, 1);
        IRailGate.Arrival[] memory arrivals = _arrival(cbdc, OP, PURSE, 1);
        vm.prank(RIVAL);
        gate.arrive(arrivals);
        equal(cbdc.balanceOf(PURSE), 1);
    }

    // Departing

    function testMoneyAtHomeOnTheLedgerIsBurntWhenItDeparts() public {
        _arrive(cbdc, OP, PURSE, 100);
        bytes32 expected = gate.departureIdOf(1);
        vm.expectEmit(address(gate));
        emit IRailGate.Departed(expected, address(cbdc), PURSE, ACCOUNT, 30);
        bytes32 opId = _depart(cbdc, PURSE, 30);
        equal(opId, expected);
        equal(opId, keccak256(abi.encode(block.chainid, address(gate), uint256(1))));
        equal(gate.departures(), 1);
        equal(cbdc.balanceOf(PURSE), 70);
        _isBooked(cbdc, 70, 0);
        IRailGate.Operation memory found = gate.operation(address(cbdc), opId);
        equal(found.party, PURSE);
        equal(found.amount, 30);
        isTrue(found.departs && found.state == IRailGate.State.DEPARTED);
    }

    function testMoneyAtHomeOnTheChainIsLockedWhenItDeparts() public {
        _issueCoin(STRANGER, 100);
        bytes32 opId = _depart(coin, STRANGER, 30);
        equal(coin.balanceOf(STRANGER), 70);
        _isBooked(coin, 30, 0);
        _isIn(coin, opId, IRailGate.State.DEPARTED);
        isTrue(opId != _depart(coin, STRANGER, 30));
    }

    function testNothingDepartsWhilePaused() public {
        _arrive(cbdc, OP, PURSE, 100);
        _pause(address(gate), 1 days);
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        _send(cbdc, PURSE, 1);
        IRailGate.Authorization memory none;
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        gate.departWithAuthorization(none);
    }

    function testAmountsAreThoseOfTheLedger() public {
        uint256[3] memory amounts = [uint256(0), 2 ** 63, type(uint256).max];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory reason = abi.encodeWithSelector(IRailGate.AmountOutOfRange.selector, amounts[i]);
            _refuses(reason);
            vm.prank(PURSE);
            gate.depart(address(cbdc), ACCOUNT, amounts[i]);
            _refuses(reason);
            _arrive(cbdc, OP, PURSE, amounts[i]);
        }
    }

    function testNobodyDepartsWithWhatTheyHaveNot() public {
        _arrive(cbdc, OP, PURSE, 100);
        _arrive(cbdc, OP2, PHONE, 100);
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, PURSE, 100, 101));
        _send(cbdc, PURSE, 101);
        _refuses(abi.encodeWithSelector(IRailGate.NotOutstanding.selector, address(cbdc), 201, 200));
        _send(cbdc, PURSE, 201);
        _issueCoin(STRANGER, 100);
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(gate), 0, 1));
        vm.prank(STRANGER);
        gate.depart(address(coin), ACCOUNT, 1);
        _isBooked(coin, 0, 0);
        _isBooked(cbdc, 200, 0);
        equal(gate.departures(), 0);
    }

    function testFrozenMoneyDoesNotDepart() public {
        _arrive(cbdc, OP, PURSE, 100);
        _freeze(cbdc, PURSE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, PURSE));
        _send(cbdc, PURSE, 1);
    }

    function testNoMoreIsLockedThanTheCeiling() public {
        _issueCoin(STRANGER, CEILING + 1);
        _approve(coin, STRANGER, address(gate), CEILING + 1);
        _refuses(
            abi.encodeWithSelector(IRailGate.CeilingExceeded.selector, address(coin), CEILING + 1, uint256(CEILING))
        );
        vm.prank(STRANGER);
        gate.depart(address(coin), ACCOUNT, CEILING + 1);
        _depart(coin, STRANGER, CEILING);
        _isBooked(coin, CEILING, 0);
    }

    function testAnIdThatTheLedgerTookIsLeftToIt() public {
        bytes32 first = gate.departureIdOf(1);
        _arrive(cbdc, first, PURSE, 100);
        bytes32 opId = _depart(cbdc, PURSE, 30);
        equal(opId, gate.departureIdOf(2));
        equal(gate.departures(), 2);
        _isIn(cbdc, first, IRailGate.State.ARRIVED);
        _isIn(cbdc, opId, IRailGate.State.DEPARTED);
    }

    function testAnAuthorizationDeparts() public {
        _arrive(cbdc, OP, belasWallet, 100);
        IRailGate.Authorization memory signed = _authorization(cbdc, ACCOUNT, 40);
        vm.prank(STRANGER);
        bytes32 opId = gate.departWithAuthorization(signed);
        equal(cbdc.balanceOf(belasWallet), 60);
        equal(gate.operation(address(cbdc), opId).party, belasWallet);
        _isBooked(cbdc, 60, 0);
        _issueCoin(belasWallet, 100);
        gate.departWithAuthorization(_authorization(coin, ACCOUNT, 40));
        equal(coin.balanceOf(belasWallet), 60);
        _isBooked(coin, 40, 0);
    }

    function testAnAuthorizationServesOnce() public {
        _arrive(cbdc, OP, belasWallet, 100);
        IRailGate.Authorization memory signed = _authorization(cbdc, ACCOUNT, 40);
        gate.departWithAuthorization(signed);
        bytes32 nonce = gate.authorizationNonceOf(ACCOUNT, signed.salt);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AuthorizationUsedOrCanceled.selector, belasWallet, nonce));
        gate.departWithAuthorization(signed);
    }

    function testAnAuthorizationIsForItsAccountAmountSaltAndMoney() public {
        _arrive(cbdc, OP, belasWallet, 100);
        _issueCoin(belasWallet, 100);
        bytes memory reason = abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector);
        IRailGate.Authorization memory signed = _authorization(cbdc, ACCOUNT, 40);
        signed.account = ACCOUNT + 1;
        _refuses(reason);
        gate.departWithAuthorization(signed);
        (signed.account, signed.amount) = (ACCOUNT, 41);
        _refuses(reason);
        gate.departWithAuthorization(signed);
        (signed.amount, signed.salt) = (40, OP2);
        _refuses(reason);
        gate.departWithAuthorization(signed);
        (signed.salt, signed.money) = (OP, address(coin));
        _refuses(reason);
        gate.departWithAuthorization(signed);
        signed.money = address(cbdc);
        vm.warp(block.timestamp + 1 days);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AuthorizationExpired.selector, signed.validBefore));
        gate.departWithAuthorization(signed);
    }

    function testAnAuthorizationForTheMoneyAloneIsTheGatesOnly() public {
        _arrive(cbdc, OP, belasWallet, 100);
        IRailGate.Authorization memory signed = _authorization(cbdc, ACCOUNT, 40);
        bytes32 nonce = gate.authorizationNonceOf(ACCOUNT, signed.salt);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotPayee.selector, STRANGER, address(gate)));
        vm.prank(STRANGER);
        cbdc.receiveWithAuthorization(belasWallet, address(gate), 40, 0, signed.validBefore, nonce, signed.signature);
    }

    // Arriving

    function testMoneyArrives() public {
        vm.expectEmit(address(gate));
        emit IRailGate.Arrived(OP, address(cbdc), PURSE, 100);
        _arrive(cbdc, OP, PURSE, 100);
        equal(cbdc.balanceOf(PURSE), 100);
        _isBooked(cbdc, 100, 0);
        IRailGate.Operation memory found = gate.operation(address(cbdc), OP);
        isTrue(!found.departs && found.state == IRailGate.State.ARRIVED && found.party == PURSE);
        _issueCoin(STRANGER, 100);
        _depart(coin, STRANGER, 100);
        _arrive(coin, OP, BUYER, 60);
        equal(coin.balanceOf(BUYER), 60);
        _isBooked(coin, 40, 0);
    }

    function testAnOperationArrivesOnce() public {
        _arrive(cbdc, OP, PURSE, 100);
        vm.expectEmit(address(gate));
        emit IRailGate.Skipped(OP, address(cbdc), IRailGate.State.ARRIVED);
        _arrive(cbdc, OP, PHONE, 500);
        equal(cbdc.balanceOf(PHONE), 0);
        _isBooked(cbdc, 100, 0);
        IRailGate.Arrival[] memory twice = new IRailGate.Arrival[](2);
        twice[0] = _arrival(cbdc, OP2, PURSE, 7)[0];
        twice[1] = twice[0];
        vm.prank(OPERATOR);
        gate.arrive(twice);
        equal(cbdc.balanceOf(PURSE), 107);
    }

    function testADepartureDoesNotArriveHere() public {
        _arrive(cbdc, OP, PURSE, 100);
        bytes32 opId = _depart(cbdc, PURSE, 100);
        vm.expectEmit(address(gate));
        emit IRailGate.Skipped(opId, address(cbdc), IRailGate.State.DEPARTED);
        _arrive(cbdc, opId, PURSE, 100);
        _isBooked(cbdc, 0, 0);
    }

    function testOneIdInTwoCurrenciesIsTwoOperations() public {
        _issueCoin(STRANGER, 100);
        _depart(coin, STRANGER, 100);
        _arrive(cbdc, OP, PURSE, 100);
        _arrive(coin, OP, PURSE, 50);
        equal(coin.balanceOf(PURSE), 50);
        _setOperator(address(coin), RIVAL);
        vm.prank(RIVAL);
        gate.cancel(address(coin), OP2);
        _arrive(cbdc, OP2, PURSE, 1);
        _isIn(cbdc, OP2, IRailGate.State.ARRIVED);
    }

    function testOnlyTheOperatorBringsMoney() public {
        IRailGate.Arrival[] memory arrivals = _arrival(cbdc, OP, PURSE, 1);
        _refuses(abi.encodeWithSelector(IRailGate.NotOperator.selector, address(cbdc), ROOT_HOLDER));
        vm.prank(ROOT_HOLDER);
        gate.arrive(arrivals);
        _setOperator(address(coin), RIVAL);
        IRailGate.Arrival[] memory both = new IRailGate.Arrival[](2);
        (both[0], both[1]) = (arrivals[0], _arrival(coin, OP2, PURSE, 1)[0]);
        _refuses(abi.encodeWithSelector(IRailGate.NotOperator.selector, address(coin), OPERATOR));
        vm.prank(OPERATOR);
        gate.arrive(both);
        _isIn(cbdc, OP, IRailGate.State.NONE);
    }

    function testAnOperationHasAnId() public {
        _refuses(abi.encodeWithSelector(IRailGate.ZeroIdentifier.selector));
        _arrive(cbdc, bytes32(0), PURSE, 1);
        _refuses(abi.encodeWithSelector(IRailGate.ZeroIdentifier.selector));
        _cancel(cbdc, bytes32(0));
    }

    function testWhatCannotArriveWaitsAndHoldsNobodyUp() public {
        _freeze(cbdc, PURSE);
        IRailGate.Arrival[] memory arrivals = new IRailGate.Arrival[](3);
        arrivals[0] = _arrival(cbdc, OP, PURSE, 100)[0];
        arrivals[1] = _arrival(cbdc, OP2, STRANGER, 10)[0];
        arrivals[2] = _arrival(cbdc, DIGEST, PHONE, 1)[0];
        vm.expectEmit(address(gate));
        bytes memory reason = abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, PURSE);
        emit IRailGate.Suspended(OP, address(cbdc), PURSE, 100, reason);
        vm.prank(OPERATOR);
        gate.arrive(arrivals);
        equal(cbdc.balanceOf(PHONE), 1);
        _isBooked(cbdc, 1, 110);
        _isIn(cbdc, OP, IRailGate.State.SUSPENDED);
        _isIn(cbdc, OP2, IRailGate.State.SUSPENDED);
        _arrive(cbdc, OP, PURSE, 100);
        _isBooked(cbdc, 1, 110);
    }

    function testWhatIsAtHomeHereStaysLockedWhileItWaits() public {
        _issueCoin(STRANGER, 100);
        _depart(coin, STRANGER, 100);
        _freeze(coin, BUYER);
        _arrive(coin, OP, BUYER, 60);
        _isBooked(coin, 100, 60);
        _unfreeze(coin, BUYER);
        _settle(coin, OP, BUYER);
        _isBooked(coin, 40, 0);
        equal(coin.balanceOf(BUYER), 60);
    }

    function testNoMoreIsUnlockedThanIsLocked() public {
        _issueCoin(STRANGER, 100);
        _depart(coin, STRANGER, 100);
        _suspends(coin, BUYER, 101, abi.encodeWithSelector(IRailGate.NotLocked.selector, address(coin), 101, 100));
        _isBooked(coin, 100, 101);
    }

    function testNoMoreArrivesThanTheCeiling() public {
        _arrive(cbdc, OP2, PURSE, CEILING);
        bytes memory reason = abi.encodeWithSelector(
            IRailGate.CeilingExceeded.selector, address(cbdc), uint256(CEILING) + 1, uint256(CEILING)
        );
        _suspends(cbdc, PURSE, 1, reason);
        _isBooked(cbdc, CEILING, 1);
    }

    function testNobodyIsGivenMoneyWhereNobodyIs() public {
        address[3] memory nobody = [address(0), address(gate), address(cbdc)];
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 opId = keccak256(abi.encode(i));
            vm.expectEmit(address(gate));
            bytes memory reason = abi.encodeWithSelector(IRailGate.InvalidReceiver.selector, nobody[i]);
            emit IRailGate.Suspended(opId, address(cbdc), nobody[i], 5, reason);
            _arrive(cbdc, opId, nobody[i], 5);
            _return(cbdc, opId);
        }
        _isBooked(cbdc, 0, 0);
    }

    function testABridgesLimitMakesMoneyWait() public {
        vm.prank(ISSUER);
        cbdc.setLimits(address(gate), 99, 99);
        _suspends(
            cbdc, PURSE, 100, abi.encodeWithSelector(ISovereignMoney.LimitExceeded.selector, address(gate), 99, 100)
        );
    }

    function testAPauseOfTheMoneyMakesItWait() public {
        _pauseMoney(cbdc);
        _suspends(cbdc, PURSE, 100, abi.encodeWithSelector(ISovereignMoney.MoneyPaused.selector));
    }

    function testAPauseOfTheGateMakesMoneyWait() public {
        _pause(address(gate), 1 days);
        _suspends(cbdc, PURSE, 100, abi.encodeWithSelector(Governed.Paused.selector));
        vm.expectEmit(address(gate));
        emit IRailGate.Suspended(OP, address(cbdc), PURSE, 100, abi.encodeWithSelector(Governed.Paused.selector));
        _settle(cbdc, OP, PURSE);
        _isBooked(cbdc, 0, 100);
        vm.warp(block.timestamp + 1 days);
        _settle(cbdc, OP, PURSE);
        _isBooked(cbdc, 100, 0);
    }

    function testAMoneyThatAnswersNoMakesItWait() public {
        OddMoney odd = new OddMoney(0);
        ISovereignMoney money = ISovereignMoney(address(odd));
        _open(address(odd), IRailGate.Home.CHAIN);
        odd.mint(STRANGER, 100);
        _depart(money, STRANGER, 100);
        odd.refuse();
        _suspends(money, BUYER, 60, "");
        _isBooked(money, 100, 60);
    }

    function testWantOfGasIsNoRefusalOfTheMoney() public {
        IRailGate.Arrival[] memory arrivals = _arrival(cbdc, OP, PURSE, 100);
        _refuses(abi.encodeWithSelector(IRailGate.GasTooLow.selector));
        vm.prank(OPERATOR);
        gate.arrive{gas: 420_000}(arrivals);
        _isIn(cbdc, OP, IRailGate.State.NONE);
    }

    // Suspense

    function testSuspenseIsSettledWithAnotherWalletOfTheSamePerson() public {
        _freeze(cbdc, PURSE);
        _arrive(cbdc, OP, PURSE, 100);
        vm.expectEmit(address(gate));
        emit IRailGate.Arrived(OP, address(cbdc), SAFE, 100);
        _settle(cbdc, OP, SAFE);
        equal(cbdc.balanceOf(SAFE), 100);
        equal(gate.operation(address(cbdc), OP).party, SAFE);
        _isBooked(cbdc, 100, 0);
    }

    function testSuspenseIsNotSettledWithAnotherPerson() public {
        _freeze(cbdc, PURSE);
        _arrive(cbdc, OP, PURSE, 100);
        address[3] memory others = [PHONE, STRANGER, address(0)];
        for (uint256 i = 0; i < 3; ++i) {
            _refuses(abi.encodeWithSelector(IRailGate.NotSamePerson.selector, PURSE, others[i]));
            _settle(cbdc, OP, others[i]);
        }
    }

    function testAWalletThatIsNotBoundStandsForItself() public {
        _arrive(cbdc, OP, STRANGER, 100);
        _refuses(abi.encodeWithSelector(IRailGate.NotSamePerson.selector, STRANGER, PURSE));
        _settle(cbdc, OP, PURSE);
        _refuses(abi.encodeWithSelector(IRailGate.NotSamePerson.selector, STRANGER, BUYER));
        _settle(cbdc, OP, BUYER);
        _bind(_bindingOf(5, STRANGER, ANNA));
        _settle(cbdc, OP, SAFE);
        equal(cbdc.balanceOf(SAFE), 100);
    }

    function testABindingThatEndedStandsForItself() public {
        _freeze(cbdc, PURSE);
        _arrive(cbdc, OP, PURSE, 100);
        _revoke(bank, 1);
        _refuses(abi.encodeWithSelector(IRailGate.NotSamePerson.selector, PURSE, SAFE));
        _settle(cbdc, OP, SAFE);
    }

    function testInOpenMoneyEveryWalletStandsForItself() public {
        _issueCoin(STRANGER, 100);
        _depart(coin, STRANGER, 100);
        _freeze(coin, PURSE);
        _arrive(coin, OP, PURSE, 100);
        _refuses(abi.encodeWithSelector(IRailGate.NotSamePerson.selector, PURSE, SAFE));
        _settle(coin, OP, SAFE);
    }

    function testASecondTryThatFailsChangesNothing() public {
        _freeze(cbdc, PURSE);
        _arrive(cbdc, OP, PURSE, 100);
        _freeze(cbdc, SAFE);
        vm.expectEmit(address(gate));
        bytes memory reason = abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, SAFE);
        emit IRailGate.Suspended(OP, address(cbdc), SAFE, 100, reason);
        _settle(cbdc, OP, SAFE);
        equal(gate.operation(address(cbdc), OP).party, PURSE);
        _isBooked(cbdc, 0, 100);
    }

    function testWhatIsReturnedIsTheLedgersForGood() public {
        _arrive(cbdc, OP, STRANGER, 100);
        _pause(address(gate), 1 days);
        vm.expectEmit(address(gate));
        emit IRailGate.Returned(OP, address(cbdc), STRANGER, 100);
        _return(cbdc, OP);
        _isBooked(cbdc, 0, 0);
        bytes memory reason = _wrongState(OP, IRailGate.State.RETURNED);
        _refuses(reason);
        _return(cbdc, OP);
        _refuses(reason);
        _settle(cbdc, OP, STRANGER);
        _refuses(reason);
        _cancel(cbdc, OP);
        _refuses(reason);
        _refund(cbdc, OP);
    }

    function testOnlyWhatWaitsIsSettledOrReturned() public {
        bytes memory reason = _wrongState(OP, IRailGate.State.NONE);
        _refuses(reason);
        _settle(cbdc, OP, PURSE);
        _refuses(reason);
        _return(cbdc, OP);
        _arrive(cbdc, OP, PURSE, 100);
        reason = _wrongState(OP, IRailGate.State.ARRIVED);
        _refuses(reason);
        _settle(cbdc, OP, PURSE);
        _refuses(reason);
        _return(cbdc, OP);
        bytes32 opId = _depart(cbdc, PURSE, 100);
        _refuses(_wrongState(opId, IRailGate.State.DEPARTED));
        _return(cbdc, opId);
    }

    function testOnlyTheOperatorDecides() public {
        _arrive(cbdc, OP, STRANGER, 100);
        bytes memory reason = abi.encodeWithSelector(IRailGate.NotOperator.selector, address(cbdc), STRANGER);
        _refuses(reason);
        vm.prank(STRANGER);
        gate.settleSuspense(address(cbdc), OP, STRANGER);
        _refuses(reason);
        vm.prank(STRANGER);
        gate.returnSuspense(address(cbdc), OP);
        _refuses(reason);
        vm.prank(STRANGER);
        gate.cancel(address(cbdc), OP2);
        _refuses(reason);
        vm.prank(STRANGER);
        gate.refund(address(cbdc), OP2);
    }

    function testTheOperatorDecidesManyAtOnce() public {
        _arrive(cbdc, OP, STRANGER, 100);
        _arrive(cbdc, OP2, STRANGER, 10);
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(IRailGate.returnSuspense, (address(cbdc), OP));
        calls[1] = abi.encodeCall(IRailGate.returnSuspense, (address(cbdc), OP2));
        calls[2] = abi.encodeCall(IRailGate.cancel, (address(cbdc), DIGEST));
        vm.prank(OPERATOR);
        gate.multicall(calls);
        _isBooked(cbdc, 0, 0);
        _isIn(cbdc, DIGEST, IRailGate.State.CANCELLED);
    }

    // Cancelling

    function testWhatIsCancelledNeverArrives() public {
        _pause(address(gate), 1 days);
        vm.expectEmit(address(gate));
        emit IRailGate.Cancelled(OP, address(cbdc));
        _cancel(cbdc, OP);
        vm.expectEmit(address(gate));
        emit IRailGate.Skipped(OP, address(cbdc), IRailGate.State.CANCELLED);
        _arrive(cbdc, OP, PURSE, 100);
        _isBooked(cbdc, 0, 0);
        equal(gate.operation(address(cbdc), OP).party, address(0));
        _refuses(_wrongState(OP, IRailGate.State.CANCELLED));
        _cancel(cbdc, OP);
    }

    function testWhatIsHereIsNotCancelled() public {
        _arrive(cbdc, OP, PURSE, 100);
        _refuses(_wrongState(OP, IRailGate.State.ARRIVED));
        _cancel(cbdc, OP);
        _arrive(cbdc, OP2, STRANGER, 100);
        _refuses(_wrongState(OP2, IRailGate.State.SUSPENDED));
        _cancel(cbdc, OP2);
        bytes32 opId = _depart(cbdc, PURSE, 100);
        _refuses(_wrongState(opId, IRailGate.State.DEPARTED));
        _cancel(cbdc, opId);
    }

    // Refunding

    function testADepartureThatTheLedgerRefusedComesBackOnce() public {
        _arrive(cbdc, OP, PURSE, 100);
        bytes32 opId = _depart(cbdc, PURSE, 100);
        vm.expectEmit(address(gate));
        emit IRailGate.Refunded(opId, address(cbdc), PURSE, 100);
        _refund(cbdc, opId);
        equal(cbdc.balanceOf(PURSE), 100);
        _isBooked(cbdc, 100, 0);
        _refuses(_wrongState(opId, IRailGate.State.REFUNDED));
        _refund(cbdc, opId);
        _issueCoin(STRANGER, 100);
        opId = _depart(coin, STRANGER, 100);
        _refund(coin, opId);
        equal(coin.balanceOf(STRANGER), 100);
        _isBooked(coin, 0, 0);
    }

    function testARefundWaitsForItsSender() public {
        _arrive(cbdc, OP, PURSE, 100);
        bytes32 opId = _depart(cbdc, PURSE, 100);
        _freeze(cbdc, PURSE);
        _refund(cbdc, opId);
        _isBooked(cbdc, 0, 100);
        _isIn(cbdc, opId, IRailGate.State.SUSPENDED);
        vm.expectEmit(address(gate));
        emit IRailGate.Refunded(opId, address(cbdc), SAFE, 100);
        _settle(cbdc, opId, SAFE);
        _isIn(cbdc, opId, IRailGate.State.REFUNDED);
    }

    function testARefundDuringAPauseWaits() public {
        _arrive(cbdc, OP, PURSE, 100);
        bytes32 opId = _depart(cbdc, PURSE, 100);
        _pause(address(gate), 1 days);
        _refund(cbdc, opId);
        _isIn(cbdc, opId, IRailGate.State.SUSPENDED);
        _return(cbdc, opId);
        _isIn(cbdc, opId, IRailGate.State.RETURNED);
    }

    function testOnlyADepartureIsRefunded() public {
        _refuses(_wrongState(OP, IRailGate.State.NONE));
        _refund(cbdc, OP);
        _arrive(cbdc, OP, PURSE, 100);
        _refuses(_wrongState(OP, IRailGate.State.ARRIVED));
        _refund(cbdc, OP);
        _cancel(cbdc, OP2);
        _refuses(_wrongState(OP2, IRailGate.State.CANCELLED));
        _refund(cbdc, OP2);
    }

    // Any amounts

    function testFuzzARoundTripKeepsEveryUnit(uint64 amount, uint64 part, bool refunded) public {
        uint256 sum = within(amount, 1, CEILING);
        uint256 share = within(part, 1, sum);
        _arrive(cbdc, OP, PURSE, sum);
        bytes32 opId = _depart(cbdc, PURSE, share);
        _isBooked(cbdc, sum - share, 0);
        if (refunded) _refund(cbdc, opId);
        equal(cbdc.balanceOf(PURSE), refunded ? sum : sum - share);
    }

    function testFuzzOnlyTheSignedAccountIsCredited(uint32 account, bytes32 salt) public {
        _arrive(cbdc, OP, belasWallet, 100);
        IRailGate.Authorization memory signed = _authorization(cbdc, ACCOUNT, 40);
        vm.assume(account != ACCOUNT || salt != signed.salt);
        (signed.account, signed.salt) = (account, salt);
        _refuses(abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector));
        gate.departWithAuthorization(signed);
    }

    function _suspends(ISovereignMoney money, address to, uint256 amount, bytes memory reason) private {
        vm.expectEmit(address(gate));
        emit IRailGate.Suspended(OP, address(money), to, amount, reason);
        _arrive(money, OP, to, amount);
        _isIn(money, OP, IRailGate.State.SUSPENDED);
    }

    function _newGate() private returns (RailGate other) {
        other = new RailGate(address(dids), address(governance));
        _giveToRoot(address(other), other.rootFunctions());
    }

    function _setOperator(address money, address operator) private {
        vm.prank(ROOT_HOLDER);
        gate.setOperator(money, operator);
    }

    function _setCeiling(ISovereignMoney money, uint64 ceiling) private {
        vm.prank(ROOT_HOLDER);
        gate.setCeiling(address(money), ceiling);
    }

    function _authorization(ISovereignMoney money, uint32 account, uint256 amount)
        private
        view
        returns (IRailGate.Authorization memory signed)
    {
        bytes32 nonce = gate.authorizationNonceOf(account, OP);
        signed = IRailGate.Authorization({
            money: address(money),
            from: belasWallet,
            account: account,
            amount: amount,
            validAfter: 0,
            validBefore: block.timestamp + 1 days,
            salt: OP,
            signature: _authorize(money, BELA_SECRET, address(gate), amount, nonce)
        });
    }

    function _wrongState(bytes32 opId, IRailGate.State state) private pure returns (bytes memory reason) {
        return abi.encodeWithSelector(IRailGate.WrongState.selector, opId, state);
    }
}
