// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Governance} from "../src/Governance.sol";
import {IGovernance} from "../src/IGovernance.sol";
import {TrustRegistry} from "../src/TrustRegistry.sol";
import {Nation} from "./Nation.sol";

contract GovernanceTest is Nation {
    uint64 private constant ROOT = 1;
    uint64 private constant GUARDIAN = 2;

    // ---- the root -------------------------------------------------------------------------------------------------

    function testTheDeployersAdministratorHoldsTheRootFromTheFirstBlock() public {
        Governance fresh = new Governance(ADMIN);
        equal(fresh.root(), ADMIN);
        (bool held,) = fresh.hasRole(ROOT, ADMIN);
        isTrue(held);
    }

    function testRefusesADeploymentWithoutAnAdministrator() public {
        _refuses(abi.encodeWithSelector(IAccessManager.AccessManagerInvalidInitialAdmin.selector, address(0)));
        new Governance(address(0));
    }

    function testTheRootMovesWhenTheCandidateAccepts() public {
        vm.expectEmit(address(governance));
        emit IGovernance.RootProposed(AGENCY, ROOT_HOLDER, uint48(block.timestamp + 30 days));
        vm.prank(ROOT_HOLDER);
        governance.proposeRoot(AGENCY);
        (address candidate, uint48 until) = governance.proposedRoot();
        equal(candidate, AGENCY);
        equal(until, block.timestamp + 30 days);
        equal(governance.root(), ROOT_HOLDER);

        vm.expectEmit(address(governance));
        emit IGovernance.RootMoved(ROOT_HOLDER, AGENCY);
        vm.prank(AGENCY);
        governance.acceptRoot();
        equal(governance.root(), AGENCY);
        (bool before,) = governance.hasRole(ROOT, ROOT_HOLDER);
        isFalse(before);
        (candidate, until) = governance.proposedRoot();
        equal(candidate, address(0));
        equal(until, 0);
    }

    function testRefusesAStrangerWhoProposesARoot() public {
        _refuses(_unauthorized(STRANGER, ROOT));
        vm.prank(STRANGER);
        governance.proposeRoot(STRANGER);
    }

    function testRefusesTheAdministratorWhoProposesInTheRootsName() public {
        _refuses(_unauthorized(ADMIN, ROOT));
        vm.prank(ADMIN);
        governance.proposeRoot(AGENCY);
    }

    function testRefusesTheGuardianWhoProposesARoot() public {
        _refuses(_unauthorized(GUARD, ROOT));
        vm.prank(GUARD);
        governance.proposeRoot(GUARD);
    }

    function testRefusesARootThatAppointsLikeAnAdministrator() public {
        _refuses(_unauthorized(ROOT_HOLDER, 0));
        vm.prank(ROOT_HOLDER);
        governance.appointRoot(AGENCY);
    }

    function testRefusesToProposeNobody() public {
        _refuses(abi.encodeWithSelector(IGovernance.InvalidCandidate.selector, address(0)));
        vm.prank(ROOT_HOLDER);
        governance.proposeRoot(address(0));
    }

    function testRefusesToProposeTheHolder() public {
        _refuses(abi.encodeWithSelector(IGovernance.InvalidCandidate.selector, ROOT_HOLDER));
        vm.prank(ADMIN);
        governance.appointRoot(ROOT_HOLDER);
    }

    function testRefusesAnAcceptanceByAnyoneButTheCandidate() public {
        vm.prank(ROOT_HOLDER);
        governance.proposeRoot(AGENCY);
        _refuses(abi.encodeWithSelector(IGovernance.NotProposed.selector, STRANGER));
        vm.prank(STRANGER);
        governance.acceptRoot();
    }

    function testRefusesAnAcceptanceThatComesTooLate() public {
        vm.prank(ROOT_HOLDER);
        governance.proposeRoot(AGENCY);
        vm.warp(block.timestamp + 30 days);
        _refuses(abi.encodeWithSelector(IGovernance.NotProposed.selector, AGENCY));
        vm.prank(AGENCY);
        governance.acceptRoot();
    }

    function testRefusesASecondAcceptance() public {
        vm.prank(ROOT_HOLDER);
        governance.proposeRoot(AGENCY);
        vm.prank(AGENCY);
        governance.acceptRoot();
        _refuses(abi.encodeWithSelector(IGovernance.NotProposed.selector, AGENCY));
        vm.prank(AGENCY);
        governance.acceptRoot();
    }

    function testRefusesACandidateWhomALaterProposalReplaced() public {
        vm.prank(ROOT_HOLDER);
        governance.proposeRoot(AGENCY);
        vm.prank(ROOT_HOLDER);
        governance.proposeRoot(OFFICE);
        _refuses(abi.encodeWithSelector(IGovernance.NotProposed.selector, AGENCY));
        vm.prank(AGENCY);
        governance.acceptRoot();
    }

    function testRefusesTheAdministratorWhoGrantsTheRootInOneStep() public {
        _refuses(abi.encodeWithSelector(IGovernance.RootMovesInTwoSteps.selector));
        vm.prank(ADMIN);
        governance.grantRole(ROOT, AGENCY, 0);
    }

    function testRefusesToGrantTheRootToNobodyWhenNobodyHoldsIt() public {
        vm.prank(ADMIN);
        governance.revokeRole(ROOT, ROOT_HOLDER);
        _refuses(abi.encodeWithSelector(IGovernance.RootMovesInTwoSteps.selector));
        vm.prank(ADMIN);
        governance.grantRole(ROOT, address(0), 0);
    }

    function testRefusesTheProposalOfARootThatWasRemoved() public {
        vm.prank(ROOT_HOLDER);
        governance.proposeRoot(STRANGER);
        vm.expectEmit(address(governance));
        emit IGovernance.RootMoved(ROOT_HOLDER, address(0));
        vm.prank(ADMIN);
        governance.revokeRole(ROOT, ROOT_HOLDER);
        equal(governance.root(), address(0));
        _refuses(abi.encodeWithSelector(IGovernance.NotProposed.selector, STRANGER));
        vm.prank(STRANGER);
        governance.acceptRoot();
    }

    function testTheAdministratorReplacesALostRoot() public {
        vm.prank(ADMIN);
        governance.revokeRole(ROOT, ROOT_HOLDER);
        vm.prank(ADMIN);
        governance.appointRoot(AGENCY);
        vm.expectEmit(address(governance));
        emit IGovernance.RootMoved(address(0), AGENCY);
        vm.prank(AGENCY);
        governance.acceptRoot();
        equal(governance.root(), AGENCY);
    }

    function testRevokingTheRootFromSomeoneElseChangesNothing() public {
        vm.prank(ADMIN);
        governance.revokeRole(ROOT, STRANGER);
        equal(governance.root(), ROOT_HOLDER);
    }

    function testTheDelayOfTheRootPassesToItsSuccessor() public {
        _delayRoot(2 days);
        bytes memory call_ = abi.encodeCall(governance.proposeRoot, (AGENCY));
        vm.prank(ROOT_HOLDER);
        governance.schedule(address(governance), call_, 0);
        vm.warp(block.timestamp + 2 days);
        vm.prank(ROOT_HOLDER);
        governance.proposeRoot(AGENCY);
        vm.prank(AGENCY);
        governance.acceptRoot();
        (, uint32 delay) = governance.hasRole(ROOT, AGENCY);
        equal(delay, 2 days);
    }

    function testTheDelayOfTheRootSurvivesARootThatGivesUp() public {
        _delayRoot(2 days);
        vm.prank(ROOT_HOLDER);
        governance.renounceRole(ROOT, ROOT_HOLDER);
        vm.prank(ADMIN);
        governance.appointRoot(AGENCY);
        vm.prank(AGENCY);
        governance.acceptRoot();
        (, uint32 delay) = governance.hasRole(ROOT, AGENCY);
        equal(delay, 2 days);
    }

    function testRefusesADelayedRootThatActsAtOnce() public {
        _delayRoot(2 days);
        bytes memory call_ = abi.encodeCall(trust.admitSchema, (LICENCE, DIGEST));
        bytes32 operation = governance.hashOperation(ROOT_HOLDER, address(trust), call_);
        _refuses(abi.encodeWithSelector(IAccessManager.AccessManagerNotScheduled.selector, operation));
        vm.prank(ROOT_HOLDER);
        trust.admitSchema(LICENCE, DIGEST);
    }

    function testADelayedRootActsAfterItsDelay() public {
        _delayRoot(2 days);
        vm.prank(ROOT_HOLDER);
        governance.schedule(address(trust), abi.encodeCall(trust.admitSchema, (LICENCE, DIGEST)), 0);
        vm.warp(block.timestamp + 2 days);
        vm.prank(ROOT_HOLDER);
        trust.admitSchema(LICENCE, DIGEST);
        isTrue(trust.isSchemaAdmitted(LICENCE, DIGEST));
    }

    function testRefusesAFormerRootsScheduledCall() public {
        _delayRoot(2 days);
        vm.prank(ROOT_HOLDER);
        governance.schedule(address(trust), abi.encodeCall(trust.admitSchema, (LICENCE, DIGEST)), 0);
        vm.prank(ADMIN);
        governance.revokeRole(ROOT, ROOT_HOLDER);
        vm.warp(block.timestamp + 2 days);
        _refuses(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, ROOT_HOLDER));
        vm.prank(ROOT_HOLDER);
        trust.admitSchema(LICENCE, DIGEST);
    }

    // ---- pauses ---------------------------------------------------------------------------------------------------

    function testTheGuardianPausesForABoundedTime() public {
        vm.expectEmit(address(governance));
        emit IGovernance.Paused(address(trust), GUARD, uint48(block.timestamp + 7 days));
        _pause(address(trust), 7 days);
        isTrue(governance.isPaused(address(trust)));
        isFalse(governance.isPaused(address(status)));
        vm.warp(START + 7 days - 1);
        isTrue(governance.isPaused(address(trust)));
        vm.warp(START + 7 days);
        isFalse(governance.isPaused(address(trust)));
        (uint48 from, uint48 until, uint48 next) = governance.pauseOf(address(trust));
        equal(from, START);
        equal(until, START + 7 days);
        equal(next, START + 14 days);
    }

    function testRefusesAPauseWithoutLength() public {
        _refuses(abi.encodeWithSelector(IGovernance.PauseOutOfRange.selector, 0));
        _pause(address(trust), 0);
    }

    function testRefusesAPauseOfMoreThanSevenDays() public {
        _refuses(abi.encodeWithSelector(IGovernance.PauseOutOfRange.selector, 7 days + 1));
        _pause(address(trust), 7 days + 1);
    }

    function testRefusesToProlongAPause() public {
        _pause(address(trust), 1 days);
        _refuses(abi.encodeWithSelector(IGovernance.PauseTooSoon.selector, address(trust), START + 2 days));
        _pause(address(trust), 1 days);
    }

    function testRefusesAnotherPauseWhileTheLastOneCools() public {
        _pause(address(trust), 3 days);
        vm.warp(START + 6 days - 1);
        _refuses(abi.encodeWithSelector(IGovernance.PauseTooSoon.selector, address(trust), START + 6 days));
        _pause(address(trust), 1);
    }

    function testRefusesASecondGuardianWhoPausesInTurns() public {
        vm.prank(ADMIN);
        governance.grantRole(GUARDIAN, STRANGER, 0);
        _pause(address(trust), 7 days);
        vm.warp(START + 7 days);
        _refuses(abi.encodeWithSelector(IGovernance.PauseTooSoon.selector, address(trust), START + 14 days));
        vm.prank(STRANGER);
        governance.pause(address(trust), 7 days);
    }

    function testAPauseMayFollowTheCoolDown() public {
        _pause(address(trust), 3 days);
        vm.warp(START + 6 days);
        _pause(address(trust), 7 days);
        isTrue(governance.isPaused(address(trust)));
    }

    function testAPauseLiftedEarlyCoolsForAsLongAsItLasted() public {
        _pause(address(trust), 7 days);
        vm.warp(START + 1 hours);
        vm.expectEmit(address(governance));
        emit IGovernance.Unpaused(address(trust), GUARD, uint48(START + 2 hours));
        vm.prank(GUARD);
        governance.unpause(address(trust));
        isFalse(governance.isPaused(address(trust)));
        vm.warp(START + 2 hours);
        _pause(address(trust), 1 days);
    }

    function testRefusesToLiftAPauseThatIsNotInForce() public {
        _refuses(abi.encodeWithSelector(IGovernance.NotPaused.selector, address(trust)));
        vm.prank(GUARD);
        governance.unpause(address(trust));
    }

    function testRefusesAStrangerWhoPauses() public {
        _refuses(_unauthorized(STRANGER, GUARDIAN));
        vm.prank(STRANGER);
        governance.pause(address(trust), 1);
    }

    function testRefusesTheRootWhoPauses() public {
        _refuses(_unauthorized(ROOT_HOLDER, GUARDIAN));
        vm.prank(ROOT_HOLDER);
        governance.pause(address(trust), 1);
    }

    function testRefusesAStrangerWhoLiftsAPause() public {
        _pause(address(trust), 1 days);
        _refuses(_unauthorized(STRANGER, GUARDIAN));
        vm.prank(STRANGER);
        governance.unpause(address(trust));
    }

    function testRefusesTheGuardianEverythingElse() public {
        _refuses(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, GUARD));
        vm.prank(GUARD);
        trust.admitSchema(LICENCE, DIGEST);
        _refuses(_unauthorized(GUARD, 0));
        vm.prank(GUARD);
        governance.grantRole(GUARDIAN, STRANGER, 0);
        _refuses(_unauthorized(GUARD, 0));
        vm.prank(GUARD);
        governance.setTargetClosed(address(trust), true);
    }

    /// @dev Whatever guardians do, a target is paused for at most half of the time, rounded to one pause.
    function testFuzzPausesNeverFillMoreThanHalfOfTheTime(uint32[16] memory lengths, uint32[16] memory gaps) public {
        uint256 paused;
        for (uint256 i = 0; i < 16; ++i) {
            uint32 length = uint32(within(lengths[i], 1, 7 days));
            vm.prank(GUARD);
            try governance.pause(address(trust), length) {} catch {}
            uint256 gap = within(gaps[i], 1, 8 days);
            (, uint48 until,) = governance.pauseOf(address(trust));
            if (until > block.timestamp) paused += gap < until - block.timestamp ? gap : until - block.timestamp;
            vm.warp(block.timestamp + gap);
        }
        isTrue(paused <= (block.timestamp - START) / 2 + 7 days);
    }

    // ---- several signers behind a delay -----------------------------------------------------------------------------

    function testATimelockOfSeveralSignersGovernsWithItsDelay() public {
        (TimelockController timelock, Governance governed, TrustRegistry registry) = _underTimelock();
        equal(governed.root(), address(timelock));
        bytes memory map = abi.encodeCall(
            governed.setTargetFunctionRole, (address(registry), registry.rootFunctions(), governed.ROOT())
        );
        bytes memory accredit = abi.encodeCall(registry.accredit, (AGENCY, LICENCE, START, START + YEAR, 0));

        vm.prank(MINISTRY);
        timelock.schedule(address(governed), 0, map, 0, 0, 3 days);
        vm.prank(AGENCY);
        timelock.schedule(address(registry), 0, accredit, 0, 0, 3 days);
        vm.warp(START + 3 days);
        vm.prank(OFFICE);
        timelock.execute(address(governed), 0, map, 0, 0);
        vm.prank(OFFICE);
        timelock.execute(address(registry), 0, accredit, 0, 0);
        equal(governed.getTargetFunctionRole(address(registry), registry.accredit.selector), ROOT);
        isTrue(registry.isAccredited(AGENCY, LICENCE, _now()));
    }

    function testRefusesATimelockedCallBeforeItsDelay() public {
        (TimelockController timelock, Governance governed,) = _underTimelock();
        bytes memory grant = abi.encodeCall(governed.grantRole, (GUARDIAN, GUARD, 0));
        vm.prank(MINISTRY);
        timelock.schedule(address(governed), 0, grant, 0, 0, 3 days);
        vm.warp(START + 3 days - 1);
        bytes32 id = timelock.hashOperation(address(governed), 0, grant, 0, 0);
        _refuses(
            abi.encodeWithSelector(
                TimelockController.TimelockUnexpectedOperationState.selector,
                id,
                bytes32(1 << uint8(TimelockController.OperationState.Ready))
            )
        );
        vm.prank(OFFICE);
        timelock.execute(address(governed), 0, grant, 0, 0);
    }

    function testASignerCancelsWhatAnotherScheduled() public {
        (TimelockController timelock, Governance governed,) = _underTimelock();
        bytes memory grant = abi.encodeCall(governed.grantRole, (GUARDIAN, STRANGER, 0));
        vm.prank(MINISTRY);
        timelock.schedule(address(governed), 0, grant, 0, 0, 3 days);
        bytes32 id = timelock.hashOperation(address(governed), 0, grant, 0, 0);
        vm.prank(AGENCY);
        timelock.cancel(id);
        isFalse(timelock.isOperation(id));
    }

    function testRefusesASignerWhoBypassesTheTimelock() public {
        (, Governance governed,) = _underTimelock();
        _refuses(_unauthorized(MINISTRY, 0));
        vm.prank(MINISTRY);
        governed.grantRole(GUARDIAN, MINISTRY, 0);
    }

    function testATimelockHandsTheRootToAnAgency() public {
        (TimelockController timelock, Governance governed,) = _underTimelock();
        bytes memory propose = abi.encodeCall(governed.proposeRoot, (ROOT_HOLDER));
        vm.prank(AGENCY);
        timelock.schedule(address(governed), 0, propose, 0, 0, 3 days);
        vm.warp(START + 3 days);
        vm.prank(OFFICE);
        timelock.execute(address(governed), 0, propose, 0, 0);
        vm.prank(ROOT_HOLDER);
        governed.acceptRoot();
        equal(governed.root(), ROOT_HOLDER);
        (bool administrator,) = governed.hasRole(0, address(timelock));
        isTrue(administrator);
    }

    function _underTimelock() private returns (TimelockController, Governance, TrustRegistry) {
        address[] memory signers = new address[](2);
        signers[0] = MINISTRY;
        signers[1] = AGENCY;
        address[] memory executors = new address[](1);
        executors[0] = OFFICE;
        TimelockController timelock = new TimelockController(3 days, signers, executors, address(0));
        Governance governed = new Governance(address(timelock));
        return (timelock, governed, new TrustRegistry(address(dids), address(governed)));
    }

    function _delayRoot(uint32 delay) private {
        vm.prank(ADMIN);
        governance.grantRole(ROOT, ROOT_HOLDER, delay);
    }

    function _unauthorized(address account, uint64 role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessManager.AccessManagerUnauthorizedAccount.selector, account, role);
    }
}
