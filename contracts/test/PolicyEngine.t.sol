// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IPolicyEngine} from "../src/IPolicyEngine.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {PolicyEngine} from "../src/PolicyEngine.sol";
import {Moneys} from "./Moneys.sol";

/// @notice Tiers, limits, institutions, dates and what is remembered.
contract PolicyEngineTest is Moneys {
    uint64 private constant NONE = type(uint64).max;
    bytes32 private constant CYRA = keccak256("Cyra in XND");

    function setUp() public override {
        super.setUp();
        _fund(crown, annaPurse, 1000);
    }

    function testAWalletHoldsWhatItsTierAllows() public {
        _setTiers(1500, NONE);
        vm.prank(BRIDGE);
        _refuses(abi.encodeWithSelector(IPolicyEngine.HoldingLimitExceeded.selector, annaPurse, 1500));
        crown.crosschainMint(annaPurse, 501);
        isTrue(engine.canReceive(address(crown), annaPurse, 501) == IPolicyEngine.Reason.HOLDING_LIMIT);
        isTrue(engine.canReceive(address(crown), annaPurse, 500) == IPolicyEngine.Reason.NONE);
        _fund(crown, annaPurse, 500);
        _fund(crown, belaPurse, 3000);
        vm.prank(BRIDGE);
        _refuses(abi.encodeWithSelector(IPolicyEngine.HoldingLimitExceeded.selector, belaPurse, 3000));
        crown.crosschainMint(belaPurse, 1);
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(IPolicyEngine.HoldingLimitExceeded.selector, belaPurse, 3000));
        crown.transfer(belaPurse, 1);
        isTrue(engine.canTransfer(address(crown), annaPurse, belaPurse, 1) == IPolicyEngine.Reason.HOLDING_LIMIT);
    }

    function testALevelAboveTheHighestIsTheHighest() public {
        _bindAt(2, PHONE, CYRA, 9);
        _setTiers(10, NONE);
        _fund(crown, PHONE, 900_000);
        equal(crown.memoOf(PHONE), uint256(START) << 8 | 3);
    }

    function testALimitOfZeroHoldsNothing() public {
        _setTiers(0, NONE);
        vm.prank(BRIDGE);
        _refuses(abi.encodeWithSelector(IPolicyEngine.HoldingLimitExceeded.selector, annaPurse, 0));
        crown.crosschainMint(annaPurse, 1);
    }

    function testAPersonSendsWhatTheirDayAllows() public {
        _setTiers(NONE, 300);
        _pay(annaPurse, 200);
        equal(engine.sentToday(address(crown), ANNA), 200);
        isTrue(engine.canTransfer(address(crown), annaPurse, belaPurse, 101) == IPolicyEngine.Reason.DAILY_LIMIT);
        _refusesDaily(101);
        _pay(annaPurse, 100);
        _refusesDaily(1);
        vm.warp((START / 1 days + 1) * 1 days - 1);
        _refusesDaily(1);
        vm.warp((START / 1 days + 1) * 1 days);
        equal(engine.sentToday(address(crown), ANNA), 0);
        _pay(annaPurse, 300);
    }

    /// @dev Two wallets, two banks, one person.
    function testAPersonsWalletsShareADay() public {
        vm.prank(ROOT_HOLDER);
        wallets.setWalletsMost(MONEY, 2);
        _bindAt(2, PHONE, ANNA, 1);
        _fund(crown, PHONE, 1000);
        _setTiers(NONE, 300);
        for (uint256 recall = 0; recall < 2; ++recall) {
            vm.warp(START + recall * 2 days);
            _setRecall(recall == 0 ? 0 : 12 hours);
            _pay(annaPurse, 200);
            vm.prank(PHONE);
            _refuses(abi.encodeWithSelector(IPolicyEngine.DailyLimitExceeded.selector, PHONE, 300));
            crown.transfer(belaPurse, 101);
            _pay(PHONE, 100);
            vm.warp(block.timestamp + 1);
            _refusesDaily(1);
        }
    }

    function testMintsBurnsAndOrdersDoNotCountForTheDay() public {
        _setTiers(NONE, 300);
        vm.prank(BRIDGE);
        crown.crosschainBurn(annaPurse, 400);
        vm.prank(CENTRAL_BANK);
        crown.forcedTransfer(annaPurse, belaPurse, 400, ORDER, bytes32(0));
        equal(engine.sentToday(address(crown), ANNA), 0);
    }

    function testALevelWithoutADailyLimitSendsFreely() public {
        _bindAt(2, PHONE, CYRA, 3);
        _fund(crown, PHONE, 10_000);
        _setTiers(NONE, 300);
        isTrue(engine.canTransfer(address(crown), PHONE, belaPurse, 9000) == IPolicyEngine.Reason.NONE);
        _pay(PHONE, 9000);
        equal(engine.sentToday(address(crown), CYRA), 0);
    }

    function testALoweredTierIsFeltAtOnceWithoutRecall() public {
        _setTiers(NONE, 300);
        _pay(annaPurse, 100);
        _setTiers(NONE, 150);
        _refusesDaily(51);
        _setTiers(NONE, 50);
        _refusesDaily(1);
        _pay(annaPurse, 0);
    }

    function testInstitutionsHaveNoLimitsAndNeedNoBinding() public {
        _setTiers(10, 10);
        isTrue(engine.canReceive(address(crown), TREASURY, 1) == IPolicyEngine.Reason.RECEIVER_UNKNOWN);
        vm.prank(CENTRAL_BANK);
        engine.setInstitution(address(crown), TREASURY, CLASS);
        equal(engine.institutionOf(address(crown), TREASURY), CLASS);
        _fund(crown, TREASURY, 5000);
        equal(crown.memoOf(TREASURY), uint256(START) << 8 | 255);
        vm.prank(TREASURY);
        crown.transfer(belaPurse, 5);
        _setTiers(NONE, 10);
        isTrue(engine.canTransfer(address(crown), TREASURY, belaPurse, 4000) == IPolicyEngine.Reason.NONE);
        vm.prank(TREASURY);
        crown.transfer(belaPurse, 4000);
        vm.prank(CENTRAL_BANK);
        engine.setInstitution(address(crown), TREASURY, bytes32(0));
        vm.prank(TREASURY);
        _refuses(abi.encodeWithSelector(IPolicyEngine.SenderUnknown.selector, TREASURY));
        crown.transfer(belaPurse, 0);
    }

    function testAnInstitutionOfOneCurrencyIsNoneOfAnother() public {
        vm.prank(LICENSEE);
        engine.setInstitution(address(coin), TREASURY, CLASS);
        vm.prank(BRIDGE);
        _refuses(abi.encodeWithSelector(IPolicyEngine.ReceiverUnknown.selector, TREASURY));
        crown.crosschainMint(TREASURY, 1);
    }

    function testWithoutAPolicyNothingMoves() public {
        ISovereignMoney.Opening memory opening = _crown();
        opening.currency = 5;
        ISovereignMoney fresh = _create(opening);
        vm.prank(CENTRAL_BANK);
        fresh.setLimits(BRIDGE, 100, 100);
        bytes memory reason = abi.encodeWithSelector(IPolicyEngine.NoPolicy.selector, address(fresh));
        vm.prank(BRIDGE);
        _refuses(reason);
        fresh.crosschainMint(annaPurse, 1);
        isTrue(engine.canSend(address(fresh), annaPurse) == IPolicyEngine.Reason.NO_POLICY);
        isTrue(engine.canReceive(address(fresh), annaPurse, 1) == IPolicyEngine.Reason.NO_POLICY);
        isTrue(engine.canTransfer(address(fresh), annaPurse, belaPurse, 1) == IPolicyEngine.Reason.NO_POLICY);
        // One that is still to come is none yet.
        vm.prank(CENTRAL_BANK);
        engine.setPolicy(address(fresh), _tiers(100, NONE), uint32(START) + 1 days);
        vm.prank(BRIDGE);
        _refuses(reason);
        fresh.crosschainMint(annaPurse, 1);
        (uint32 from,) = engine.policyOf(address(fresh));
        equal(from, 0);
        vm.warp(START + 1 days);
        vm.prank(BRIDGE);
        fresh.crosschainMint(annaPurse, 1);
    }

    function testAPolicyBeginsAtItsDate() public {
        _setTiers(2000, NONE);
        uint32 date = uint32(START) + 10 days;
        vm.prank(CENTRAL_BANK);
        engine.setPolicy(address(crown), _tiers(1100, 5), date);
        _expectPolicy(uint32(START), 2000, date, 1100);
        _fund(crown, annaPurse, 500);
        vm.warp(date - 1);
        _fund(crown, annaPurse, 100);
        vm.warp(date);
        vm.prank(BRIDGE);
        _refuses(abi.encodeWithSelector(IPolicyEngine.HoldingLimitExceeded.selector, annaPurse, 1100));
        crown.crosschainMint(annaPurse, 1);
        _expectPolicy(date, 1100, 0, 0);
        // The next one follows the one that came into force.
        vm.prank(CENTRAL_BANK);
        engine.setPolicy(address(crown), _tiers(7, 7), date + 5 days);
        _expectPolicy(date, 1100, date + 5 days, 7);
        vm.prank(CENTRAL_BANK);
        engine.setPolicy(address(crown), _tiers(8, 8), date + 6 days);
        _expectPolicy(date, 1100, date + 6 days, 8);
        _setTiers(9, 9);
        _expectPolicy(date, 9, 0, 0);
    }

    function testADateHasBounds(uint32 from) public {
        bool early = from + uint256(5 minutes) < START;
        bool late = from > START + 366 days;
        vm.prank(CENTRAL_BANK);
        if (early || late) _refuses(abi.encodeWithSelector(IPolicyEngine.DateOutOfRange.selector, from));
        engine.setPolicy(address(crown), _tiers(1, 1), from);
    }

    function testADateALittlePastMeansNow() public {
        vm.prank(CENTRAL_BANK);
        engine.setPolicy(address(crown), _tiers(3, 3), uint32(START) - 5 minutes);
        _expectPolicy(uint32(START), 3, 0, 0);
        vm.prank(CENTRAL_BANK);
        _refuses(abi.encodeWithSelector(IPolicyEngine.DateOutOfRange.selector, uint32(START) - 5 minutes - 1));
        engine.setPolicy(address(crown), _tiers(3, 3), uint32(START) - 5 minutes - 1);
    }

    function testTheIssuerAndTheRootRuleAndNobodyElse(address caller) public {
        vm.prank(ROOT_HOLDER);
        engine.setPolicy(address(crown), _tiers(3, 3), uint32(START));
        vm.prank(ROOT_HOLDER);
        engine.setInstitution(address(crown), TREASURY, CLASS);
        vm.prank(ROOT_HOLDER);
        engine.setRecall(address(crown), 1);
        vm.assume(caller != ROOT_HOLDER && caller != CENTRAL_BANK);
        bytes memory reason = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller);
        vm.prank(caller);
        _refuses(reason);
        engine.setPolicy(address(crown), _tiers(3, 3), uint32(START));
        vm.prank(caller);
        _refuses(reason);
        engine.setInstitution(address(crown), TREASURY, CLASS);
        vm.prank(caller);
        _refuses(reason);
        engine.setRecall(address(crown), 1);
    }

    function testNobodyIsNoInstitution() public {
        vm.prank(CENTRAL_BANK);
        _refuses(abi.encodeWithSelector(IPolicyEngine.ZeroAddress.selector));
        engine.setInstitution(address(crown), address(0), CLASS);
    }

    function testARecallTimeHasABound() public {
        vm.prank(CENTRAL_BANK);
        _refuses(abi.encodeWithSelector(IPolicyEngine.RecallOutOfRange.selector, 12 hours + 1));
        engine.setRecall(address(crown), 12 hours + 1);
    }

    function testWhatWasFoundInOrderCountsForTheRecallTime() public {
        _setRecall(1 hours);
        _fund(crown, annaPurse, 1);
        _fund(crown, belaPurse, 1);
        _revoke(bank, 0);
        vm.warp(START + 1 hours - 1);
        isTrue(crown.canSend(annaPurse) && crown.canReceive(annaPurse));
        _pay(annaPurse, 1);
        vm.warp(START + 1 hours);
        isFalse(crown.canSend(annaPurse) || crown.canReceive(annaPurse));
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(IPolicyEngine.SenderUnknown.selector, annaPurse));
        crown.transfer(belaPurse, 1);
        vm.prank(belaPurse);
        _refuses(abi.encodeWithSelector(IPolicyEngine.ReceiverUnknown.selector, annaPurse));
        crown.transfer(annaPurse, 1);
    }

    function testAFreezeIsFeltAtOnceWhateverTheRecallTime() public {
        _setRecall(12 hours);
        _pay(annaPurse, 1);
        vm.prank(CENTRAL_BANK);
        crown.freeze(annaPurse, ORDER);
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, annaPurse));
        crown.transfer(belaPurse, 1);
    }

    function testARecallTimeThatEndsIsFeltAtOnce() public {
        _setRecall(12 hours);
        _pay(annaPurse, 1);
        _revoke(bank, 0);
        vm.warp(START + 1);
        _pay(annaPurse, 1);
        _setRecall(0);
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(IPolicyEngine.SenderUnknown.selector, annaPurse));
        crown.transfer(belaPurse, 1);
    }

    function testTheRecallTimeOutlivesPolicies() public {
        _setRecall(77);
        _setTiers(100_000, NONE);
        equal(engine.recallOf(address(crown)), 77);
        vm.prank(CENTRAL_BANK);
        engine.setPolicy(address(crown), _tiers(90_000, NONE), uint32(START) + 1 days);
        vm.warp(START + 2 days);
        _fund(crown, annaPurse, 1);
        _revoke(bank, 0);
        vm.warp(START + 2 days + 76);
        _pay(annaPurse, 1);
        vm.prank(CENTRAL_BANK);
        engine.setPolicy(address(crown), _tiers(80_000, NONE), uint32(START) + 10 days);
        equal(engine.recallOf(address(crown)), 77);
    }

    /// @dev A wallet that was asked about when it received has no person remembered for it yet.
    function testADailyLimitHoldsForASenderThatIsNotAskedAbout() public {
        _setRecall(12 hours);
        _setTiers(NONE, 300);
        _fund(crown, annaPurse, 1);
        vm.warp(START + 1 hours);
        _pay(annaPurse, 300);
        vm.warp(START + 2 hours);
        isTrue(engine.canTransfer(address(crown), annaPurse, belaPurse, 1) == IPolicyEngine.Reason.DAILY_LIMIT);
        _refusesDaily(1);
    }

    function testWhoeverCallsCountsForItselfOnly() public {
        _setTiers(NONE, 300);
        _refuses(abi.encodeWithSelector(IPolicyEngine.NoPolicy.selector, address(this)));
        engine.onTransfer(MONEY, annaPurse, belaPurse, 300, 300, 0, 0);
        equal(engine.sentToday(address(crown), ANNA), 0);
    }

    function testAnEngineNeedsItsContracts() public {
        _refuses(abi.encodeWithSelector(IPolicyEngine.NotAContract.selector, STRANGER));
        new PolicyEngine(STRANGER, address(wallets));
        _refuses(abi.encodeWithSelector(IPolicyEngine.NotAContract.selector, STRANGER));
        new PolicyEngine(address(governance), STRANGER);
    }

    /// @dev Every reason it has for a payment is the one with which the payment is refused.
    function testCanTransferSaysWhatAPaymentDoes(uint64 amount, uint64 holding, uint64 daily, uint8 who, uint16 recall)
        public
    {
        _setTiers(uint64(within(holding, 500, 3000)), uint64(within(daily, 0, 1500)));
        _setRecall(uint16(recall % (12 hours + 1)));
        vm.warp(START + recall % 1000);
        if (who & 1 == 1) _revoke(bank, 0);
        if (who & 2 == 2) _revoke(bank, 1);
        address to = who & 4 == 4 ? STRANGER : belaPurse;
        uint256 value = within(amount, 0, 1000);
        IPolicyEngine.Reason reason = engine.canTransfer(address(crown), annaPurse, to, value);
        vm.prank(annaPurse);
        try crown.transfer(to, value) {
            isTrue(reason == IPolicyEngine.Reason.NONE);
        } catch (bytes memory error) {
            bytes4[6] memory errors = [
                bytes4(0),
                IPolicyEngine.NoPolicy.selector,
                IPolicyEngine.SenderUnknown.selector,
                IPolicyEngine.ReceiverUnknown.selector,
                IPolicyEngine.HoldingLimitExceeded.selector,
                IPolicyEngine.DailyLimitExceeded.selector
            ];
            isTrue(bytes4(error) == errors[uint8(reason)]);
        }
    }

    function _pay(address from, uint256 amount) private {
        vm.prank(from);
        crown.transfer(belaPurse, amount);
    }

    function _refusesDaily(uint256 amount) private {
        (, IPolicyEngine.Tier[3] memory tiers) = engine.policyOf(address(crown));
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(IPolicyEngine.DailyLimitExceeded.selector, annaPurse, tiers[0].dailyLimit));
        crown.transfer(belaPurse, amount);
    }

    function _setRecall(uint16 duration) private {
        vm.prank(CENTRAL_BANK);
        engine.setRecall(address(crown), duration);
    }

    function _expectPolicy(uint32 from, uint64 holdingLimit, uint32 nextFrom, uint64 nextHoldingLimit) private view {
        (uint32 date, IPolicyEngine.Tier[3] memory tiers) = engine.policyOf(address(crown));
        equal(date, from);
        equal(tiers[0].holdingLimit, holdingLimit);
        equal(tiers[1].holdingLimit, 2 * holdingLimit);
        equal(tiers[2].holdingLimit, NONE);
        (date, tiers) = engine.nextPolicyOf(address(crown));
        equal(date, nextFrom);
        equal(tiers[0].holdingLimit, nextHoldingLimit);
    }
}
