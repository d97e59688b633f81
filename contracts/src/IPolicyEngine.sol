// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IWalletVerifier} from "./IWalletVerifier.sol";

/// @title IPolicyEngine
/// @notice Who may hold bound money, how much of it, and how much they may send a day. One engine serves every
///         currency; a currency is named by the address of its money. An engine is not upgraded: Governance puts
///         another in its place, currency by currency.
///
///         An account is known when a person stands behind it in the currency's domain (IWalletVerifier), or when it
///         has an *institution class* (a bank, a settlement contract, the rail gate). Whoever is neither holds nothing;
///         so does a contract that nobody registered. Institutions have no limits.
///
///         A person's *tier* follows the level of due diligence: 1 basic, 2 verified, 3 (and above) enhanced; the
///         smallest tier is a binding too. A tier limits what a wallet holds and what a pseudonym sends in a day
///         (UTC), over all its wallets. Limits are minor units; NO_LIMIT is none. Policies have dates: one that is to
///         come stands beside the one in force.
///
///         Both sides of a payment are asked about, unless the money remembers that an account was found in order
///         within the *recall* time that its issuer allows: none at first, MAX_RECALL at most. Two accounts so
///         remembered pay each other for a third less. So the end of a binding, another level, and the end of a class
///         are felt within that time at the latest; where that is too long, a freeze is felt at once. A person whose
///         binding ended keeps what they have and moves it again once they are bound again.
///
///         What a money remembers of an account is a *memo* that an engine gave it: the time (32 bits), then the level
///         (8 bits, 255 for an institution). Engines that follow read it alike.
interface IPolicyEngine {
    /// @notice Why a payment is refused; NONE when it is not.
    enum Reason {
        NONE,
        NO_POLICY,
        SENDER_UNKNOWN,
        RECEIVER_UNKNOWN,
        HOLDING_LIMIT,
        DAILY_LIMIT
    }

    /// @notice What a tier allows.
    struct Tier {
        uint64 holdingLimit;
        uint64 dailyLimit;
    }

    /// @notice From `from` on (seconds) these tiers are in force, for levels 1, 2 and 3.
    event PolicySet(address indexed money, uint32 from, Tier[3] tiers, address indexed by);
    /// @notice How long an account that was asked about need not be asked about again, in seconds.
    event RecallSet(address indexed money, uint16 duration, address indexed by);
    /// @notice The account has this institution class in this currency; zero: none.
    event InstitutionSet(address indexed money, address indexed account, bytes32 indexed class, address by);

    /// @notice The money's issuer or the root has set no policy that is in force.
    error NoPolicy(address money);
    /// @notice No person stands behind the sender in this domain, and it has no institution class.
    error SenderUnknown(address account);
    /// @notice No person stands behind the receiver in this domain, and it has no institution class.
    error ReceiverUnknown(address account);
    /// @notice The receiver would hold more than its tier allows.
    error HoldingLimitExceeded(address account, uint256 limit);
    /// @notice The sender's pseudonym would send more on this day than its tier allows.
    error DailyLimitExceeded(address account, uint256 limit);
    /// @notice There is no contract at this address.
    error NotAContract(address account);
    /// @notice The account is zero.
    error ZeroAddress();
    /// @notice A policy does not begin in the past, CLOCK_TOLERANCE aside, nor more than MAX_NOTICE ahead.
    error DateOutOfRange(uint32 from);
    /// @notice The recall time is longer than MAX_RECALL.
    error RecallOutOfRange(uint16 duration);

    /// @notice Sets the policy from a date on. It replaces one that was still to come. An earlier date than now, within
    ///         CLOCK_TOLERANCE, means now.
    /// @dev    The money's issuer or ROOT. Errors, in order: AccessManagedUnauthorized, DateOutOfRange.
    function setPolicy(address money, Tier[3] calldata tiers, uint32 from) external;

    /// @notice Sets how long an account that was asked about need not be asked about again; for this policy and those
    ///         to come.
    /// @dev    The money's issuer or ROOT. Errors, in order: AccessManagedUnauthorized, RecallOutOfRange.
    function setRecall(address money, uint16 duration) external;

    /// @notice Gives an account an institution class in a currency, or takes it (zero).
    /// @dev    The money's issuer or ROOT. Errors, in order: AccessManagedUnauthorized, ZeroAddress.
    function setInstitution(address money, address account, bytes32 class) external;

    /// @notice Judges a payment of the calling money and counts it for the day. Whoever calls counts for itself only.
    /// @dev    Errors, in order: NoPolicy, SenderUnknown, DailyLimitExceeded, ReceiverUnknown, HoldingLimitExceeded.
    /// @param domain       Of the calling money.
    /// @param from         Zero: money arrives (mint, a forced transfer), and only the receiver is asked.
    /// @param to           Zero: money leaves (burn), and only the sender is asked, without its daily limit.
    /// @param amount       In minor units.
    /// @param balanceAfter What the receiver has afterwards.
    /// @param memoFrom     What the calling money remembers of the sender; zero: nothing.
    /// @param memoTo       The same of the receiver.
    /// @return nextFrom    What it is to remember from now on.
    /// @return nextTo      The same of the receiver.
    function onTransfer(
        bytes32 domain,
        address from,
        address to,
        uint256 amount,
        uint256 balanceAfter,
        uint40 memoFrom,
        uint40 memoTo
    ) external returns (uint40 nextFrom, uint40 nextTo);

    /// @notice Whether the account may send this money at all now: NONE, NO_POLICY or SENDER_UNKNOWN.
    function canSend(address money, address account) external view returns (Reason reason);

    /// @notice Whether the account may receive so much of this money now: NONE, NO_POLICY, RECEIVER_UNKNOWN or
    ///         HOLDING_LIMIT.
    function canReceive(address money, address account, uint256 amount) external view returns (Reason reason);

    /// @notice What onTransfer would say to this payment now.
    function canTransfer(address money, address from, address to, uint256 amount) external view returns (Reason reason);

    /// @notice The policy in force, and since when; zero when there is none.
    function policyOf(address money) external view returns (uint32 from, Tier[3] memory tiers);

    /// @notice The policy to come; zero when there is none.
    function nextPolicyOf(address money) external view returns (uint32 from, Tier[3] memory tiers);

    /// @notice How long an account that was asked about need not be asked about again, in seconds.
    function recallOf(address money) external view returns (uint16 duration);

    /// @notice The account's institution class in this currency, or zero.
    function institutionOf(address money, address account) external view returns (bytes32 class);

    /// @notice What the pseudonym has sent of this money today, as far as a daily limit was asked.
    function sentToday(address money, bytes32 pseudonym) external view returns (uint256 amount);

    /// @notice Says whether a known person stands behind a wallet.
    function walletVerifier() external view returns (IWalletVerifier verifier);

    /// @notice The functions that belong to the root; see ITrustRegistry.rootFunctions.
    function rootFunctions() external pure returns (bytes4[] memory selectors);
}
