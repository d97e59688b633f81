// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {IMoneyFactory} from "../src/IMoneyFactory.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {MoneyFactory} from "../src/MoneyFactory.sol";
import {MoneyProxy} from "../src/money/MoneyProxy.sol";
import {PolicyEngine} from "../src/PolicyEngine.sol";
import {SovereignMoney} from "../src/SovereignMoney.sol";
import {Moneys} from "./Moneys.sol";

/// @notice The next release, in a test.
contract NextMoney is SovereignMoney {
    uint256 public added;

    function add() external {
        ++added;
    }
}

/// @notice Who may pause, hand over, replace and upgrade; and how currencies come to be.
contract MoneyRightsTest is Moneys {
    bytes32 private constant NO_SALT = bytes32(0);

    function testAGuardianPauses() public {
        vm.expectEmit(address(coin));
        emit ISovereignMoney.Paused(GUARD, START + 7 days);
        _pauseCoin(7 days);
        isTrue(coin.isPaused());
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(ISovereignMoney.MoneyPaused.selector));
        coin.transfer(STRANGER, 0);
        vm.warp(START + 7 days);
        isFalse(coin.isPaused());
        vm.prank(annaPurse);
        coin.transfer(STRANGER, 0);
    }

    function testAPauseOfOneCurrencyIsNoPauseOfAnother() public {
        _pauseCoin(1 days);
        isFalse(crown.isPaused());
    }

    function testAPauseHasALength(uint32 duration) public {
        if (duration > 0 && duration <= 7 days) {
            _pauseCoin(duration);
            return;
        }
        vm.prank(GUARD);
        _refuses(abi.encodeWithSelector(ISovereignMoney.PauseOutOfRange.selector, duration));
        coin.pause(duration);
    }

    function testAPauseBeyondTheMaximumIsRefused() public {
        vm.prank(GUARD);
        _refuses(abi.encodeWithSelector(ISovereignMoney.PauseOutOfRange.selector, 7 days + 1));
        coin.pause(7 days + 1);
        vm.prank(GUARD);
        _refuses(abi.encodeWithSelector(ISovereignMoney.PauseOutOfRange.selector, 0));
        coin.pause(0);
    }

    function testAPauseCannotBeRenewedForEver() public {
        _pauseCoin(2 days);
        vm.warp(START + 1 days);
        _refusesPause(START + 4 days);
        vm.warp(START + 4 days - 1);
        _refusesPause(START + 4 days);
        vm.warp(START + 4 days);
        _pauseCoin(2 days);
        (uint64 from, uint64 until, uint64 next) = coin.pauseOf();
        equal(from, START + 4 days);
        equal(until, START + 6 days);
        equal(next, START + 8 days);
    }

    function testAPauseLiftedEarlyRestsAsLongAsItLasted() public {
        _pauseCoin(2 days);
        vm.warp(START + 1 hours);
        vm.expectEmit(address(coin));
        emit ISovereignMoney.Unpaused(GUARD, START + 2 hours);
        vm.prank(GUARD);
        coin.unpause();
        isFalse(coin.isPaused());
        _refusesPause(START + 2 hours);
        vm.prank(GUARD);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotPaused.selector));
        coin.unpause();
        vm.warp(START + 2 hours);
        _pauseCoin(1);
    }

    function testOnlyGuardiansPause(address caller) public {
        vm.assume(caller != GUARD);
        vm.prank(caller);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotGuardian.selector, caller));
        coin.pause(1);
        _pauseCoin(1);
        vm.prank(caller);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotGuardian.selector, caller));
        coin.unpause();
    }

    function testAGuardianWithADelayDoesNotPauseAtOnce() public {
        uint64 guardian = governance.GUARDIAN();
        vm.prank(ADMIN);
        governance.grantRole(guardian, STRANGER, 1 days);
        vm.prank(STRANGER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotGuardian.selector, STRANGER));
        coin.pause(1);
    }

    function testTheIssuersRightsMoveInTwoSteps() public {
        vm.prank(LICENSEE);
        coin.proposeIssuer(BUYER);
        equal(coin.proposedIssuer(), BUYER);
        equal(coin.issuer(), LICENSEE);
        vm.prank(STRANGER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotProposed.selector, STRANGER));
        coin.acceptIssuer();
        vm.expectEmit(address(coin));
        emit ISovereignMoney.IssuerMoved(LICENSEE, BUYER);
        vm.prank(BUYER);
        coin.acceptIssuer();
        equal(coin.issuer(), BUYER);
        vm.prank(BUYER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotProposed.selector, BUYER));
        coin.acceptIssuer();
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotIssuer.selector, LICENSEE));
        coin.freeze(annaPurse, ORDER);
    }

    function testAProposalIsTakenBack() public {
        vm.prank(LICENSEE);
        coin.proposeIssuer(BUYER);
        vm.prank(LICENSEE);
        coin.proposeIssuer(address(0));
        vm.prank(BUYER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotProposed.selector, BUYER));
        coin.acceptIssuer();
    }

    function testTheAdministratorNamesTheNextIssuerAndNobodyElse() public {
        vm.prank(ADMIN);
        coin.proposeIssuer(BUYER);
        vm.prank(BUYER);
        coin.acceptIssuer();
        vm.prank(ROOT_HOLDER);
        _refuses(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, ROOT_HOLDER));
        coin.proposeIssuer(STRANGER);
    }

    function testThePolicyEngineIsTheAdministratorsToReplace() public {
        address next = address(new PolicyEngine(address(governance), address(wallets)));
        vm.prank(CENTRAL_BANK);
        _refuses(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, CENTRAL_BANK));
        crown.setPolicyEngine(next);
        vm.prank(ADMIN);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotAContract.selector, STRANGER));
        crown.setPolicyEngine(STRANGER);
        vm.prank(ADMIN);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotAContract.selector, address(0)));
        crown.setPolicyEngine(address(0));
        vm.prank(ADMIN);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ProfileIsSettled.selector));
        coin.setPolicyEngine(next);
        vm.prank(ADMIN);
        crown.setPolicyEngine(next);
        equal(crown.policyEngine(), next);
        equal(crown.domain(), MONEY);
    }

    function testTheAttestorIsTheAdministratorsToReplace() public {
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, LICENSEE));
        coin.setAttestor(LICENSEE);
        vm.prank(ADMIN);
        _refuses(abi.encodeWithSelector(ISovereignMoney.HomeIsLedger.selector));
        crown.setAttestor(STRANGER);
        vm.prank(ADMIN);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ZeroAddress.selector));
        coin.setAttestor(address(0));
        vm.prank(ADMIN);
        coin.setAttestor(STRANGER);
        vm.warp(START + 1);
        vm.prank(STRANGER);
        coin.attestReserve(5, START + 1, START + 2);
    }

    function testOnlyTheAdministratorUpgrades(address caller) public {
        vm.assume(caller != ADMIN);
        address next = address(new NextMoney());
        vm.prank(caller);
        _refuses(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller));
        UUPSUpgradeable(address(coin)).upgradeToAndCall(next, "");
    }

    function testAnUpgradeGoesThroughTheTimelockAndKeepsEverything() public {
        _fund(coin, annaPurse, 777);
        vm.prank(LICENSEE);
        coin.freezeAmount(annaPurse, 70, ORDER);
        TimelockController timelock = _handOverToATimelock();
        NextMoney next = new NextMoney();
        bytes memory upgrade = abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (address(next), ""));
        vm.prank(ADMIN);
        _refuses(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, ADMIN));
        UUPSUpgradeable(address(coin)).upgradeToAndCall(address(next), "");
        vm.prank(ADMIN);
        timelock.schedule(address(coin), 0, upgrade, NO_SALT, NO_SALT, 2 days);
        vm.warp(START + 2 days - 1);
        bytes32 id = timelock.hashOperation(address(coin), 0, upgrade, NO_SALT, NO_SALT);
        isFalse(timelock.isOperationReady(id));
        vm.warp(START + 2 days);
        vm.prank(ADMIN);
        timelock.execute(address(coin), 0, upgrade, NO_SALT, NO_SALT);
        NextMoney(address(coin)).add();
        equal(NextMoney(address(coin)).added(), 1);
        equal(coin.balanceOf(annaPurse), 777);
        equal(coin.getFrozenTokens(annaPurse), 70);
        equal(coin.issuer(), LICENSEE);
        equal(coin.totalSupply(), 777);
    }

    function testAnUpgradeToSomethingElseIsRefused() public {
        vm.prank(ADMIN);
        _refuses(abi.encodeWithSelector(ERC1967Utils.ERC1967InvalidImplementation.selector, address(wallets)));
        UUPSUpgradeable(address(coin)).upgradeToAndCall(address(wallets), "");
    }

    function testTheImplementationItselfIsNoCurrency() public {
        SovereignMoney code = SovereignMoney(factory.implementation());
        _refuses(abi.encodeWithSelector(Initializable.InvalidInitialization.selector));
        code.initialize(_coin(), address(governance));
        _refuses(abi.encodeWithSelector(UUPSUpgradeable.UUPSUnauthorizedCallContext.selector));
        code.upgradeToAndCall(address(code), "");
    }

    function testACurrencyIsMadeOnce() public {
        _refuses(abi.encodeWithSelector(Initializable.InvalidInitialization.selector));
        coin.initialize(_coin(), address(governance));
        vm.prank(ROOT_HOLDER);
        _refuses(abi.encodeWithSelector(IMoneyFactory.CurrencyExists.selector, COIN));
        factory.createCurrency(_coin());
    }

    function testOnlyTheRootMakesCurrencies() public {
        ISovereignMoney.Opening memory opening = _coin();
        opening.currency = 7;
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, LICENSEE));
        factory.createCurrency(opening);
    }

    function testTheAddressOfACurrencyIsKnownBefore(uint16 number) public {
        vm.assume(number > COIN);
        address expected = factory.addressOf(number);
        equal(factory.moneyOf(number), address(0));
        ISovereignMoney.Opening memory opening = _crown();
        opening.currency = number;
        opening.code = "A7";
        address next = address(new NextMoney());
        if (number % 2 == 0) {
            vm.prank(ADMIN);
            factory.setImplementation(next);
        }
        equal(address(_create(opening)), expected);
        equal(factory.moneyOf(number), expected);
        uint16[] memory numbers = factory.currencies();
        equal(numbers.length, 3);
        equal(numbers[2], number);
    }

    function testTheImplementationIsTheAdministratorsToReplace() public {
        vm.prank(ROOT_HOLDER);
        _refuses(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, ROOT_HOLDER));
        factory.setImplementation(address(wallets));
        vm.prank(ADMIN);
        _refuses(abi.encodeWithSelector(IMoneyFactory.NotAContract.selector, STRANGER));
        factory.setImplementation(STRANGER);
    }

    function testAFactoryNeedsItsContracts() public {
        address code = factory.implementation();
        _refuses(abi.encodeWithSelector(IMoneyFactory.NotAContract.selector, STRANGER));
        new MoneyFactory(STRANGER, code);
        _refuses(abi.encodeWithSelector(IMoneyFactory.NotAContract.selector, STRANGER));
        new MoneyFactory(address(governance), STRANGER);
    }

    function testAnOpeningMustBeSound() public {
        ISovereignMoney.Opening memory opening = _coin();
        opening.currency = 0;
        _refusesOpening(opening, abi.encodeWithSelector(IMoneyFactory.ZeroCurrency.selector));
        bytes memory invalid = abi.encodeWithSelector(ISovereignMoney.InvalidOpening.selector);
        string[6] memory codes = ["", "TOOLONGX", "xnd", "A-B", "A[", "A/"];
        for (uint256 i = 0; i < codes.length; ++i) {
            opening = _fresh();
            opening.code = codes[i];
            _refusesOpening(opening, invalid);
        }
        opening = _fresh();
        opening.name = "";
        _refusesOpening(opening, invalid);
        opening.name = "A name of more than 31 bytes is refused";
        _refusesOpening(opening, invalid);
        opening = _fresh();
        opening.decimals = 19;
        _refusesOpening(opening, invalid);
        opening = _fresh();
        opening.issuer = address(0);
        _refusesOpening(opening, invalid);
        opening = _fresh();
        opening.attestor = address(0);
        _refusesOpening(opening, invalid);
        opening = _fresh();
        opening.home = ISovereignMoney.Home.LEDGER;
        _refusesOpening(opening, invalid);
        opening = _fresh();
        opening.policyEngine = STRANGER;
        _refusesOpening(opening, abi.encodeWithSelector(ISovereignMoney.NotAContract.selector, STRANGER));
    }

    function testACurrencyNeedsAGovernance() public {
        MoneyFactory bare = new BareFactory(address(governance), factory.implementation());
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotAContract.selector, STRANGER));
        BareFactory(address(bare)).make(_coin(), STRANGER);
    }

    function _handOverToATimelock() private returns (TimelockController timelock) {
        address[] memory signers = new address[](1);
        signers[0] = ADMIN;
        timelock = new TimelockController(2 days, signers, signers, address(0));
        uint64 role = governance.ADMIN_ROLE();
        vm.prank(ADMIN);
        governance.grantRole(role, address(timelock), 0);
        vm.prank(ADMIN);
        governance.renounceRole(role, ADMIN);
    }

    function _pauseCoin(uint32 duration) private {
        vm.prank(GUARD);
        coin.pause(duration);
    }

    function _refusesPause(uint64 earliest) private {
        vm.prank(GUARD);
        _refuses(abi.encodeWithSelector(ISovereignMoney.PauseTooSoon.selector, earliest));
        coin.pause(1);
    }

    function _refusesOpening(ISovereignMoney.Opening memory opening, bytes memory reason) private {
        vm.prank(ROOT_HOLDER);
        _refuses(reason);
        factory.createCurrency(opening);
    }

    function _fresh() private pure returns (ISovereignMoney.Opening memory opening) {
        opening = _coin();
        opening.currency = 7;
    }
}

/// @notice Makes a currency under whatever governance it is told.
contract BareFactory is MoneyFactory {
    constructor(address governance_, address implementation_) MoneyFactory(governance_, implementation_) {}

    function make(ISovereignMoney.Opening calldata opening, address governance_) external {
        MoneyProxy money = new MoneyProxy();
        ISovereignMoney(address(money)).initialize(opening, governance_);
    }
}
