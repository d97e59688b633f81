// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IGovernance
/// @notice Who may call what, with which delay, and what is paused. An OpenZeppelin AccessManager with two roles of
///         its own: ROOT, held by one account and moved in two steps, and GUARDIAN, which can only pause.
interface IGovernance {
    /// @notice `guardian` paused `target` from now until `until` (seconds, exclusive).
    event Paused(address indexed target, address indexed guardian, uint48 until);

    /// @notice `guardian` lifted the pause of `target` early; the next one may begin at `nextPauseFrom`.
    event Unpaused(address indexed target, address indexed guardian, uint48 nextPauseFrom);

    /// @notice `by` proposed `candidate` as the next root; the candidate may accept before `until`.
    event RootProposed(address indexed candidate, address indexed by, uint48 until);

    /// @notice The root role moved from `previous` (zero if nobody held it) to `root`.
    event RootMoved(address indexed previous, address indexed root);

    /// @notice The pause is empty or longer than MAX_PAUSE.
    error PauseOutOfRange(uint32 duration);
    /// @notice The target is paused, or cools down from its last pause; the next one may begin at `from`.
    error PauseTooSoon(address target, uint48 from);
    /// @notice The target is not paused.
    error NotPaused(address target);
    /// @notice The root role moves by proposal and acceptance only.
    error RootMovesInTwoSteps();
    /// @notice The candidate is zero or holds the root role already.
    error InvalidCandidate(address candidate);
    /// @notice The caller is not the proposed root, or the proposal has lapsed or was withdrawn.
    error NotProposed(address caller);

    /// @notice Stops what `target` lets be widened (reinstatements, accreditations, admissions) for `duration` seconds.
    ///         What protects people from a bad credential (revoking, suspending, ending, voiding) never stops.
    /// @dev    GUARDIAN. The pause cannot be renewed: when it has ended, as much time must pass as it lasted.
    ///         Errors, in order: PauseOutOfRange, PauseTooSoon.
    function pause(address target, uint32 duration) external;

    /// @notice Lifts a pause early. The cool-down then is as long as the pause really lasted.
    /// @dev    GUARDIAN. Errors: NotPaused.
    function unpause(address target) external;

    /// @notice Step one: names the account that may take over the root role. Replaces an earlier proposal.
    /// @dev    ROOT. Errors: InvalidCandidate.
    function proposeRoot(address candidate) external;

    /// @notice Step one when the root is lost or compromised: the administrator names the candidate. The holder stays
    ///         until the candidate accepts; `revokeRole(ROOT, holder)` first removes it together with its proposal.
    /// @dev    ADMIN. Errors: InvalidCandidate.
    function appointRoot(address candidate) external;

    /// @notice Step two: the caller becomes root, with its predecessor's execution delay, and the predecessor ceases to
    ///         be.
    /// @dev    The proposed account only. Errors: NotProposed.
    function acceptRoot() external;

    /// @notice Whether `target` is paused now. A registry under Governance asks this before it widens anything.
    function isPaused(address target) external view returns (bool paused);

    /// @notice The last pause of `target`: in force while `from <= now < until`; the next may begin at `nextPauseFrom`.
    function pauseOf(address target) external view returns (uint48 from, uint48 until, uint48 nextPauseFrom);

    /// @notice The holder of the root role, or zero.
    function root() external view returns (address holder);

    /// @notice The account that may accept the root role, and until when (exclusive); zero if there is none.
    function proposedRoot() external view returns (address candidate, uint48 until);
}
