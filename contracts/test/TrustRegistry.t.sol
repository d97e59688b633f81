// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Governance} from "../src/Governance.sol";
import {Governed} from "../src/Governed.sol";
import {ITrustRegistry} from "../src/ITrustRegistry.sol";
import {TrustRegistry} from "../src/TrustRegistry.sol";
import {Nation} from "./Nation.sol";

contract TrustRegistryTest is Nation {
    uint64 private constant END = START + 2 * YEAR;

    // ---- accreditation by the root --------------------------------------------------------------------------------

    function testTheRootAccredits() public {
        vm.expectEmit(address(trust));
        emit ITrustRegistry.Accredited(address(0), MINISTRY, LICENCE, START, END, 4);
        _accredit(MINISTRY, START, END, 4);
        isTrue(trust.isAccredited(MINISTRY, LICENCE, START));
        isTrue(trust.isAccredited(MINISTRY, LICENCE, END - 1));
        isFalse(trust.isAccredited(MINISTRY, LICENCE, START - 1));
        isFalse(trust.isAccredited(MINISTRY, LICENCE, END));
        isFalse(trust.isAccredited(MINISTRY, PERMIT, START));
        isFalse(trust.isAccredited(AGENCY, LICENCE, START));
        ITrustRegistry.Accreditation memory recorded = trust.accreditationOf(MINISTRY, LICENCE);
        equal(recorded.parent, address(0));
        equal(recorded.depth, 4);
        equal(recorded.serial, 1);
        equal(recorded.recordedAt, START);
        equal(recorded.validFrom, START);
        equal(recorded.validUntil, END);
    }

    function testTheAdministratorIsTheRootUntilTheFunctionsAreMapped() public {
        Governance fresh = new Governance(ADMIN);
        TrustRegistry registry = new TrustRegistry(address(dids), address(fresh));
        vm.prank(ADMIN);
        registry.accredit(AGENCY, LICENCE, START, END, 0);
        isTrue(registry.isAccredited(AGENCY, LICENCE, START));
    }

    function testTheRootRecognisesWhatWasIssuedBefore() public {
        _accredit(AGENCY, START - 3650 days, END, 0);
        isTrue(trust.isAccredited(AGENCY, LICENCE, START - 3650 days));
    }

    function testAnAccreditationMayBeginLater() public {
        _accredit(AGENCY, START + 1 days, END, 0);
        isFalse(trust.isAccredited(AGENCY, LICENCE, START));
        isTrue(trust.isAccredited(AGENCY, LICENCE, START + 1 days));
    }

    function testRefusesAStrangerWhoAccredits() public {
        _refusesUnauthorized(STRANGER);
        vm.prank(STRANGER);
        trust.accredit(AGENCY, LICENCE, START, END, 0);
    }

    function testRefusesTheAdministratorWhoAccreditsOnceTheFunctionsAreMapped() public {
        _refusesUnauthorized(ADMIN);
        vm.prank(ADMIN);
        trust.accredit(AGENCY, LICENCE, START, END, 0);
    }

    function testRefusesAFormerRoot() public {
        vm.prank(ROOT_HOLDER);
        governance.proposeRoot(BUYER);
        vm.prank(BUYER);
        governance.acceptRoot();
        _refusesUnauthorized(ROOT_HOLDER);
        _accredit(AGENCY, START, END, 0);
    }

    function testRefusesToAccreditDuringAPause() public {
        _pause(address(trust), 1 days);
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        _accredit(AGENCY, START, END, 0);
    }

    function testRefusesToAccreditNobody() public {
        _refuses(abi.encodeWithSelector(ITrustRegistry.InvalidIssuer.selector));
        _accredit(address(0), START, END, 0);
    }

    function testRefusesToAccreditForNoType() public {
        _refuses(abi.encodeWithSelector(ITrustRegistry.ZeroIdentifier.selector));
        vm.prank(ROOT_HOLDER);
        trust.accredit(AGENCY, bytes32(0), START, END, 0);
    }

    function testRefusesADepthAboveTheHighest() public {
        _refuses(abi.encodeWithSelector(ITrustRegistry.DepthOutOfRange.selector, 5, 4));
        _accredit(AGENCY, START, END, 5);
    }

    function testRefusesAPeriodThatEndsBeforeItBegins() public {
        _refusesPeriod(START + 2 days, START + 2 days);
        _accredit(AGENCY, START + 2 days, START + 2 days, 0);
    }

    function testRefusesAPeriodThatIsOver() public {
        _refusesPeriod(START - 2 days, START);
        _accredit(AGENCY, START - 2 days, START, 0);
    }

    function testRefusesARecognitionBeyondTenYears() public {
        _refusesPeriod(START - 3650 days - 1, END);
        _accredit(AGENCY, START - 3650 days - 1, END, 0);
    }

    function testRefusesASecondAccreditationWhileOneIsInForce() public {
        _accredit(AGENCY, START, END, 0);
        _refuses(abi.encodeWithSelector(ITrustRegistry.AlreadyAccredited.selector, AGENCY, LICENCE));
        _accredit(AGENCY, START, END + YEAR, 4);
    }

    function testRefusesASecondAccreditationWhileOneIsToCome() public {
        _accredit(AGENCY, START + 1 days, END, 0);
        _refuses(abi.encodeWithSelector(ITrustRegistry.AlreadyAccredited.selector, AGENCY, LICENCE));
        _accredit(AGENCY, START, END, 0);
    }

    function testAnExpiredAccreditationMayBeFollowedWithoutAGap() public {
        _accredit(AGENCY, START, START + 1 days, 0);
        vm.warp(START + 3 days);
        _accredit(AGENCY, START + 1 days, END, 0);
        isTrue(trust.isAccredited(AGENCY, LICENCE, START + 1 days));
        equal(trust.accreditationOf(AGENCY, LICENCE).serial, 2);
    }

    function testRefusesANewAccreditationOverATimeThatHadOne() public {
        _accredit(AGENCY, START, START + 1 days, 0);
        vm.warp(START + 3 days);
        _refusesPeriod(START + 1 days - 1, END);
        _accredit(AGENCY, START + 1 days - 1, END, 0);
    }

    // ---- accreditation below --------------------------------------------------------------------------------------

    function testAMinistryAccreditsBelowItself() public {
        _accredit(MINISTRY, START, END, 1);
        vm.expectEmit(address(trust));
        emit ITrustRegistry.Accredited(MINISTRY, AGENCY, LICENCE, START, END, 0);
        _below(MINISTRY, AGENCY, START, END, 0);
        isTrue(trust.isAccredited(AGENCY, LICENCE, START));
        ITrustRegistry.Accreditation memory recorded = trust.accreditationOf(AGENCY, LICENCE);
        equal(recorded.parent, MINISTRY);
        equal(recorded.parentSerial, 1);
    }

    function testAChainOfFiveLinksCounts() public {
        _chain();
        isTrue(trust.isAccredited(DESK, LICENCE, START));
        (uint64 from, uint64 until) = trust.standingOf(DESK, LICENCE);
        equal(from, START);
        equal(until, END);
    }

    function testANewOwnerOfTheParentAccredits() public {
        _accredit(MINISTRY, START, END, 1);
        _changeOwner(MINISTRY, MINISTRY, BUYER);
        vm.prank(BUYER);
        trust.accreditBelow(MINISTRY, AGENCY, LICENCE, START, END, 0);
        isTrue(trust.isAccredited(AGENCY, LICENCE, START));
    }

    function testAnAccreditationBelowMayHaveWaitedADay() public {
        _accredit(MINISTRY, START - 10 days, END, 1);
        _below(MINISTRY, AGENCY, START - 1 days, END, 0);
        isTrue(trust.isAccredited(AGENCY, LICENCE, START - 1 days));
    }

    function testRefusesASixthLink() public {
        _chain();
        _refuses(abi.encodeWithSelector(ITrustRegistry.DepthOutOfRange.selector, 0, 0));
        _below(DESK, ANNEX, START, END, 0);
    }

    function testRefusesADepthNotBelowTheParents() public {
        _accredit(MINISTRY, START, END, 2);
        _refuses(abi.encodeWithSelector(ITrustRegistry.DepthOutOfRange.selector, 2, 1));
        _below(MINISTRY, AGENCY, START, END, 2);
    }

    function testRefusesAFormerOwnerOfTheParent() public {
        _accredit(MINISTRY, START, END, 1);
        _changeOwner(MINISTRY, MINISTRY, BUYER);
        _refuses(abi.encodeWithSelector(ITrustRegistry.NotParentOwner.selector, MINISTRY, MINISTRY));
        _below(MINISTRY, AGENCY, START, END, 0);
    }

    function testRefusesTheRootInAMinistrysName() public {
        _accredit(MINISTRY, START, END, 1);
        _refuses(abi.encodeWithSelector(ITrustRegistry.NotParentOwner.selector, MINISTRY, ROOT_HOLDER));
        vm.prank(ROOT_HOLDER);
        trust.accreditBelow(MINISTRY, AGENCY, LICENCE, START, END, 0);
    }

    function testRefusesWhoeverClaimedIdentityZeroAsParent() public {
        _claimIdentityZero(STRANGER);
        _refuses(abi.encodeWithSelector(ITrustRegistry.NotParentOwner.selector, address(0), STRANGER));
        vm.prank(STRANGER);
        trust.accreditBelow(address(0), STRANGER, LICENCE, START, END, 0);
    }

    function testRefusesWhoeverClaimedIdentityZeroInTheRootsPlace() public {
        _accredit(AGENCY, START, END, 0);
        _claimIdentityZero(STRANGER);
        _refusesUnauthorized(STRANGER);
        vm.prank(STRANGER);
        trust.endAccreditation(address(0), AGENCY, LICENCE);
        _refusesUnauthorized(STRANGER);
        vm.prank(STRANGER);
        trust.voidAccreditation(address(0), AGENCY, LICENCE, START);
        _refuses(abi.encodeWithSelector(ITrustRegistry.InvalidIssuer.selector));
        vm.prank(STRANGER);
        trust.distrustKey(address(0), DIGEST, START);
    }

    function testRefusesAParentWithoutAccreditation() public {
        _refuses(abi.encodeWithSelector(ITrustRegistry.ParentNotAccredited.selector, MINISTRY, LICENCE));
        _below(MINISTRY, AGENCY, START, END, 0);
    }

    function testRefusesAParentAccreditedForAnotherType() public {
        _accredit(MINISTRY, START, END, 1);
        _refuses(abi.encodeWithSelector(ITrustRegistry.ParentNotAccredited.selector, MINISTRY, PERMIT));
        vm.prank(MINISTRY);
        trust.accreditBelow(MINISTRY, AGENCY, PERMIT, START, END, 0);
    }

    function testRefusesAParentWhosePeriodIsToCome() public {
        _accredit(MINISTRY, START + 1 days, END, 1);
        _refuses(abi.encodeWithSelector(ITrustRegistry.ParentNotAccredited.selector, MINISTRY, LICENCE));
        _below(MINISTRY, AGENCY, START + 1 days, END, 0);
    }

    function testRefusesAParentThatHasEnded() public {
        _accredit(MINISTRY, START, END, 1);
        _end(address(0), MINISTRY);
        _refuses(abi.encodeWithSelector(ITrustRegistry.ParentNotAccredited.selector, MINISTRY, LICENCE));
        _below(MINISTRY, AGENCY, START, END, 0);
    }

    function testRefusesAnIssuerThatAccreditsItselfAnew() public {
        _accredit(MINISTRY, START, END, 1);
        _refuses(abi.encodeWithSelector(ITrustRegistry.AlreadyAccredited.selector, MINISTRY, LICENCE));
        _below(MINISTRY, MINISTRY, START, END, 0);
    }

    function testRefusesAParentThatTakesAnIssuerFromAnother() public {
        _accredit(MINISTRY, START, END, 1);
        _accredit(AGENCY, START, END, 0);
        _refuses(abi.encodeWithSelector(ITrustRegistry.AlreadyAccredited.selector, AGENCY, LICENCE));
        _below(MINISTRY, AGENCY, START, END, 0);
    }

    function testRefusesAPeriodThatBeginsBeforeTheParents() public {
        _accredit(MINISTRY, START - 1 hours, END, 1);
        _refusesPeriod(START - 1 hours - 1, END);
        _below(MINISTRY, AGENCY, START - 1 hours - 1, END, 0);
    }

    function testRefusesAPeriodThatEndsAfterTheParents() public {
        _accredit(MINISTRY, START, END, 1);
        _refusesPeriod(START, END + 1);
        _below(MINISTRY, AGENCY, START, END + 1, 0);
    }

    function testRefusesAnAccreditationBelowThatReachesBackMoreThanADay() public {
        _accredit(MINISTRY, START - 10 days, END, 1);
        _refusesPeriod(START - 1 days - 1, END);
        _below(MINISTRY, AGENCY, START - 1 days - 1, END, 0);
    }

    function testRefusesToAccreditBelowDuringAPause() public {
        _accredit(MINISTRY, START, END, 1);
        _pause(address(trust), 1 days);
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        _below(MINISTRY, AGENCY, START, END, 0);
    }

    function testRefusesToAccreditNobodyBelow() public {
        _accredit(MINISTRY, START, END, 1);
        _refuses(abi.encodeWithSelector(ITrustRegistry.InvalidIssuer.selector));
        _below(MINISTRY, address(0), START, END, 0);
    }

    function testRefusesToAccreditBelowForNoType() public {
        _refuses(abi.encodeWithSelector(ITrustRegistry.ZeroIdentifier.selector));
        vm.prank(MINISTRY);
        trust.accreditBelow(MINISTRY, AGENCY, bytes32(0), START, END, 0);
    }

    function testFuzzAPeriodBelowNeverLeavesTheParents(uint64 from, uint64 until, uint8 depth) public {
        _accredit(MINISTRY, START, END, 3);
        vm.prank(MINISTRY);
        try trust.accreditBelow(MINISTRY, AGENCY, LICENCE, from, until, depth) {
            isTrue(from >= START && until <= END && from < until && depth < 3);
        } catch {
            isFalse(from >= START && until <= END && from < until && depth < 3);
        }
    }

    function testFuzzEveryChainWithShrinkingDepthsIsAccepted(uint64[5] memory seeds) public {
        address[5] memory links = [MINISTRY, AGENCY, OFFICE, BRANCH, DESK];
        uint64 until = END + seeds[0] % YEAR;
        _accredit(links[0], START, until, 4);
        for (uint8 i = 1; i < 5; ++i) {
            until -= seeds[i] % (YEAR / 5);
            _below(links[i - 1], links[i], START, until, 4 - i);
        }
        isTrue(trust.isAccredited(DESK, LICENCE, until - 1));
        isFalse(trust.isAccredited(DESK, LICENCE, until));
    }

    // ---- ending ---------------------------------------------------------------------------------------------------

    function testWhatWasIssuedBeforeTheEndStaysGood() public {
        _accredit(AGENCY, START, END, 0);
        vm.warp(START + 10 days);
        vm.expectEmit(address(trust));
        emit ITrustRegistry.AccreditationEnded(address(0), AGENCY, LICENCE, START + 10 days);
        _end(address(0), AGENCY);
        isTrue(trust.isAccredited(AGENCY, LICENCE, START + 10 days - 1));
        isFalse(trust.isAccredited(AGENCY, LICENCE, START + 10 days));
    }

    function testTheParentEndsWhatItGave() public {
        _chain();
        vm.warp(START + 1 days);
        vm.prank(MINISTRY);
        trust.endAccreditation(MINISTRY, AGENCY, LICENCE);
        isFalse(trust.isAccredited(AGENCY, LICENCE, _now()));
        isTrue(trust.isAccredited(MINISTRY, LICENCE, _now()));
    }

    function testTheRootEndsWhatAParentGave() public {
        _chain();
        _end(OFFICE, BRANCH);
        isFalse(trust.isAccredited(BRANCH, LICENCE, _now()));
        isFalse(trust.isAccredited(DESK, LICENCE, _now()));
        isTrue(trust.isAccredited(OFFICE, LICENCE, _now()));
    }

    function testEverythingBelowEndsWithAParent() public {
        _chain();
        vm.warp(START + 1 days);
        _end(address(0), MINISTRY);
        isTrue(trust.isAccredited(DESK, LICENCE, START + 1 days - 1));
        isFalse(trust.isAccredited(DESK, LICENCE, START + 1 days));
    }

    function testWhatEndedWithAParentDoesNotComeBackWithIt() public {
        _chain();
        vm.warp(START + 1 days);
        _end(address(0), MINISTRY);
        _accredit(MINISTRY, START + 1 days, END, 4);
        isTrue(trust.isAccredited(MINISTRY, LICENCE, START + 1 days));
        isFalse(trust.isAccredited(AGENCY, LICENCE, START + 1 days));
        isFalse(trust.isAccredited(DESK, LICENCE, START + 1 days));
    }

    function testAnIssuerWhoseParentEndedMayBeAccreditedByAnother() public {
        _chain();
        vm.warp(START + 1 days);
        _end(address(0), MINISTRY);
        _accredit(DESK, START + 1 days, END, 0);
        isTrue(trust.isAccredited(DESK, LICENCE, START + 1 days));
        equal(trust.accreditationOf(DESK, LICENCE).serial, 2);
    }

    function testAnIssuerMayBeAccreditedAfterAnEnd() public {
        _accredit(AGENCY, START, END, 0);
        vm.warp(START + 1 days);
        _end(address(0), AGENCY);
        _accredit(AGENCY, START + 1 days, END, 0);
        isTrue(trust.isAccredited(AGENCY, LICENCE, START + 1 days));
    }

    function testRefusesANewAccreditationFromBeforeTheEnd() public {
        _accredit(AGENCY, START, END, 0);
        vm.warp(START + 1 days);
        _end(address(0), AGENCY);
        _refusesPeriod(START + 1 days - 1, END);
        _accredit(AGENCY, START + 1 days - 1, END, 0);
    }

    function testEndingGoesOnDuringAPause() public {
        _accredit(AGENCY, START, END, 0);
        _pause(address(trust), 7 days);
        _end(address(0), AGENCY);
        isFalse(trust.isAccredited(AGENCY, LICENCE, START));
    }

    function testRefusesAStrangerWhoEnds() public {
        _chain();
        _refusesUnauthorized(STRANGER);
        vm.prank(STRANGER);
        trust.endAccreditation(MINISTRY, AGENCY, LICENCE);
    }

    function testRefusesAnIssuerThatEndsItsOwnParent() public {
        _chain();
        _refusesUnauthorized(AGENCY);
        vm.prank(AGENCY);
        trust.endAccreditation(address(0), MINISTRY, LICENCE);
    }

    function testRefusesAGrandparentThatEnds() public {
        _chain();
        _refusesUnauthorized(MINISTRY);
        vm.prank(MINISTRY);
        trust.endAccreditation(AGENCY, OFFICE, LICENCE);
    }

    function testRefusesAParentWhoseOwnAccreditationEnded() public {
        _chain();
        _end(address(0), MINISTRY);
        _refusesUnauthorized(MINISTRY);
        vm.prank(MINISTRY);
        trust.voidAccreditation(MINISTRY, AGENCY, LICENCE, START);
        _refusesUnauthorized(MINISTRY);
        vm.prank(MINISTRY);
        trust.endAccreditation(MINISTRY, AGENCY, LICENCE);
    }

    function testRefusesToEndWhatWasNeverGiven() public {
        _refuses(abi.encodeWithSelector(ITrustRegistry.UnknownAccreditation.selector, address(0), AGENCY, LICENCE));
        _end(address(0), AGENCY);
    }

    function testRefusesToEndUnderAnotherParent() public {
        _chain();
        _refuses(abi.encodeWithSelector(ITrustRegistry.UnknownAccreditation.selector, address(0), AGENCY, LICENCE));
        _end(address(0), AGENCY);
    }

    function testRefusesToEndTwice() public {
        _accredit(AGENCY, START, END, 0);
        _end(address(0), AGENCY);
        _refuses(abi.encodeWithSelector(ITrustRegistry.NotInForce.selector, AGENCY, LICENCE));
        _end(address(0), AGENCY);
    }

    function testRefusesToEndWhatIsVoid() public {
        _accredit(AGENCY, START, END, 0);
        _void(address(0), AGENCY, START);
        _refuses(abi.encodeWithSelector(ITrustRegistry.NotInForce.selector, AGENCY, LICENCE));
        _end(address(0), AGENCY);
    }

    function testRefusesToEndWhatHasExpired() public {
        _accredit(AGENCY, START, START + 1 days, 0);
        vm.warp(START + 1 days);
        _refuses(abi.encodeWithSelector(ITrustRegistry.NotInForce.selector, AGENCY, LICENCE));
        _end(address(0), AGENCY);
    }

    // ---- voiding --------------------------------------------------------------------------------------------------

    function testAVoidReachesBack() public {
        _accredit(AGENCY, START, END, 0);
        vm.warp(START + 10 days);
        vm.expectEmit(address(trust));
        emit ITrustRegistry.AccreditationVoided(address(0), AGENCY, LICENCE, START + 2 days);
        _void(address(0), AGENCY, START + 2 days);
        isTrue(trust.isAccredited(AGENCY, LICENCE, START + 2 days - 1));
        isFalse(trust.isAccredited(AGENCY, LICENCE, START + 2 days));
        equal(trust.accreditationOf(AGENCY, LICENCE).voidedAt, START + 10 days);
    }

    function testTheParentVoidsWhatItGave() public {
        _chain();
        vm.prank(AGENCY);
        trust.voidAccreditation(AGENCY, OFFICE, LICENCE, START);
        isFalse(trust.isAccredited(DESK, LICENCE, START));
    }

    function testAVoidMovesToAnEarlierTime() public {
        _accredit(AGENCY, START, END, 0);
        vm.warp(START + 10 days);
        _void(address(0), AGENCY, START + 5 days);
        vm.warp(START + 11 days);
        _void(address(0), AGENCY, START + 5 days - 1);
        equal(trust.accreditationOf(AGENCY, LICENCE).voidSince, START + 5 days - 1);
        equal(trust.accreditationOf(AGENCY, LICENCE).voidedAt, START + 10 days);
        isFalse(trust.isAccredited(AGENCY, LICENCE, START + 5 days - 1));
    }

    function testFraudFoundAfterTheEndVoidsWhatHadEnded() public {
        _accredit(AGENCY, START, END, 0);
        vm.warp(START + 10 days);
        _end(address(0), AGENCY);
        _void(address(0), AGENCY, START + 1 days);
        isFalse(trust.isAccredited(AGENCY, LICENCE, START + 1 days));
        isTrue(trust.isAccredited(AGENCY, LICENCE, START));
    }

    function testAVoidAfterTheEndDoesNotProlong() public {
        _accredit(AGENCY, START, END, 0);
        vm.warp(START + 10 days);
        _end(address(0), AGENCY);
        vm.warp(START + 20 days);
        _void(address(0), AGENCY, START + 15 days);
        (, uint64 until) = trust.standingOf(AGENCY, LICENCE);
        equal(until, START + 10 days);
    }

    function testWhatWasAccreditedBelowBeforeTheVoidEndsWithIt() public {
        _chain();
        vm.warp(START + 10 days);
        _void(address(0), MINISTRY, START + 5 days);
        isTrue(trust.isAccredited(DESK, LICENCE, START + 5 days - 1));
        isFalse(trust.isAccredited(DESK, LICENCE, START + 5 days));
    }

    function testWhatWasAccreditedBelowAfterTheVoidNeverWas() public {
        _accredit(MINISTRY, START, END, 4);
        vm.warp(START + 6 days);
        _below(MINISTRY, AGENCY, START + 5 days, END, 3);
        vm.warp(START + 10 days);
        _void(address(0), MINISTRY, START + 6 days);
        isTrue(trust.isAccredited(MINISTRY, LICENCE, START + 5 days));
        isFalse(trust.isAccredited(AGENCY, LICENCE, START + 5 days));
    }

    function testWhatWasAccreditedTwoLevelsBelowAfterTheVoidNeverWas() public {
        _accredit(MINISTRY, START, END, 4);
        _below(MINISTRY, AGENCY, START, END, 3);
        vm.warp(START + 6 days);
        _below(AGENCY, OFFICE, START + 5 days, END, 2);
        vm.warp(START + 10 days);
        _void(address(0), MINISTRY, START + 6 days);
        isTrue(trust.isAccredited(AGENCY, LICENCE, START + 5 days));
        isFalse(trust.isAccredited(OFFICE, LICENCE, START + 5 days));
    }

    function testAClockThatRunsAheadVoidsSinceTheBlock() public {
        _accredit(AGENCY, START, END, 0);
        _void(address(0), AGENCY, START + 5 minutes);
        equal(trust.accreditationOf(AGENCY, LICENCE).voidSince, START);
    }

    function testVoidingGoesOnDuringAPause() public {
        _accredit(AGENCY, START, END, 0);
        _pause(address(trust), 7 days);
        _void(address(0), AGENCY, START);
    }

    function testAnIssuerFoundVoidMayBeAccreditedAnewFromThenOn() public {
        _accredit(AGENCY, START, END, 0);
        vm.warp(START + 10 days);
        _void(address(0), AGENCY, START + 2 days);
        _accredit(AGENCY, START + 10 days, END, 0);
        isTrue(trust.isAccredited(AGENCY, LICENCE, START + 10 days));
    }

    function testRefusesANewAccreditationOverTheVoidTime() public {
        _accredit(AGENCY, START, END, 0);
        vm.warp(START + 10 days);
        _void(address(0), AGENCY, START + 2 days);
        _refusesPeriod(START + 10 days - 1, END);
        _accredit(AGENCY, START + 10 days - 1, END, 0);
    }

    function testRefusesToMoveAVoidToALaterTime() public {
        _accredit(AGENCY, START, END, 0);
        vm.warp(START + 10 days);
        _void(address(0), AGENCY, START + 5 days);
        _refusesSince(START + 6 days, START + 5 days - 1);
        _void(address(0), AGENCY, START + 6 days);
    }

    function testRefusesToRecordTheSameVoidTwice() public {
        _accredit(AGENCY, START, END, 0);
        _void(address(0), AGENCY, START);
        _refusesSince(START, START - 1);
        _void(address(0), AGENCY, START);
    }

    function testRefusesAVoidSinceTheBeginningOfTime() public {
        _accredit(AGENCY, START, END, 0);
        _refusesSince(0, START + 5 minutes);
        _void(address(0), AGENCY, 0);
    }

    function testRefusesAVoidInTheFuture() public {
        _accredit(AGENCY, START, END, 0);
        _refusesSince(START + 5 minutes + 1, START + 5 minutes);
        _void(address(0), AGENCY, START + 5 minutes + 1);
    }

    function testRefusesAStrangerWhoVoids() public {
        _accredit(AGENCY, START, END, 0);
        _refusesUnauthorized(STRANGER);
        vm.prank(STRANGER);
        trust.voidAccreditation(address(0), AGENCY, LICENCE, START);
    }

    function testRefusesToVoidWhatWasNeverGiven() public {
        _refuses(abi.encodeWithSelector(ITrustRegistry.UnknownAccreditation.selector, address(0), AGENCY, LICENCE));
        _void(address(0), AGENCY, START);
    }

    function testFuzzAVoidOnlyEverMovesEarlier(uint64[8] memory times) public {
        _accredit(AGENCY, START, END, 0);
        vm.warp(START + YEAR);
        uint64 recorded;
        for (uint256 i = 0; i < times.length; ++i) {
            vm.prank(ROOT_HOLDER);
            try trust.voidAccreditation(address(0), AGENCY, LICENCE, times[i] % (START + YEAR)) {} catch {}
            uint64 since = trust.accreditationOf(AGENCY, LICENCE).voidSince;
            isTrue(recorded == 0 || (since != 0 && since <= recorded));
            recorded = since;
        }
    }

    // ---- keys -----------------------------------------------------------------------------------------------------

    function testTheRootDistrustsAKey() public {
        vm.expectEmit(address(trust));
        emit ITrustRegistry.KeyDistrusted(AGENCY, DIGEST, START - 1 days);
        vm.prank(ROOT_HOLDER);
        trust.distrustKey(AGENCY, DIGEST, START - 1 days);
        equal(trust.keyDistrustedSince(AGENCY, DIGEST), START - 1 days);
        equal(trust.keyDistrustedSince(OFFICE, DIGEST), 0);
    }

    function testAnIssuerDistrustsItsOwnKeyDuringAPause() public {
        _pause(address(trust), 7 days);
        vm.prank(AGENCY);
        trust.distrustKey(AGENCY, DIGEST, START);
        vm.prank(AGENCY);
        trust.distrustKey(AGENCY, DIGEST, START - 1);
        equal(trust.keyDistrustedSince(AGENCY, DIGEST), START - 1);
    }

    function testRefusesAStrangerWhoDistrustsAKey() public {
        _refusesUnauthorized(STRANGER);
        vm.prank(STRANGER);
        trust.distrustKey(AGENCY, DIGEST, START);
    }

    function testRefusesAParentThatDistrustsItsChildsKey() public {
        _chain();
        _refusesUnauthorized(MINISTRY);
        vm.prank(MINISTRY);
        trust.distrustKey(AGENCY, DIGEST, START);
    }

    function testRefusesToTrustAKeyForLonger() public {
        vm.prank(AGENCY);
        trust.distrustKey(AGENCY, DIGEST, START - 1 days);
        _refusesSince(START, START - 1 days - 1);
        vm.prank(AGENCY);
        trust.distrustKey(AGENCY, DIGEST, START);
    }

    function testRefusesToDistrustAKeySinceNoTime() public {
        _refusesSince(0, START + 5 minutes);
        vm.prank(AGENCY);
        trust.distrustKey(AGENCY, DIGEST, 0);
    }

    function testRefusesToDistrustAKeyInTheFuture() public {
        _refusesSince(START + 1 days, START + 5 minutes);
        vm.prank(AGENCY);
        trust.distrustKey(AGENCY, DIGEST, START + 1 days);
    }

    function testRefusesToDistrustNoKey() public {
        _refuses(abi.encodeWithSelector(ITrustRegistry.ZeroIdentifier.selector));
        vm.prank(AGENCY);
        trust.distrustKey(AGENCY, bytes32(0), START);
    }

    // ---- schemas --------------------------------------------------------------------------------------------------

    function testTheRootAdmitsAndWithdrawsASchema() public {
        vm.expectEmit(address(trust));
        emit ITrustRegistry.SchemaAdmitted(LICENCE, DIGEST);
        _admit();
        isTrue(trust.isSchemaAdmitted(LICENCE, DIGEST));
        isFalse(trust.isSchemaAdmitted(PERMIT, DIGEST));
        _pause(address(trust), 7 days);
        vm.expectEmit(address(trust));
        emit ITrustRegistry.SchemaWithdrawn(LICENCE, DIGEST, START);
        vm.prank(ROOT_HOLDER);
        trust.withdrawSchema(LICENCE, DIGEST);
        isFalse(trust.isSchemaAdmitted(LICENCE, DIGEST));
    }

    function testASchemaMayBeAdmittedAgain() public {
        _admit();
        vm.prank(ROOT_HOLDER);
        trust.withdrawSchema(LICENCE, DIGEST);
        _admit();
        isTrue(trust.isSchemaAdmitted(LICENCE, DIGEST));
    }

    function testRefusesAStrangerWhoAdmitsASchema() public {
        _refusesUnauthorized(STRANGER);
        vm.prank(STRANGER);
        trust.admitSchema(LICENCE, DIGEST);
    }

    function testRefusesAnAccreditedIssuerThatAdmitsASchema() public {
        _accredit(MINISTRY, START, END, 4);
        _refusesUnauthorized(MINISTRY);
        vm.prank(MINISTRY);
        trust.admitSchema(LICENCE, DIGEST);
    }

    function testRefusesToAdmitASchemaDuringAPause() public {
        _pause(address(trust), 7 days);
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        _admit();
    }

    function testRefusesToAdmitASchemaTwice() public {
        _admit();
        _refuses(abi.encodeWithSelector(ITrustRegistry.SchemaExists.selector, LICENCE, DIGEST));
        _admit();
    }

    function testRefusesASchemaOfNoType() public {
        _refuses(abi.encodeWithSelector(ITrustRegistry.ZeroIdentifier.selector));
        vm.prank(ROOT_HOLDER);
        trust.admitSchema(bytes32(0), DIGEST);
    }

    function testRefusesASchemaWithoutADigest() public {
        _refuses(abi.encodeWithSelector(ITrustRegistry.ZeroIdentifier.selector));
        vm.prank(ROOT_HOLDER);
        trust.admitSchema(LICENCE, bytes32(0));
    }

    function testRefusesAStrangerWhoWithdrawsASchema() public {
        _admit();
        _refusesUnauthorized(STRANGER);
        vm.prank(STRANGER);
        trust.withdrawSchema(LICENCE, DIGEST);
    }

    function testRefusesToWithdrawASchemaThatIsNotAdmitted() public {
        _refuses(abi.encodeWithSelector(ITrustRegistry.UnknownSchema.selector, LICENCE, DIGEST));
        vm.prank(ROOT_HOLDER);
        trust.withdrawSchema(LICENCE, DIGEST);
    }

    // ---- the list of the root's functions -------------------------------------------------------------------------

    function testEveryFunctionOfTheRootIsListed() public view {
        bytes4[] memory selectors = trust.rootFunctions();
        equal(selectors.length, 6);
        for (uint256 i = 0; i < selectors.length; ++i) {
            equal(governance.getTargetFunctionRole(address(trust), selectors[i]), governance.ROOT());
            for (uint256 j = 0; j < i; ++j) {
                isTrue(selectors[i] != selectors[j]);
            }
        }
    }

    /// @dev Five links: MINISTRY, AGENCY, OFFICE, BRANCH, DESK.
    function _chain() private {
        _accredit(MINISTRY, START, END, 4);
        _below(MINISTRY, AGENCY, START, END, 3);
        _below(AGENCY, OFFICE, START, END, 2);
        _below(OFFICE, BRANCH, START, END, 1);
        _below(BRANCH, DESK, START, END, 0);
    }

    function _accredit(address issuer, uint64 from, uint64 until, uint8 depth) private {
        vm.prank(ROOT_HOLDER);
        trust.accredit(issuer, LICENCE, from, until, depth);
    }

    function _below(address parent, address issuer, uint64 from, uint64 until, uint8 depth) private {
        vm.prank(parent);
        trust.accreditBelow(parent, issuer, LICENCE, from, until, depth);
    }

    function _end(address parent, address issuer) private {
        vm.prank(ROOT_HOLDER);
        trust.endAccreditation(parent, issuer, LICENCE);
    }

    function _void(address parent, address issuer, uint64 since) private {
        vm.prank(ROOT_HOLDER);
        trust.voidAccreditation(parent, issuer, LICENCE, since);
    }

    function _admit() private {
        vm.prank(ROOT_HOLDER);
        trust.admitSchema(LICENCE, DIGEST);
    }

    function _refusesUnauthorized(address caller) private {
        _refuses(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller));
    }

    function _refusesPeriod(uint64 from, uint64 until) private {
        _refuses(abi.encodeWithSelector(ITrustRegistry.PeriodOutOfRange.selector, from, until));
    }

    function _refusesSince(uint64 since, uint64 latest) private {
        _refuses(abi.encodeWithSelector(ITrustRegistry.SinceOutOfRange.selector, since, latest));
    }
}
