// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC3009, IERC3009Cancel} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC7802} from "@openzeppelin/contracts/interfaces/draft-IERC7802.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title ISovereignMoney
/// @notice Money of one currency on the chain, as an ERC-20: a central bank's (CBDC) or a licensed issuer's
///         (stablecoin).
///
///         Two settings are made at creation and never change:
///         - the *profile*. Open: anyone may hold and pay; KYC is done at issue, at redemption and on the ledger.
///           Bound: a PolicyEngine is asked about every payment, and refuses whoever it does not know.
///         - the *home rail*. Chain: minters issue and redeem here, never beyond an attested reserve. Ledger: money is
///           issued there, and only a bridge brings it here and takes it back.
///
///         Amounts are minor units, those of the ledger. There are never more of them than MAX_SUPPLY, 2^63 − 1: what
///         an account has, what of it is frozen and the order that freezes all of it then share one slot, and a
///         transfer reads nothing more for them.
///
///         The *issuer* is one account: it names minters and bridges with their limits, and executes orders. It is an
///         address kept here, not a role or the owner of an identity, because asking another contract for it costs what
///         a freeze may cost. It moves in two steps; Governance can name the next one too.
///
///         *Orders* (a court's, a supervisor's) have ids chosen by the issuer; the reference itself stays with it. A
///         freeze under an order ends with that order only. Several may stand side by side. Frozen money does not move,
///         except by `forcedTransfer`, whose order serves once and which reaches what one freeze holds and no more. An
///         account frozen as a whole neither sends nor receives.
///
///         A *pause* is a guardian's. It stops what makes, moves and lifts; never freezing, approving or cancelling.
///         Its rule is Governance's (at most MAX_PAUSE, then as long a rest as it lasted), but it is kept here, beside
///         what a transfer reads anyway: `Governance.pause` does not reach money.
///
///         Of ERC-7943 the views and events are there. Its `setFrozenTokens` and `forcedTransfer` know no orders, so
///         they are not, and its interface id is not claimed. Of ERC-7281 the limits are there, but no `mint` by
///         bridges under that name: a bridge uses ERC-7802.
interface ISovereignMoney is IERC20Metadata, IERC20Permit, IERC3009, IERC3009Cancel, IERC7802 {
    /// @notice Where money of a currency is issued.
    enum Home {
        LEDGER,
        CHAIN
    }

    /// @notice What a currency is, said once. `code` is 1 to 7 capitals and digits, `name` 1 to 31 bytes.
    ///         `policyEngine` makes the profile bound, zero makes it open. `attestor` attests the reserve of a currency
    ///         whose home is the chain; zero otherwise. Never stored as it is, so its order is that of a reader.
    // solhint-disable-next-line gas-struct-packing
    struct Opening {
        uint16 currency;
        string code;
        string name;
        uint8 decimals;
        Home home;
        address policyEngine;
        address issuer;
        address attestor;
    }

    /// @notice Money was made by a minter. A Transfer from zero goes with it.
    event Minted(address indexed minter, address indexed to, uint256 amount);
    /// @notice Money was taken out of circulation by a minter. A Transfer to zero goes with it.
    event Burned(address indexed minter, address indexed from, uint256 amount);
    /// @notice What a minter may mint and burn a day; zero for both ends it.
    event MinterLimitsSet(address indexed minter, uint256 mintingLimit, uint256 burningLimit);
    /// @notice ERC-7281: what a bridge may mint and burn a day; zero for both ends it.
    event BridgeLimitsSet(uint256 mintingLimit, uint256 burningLimit, address indexed bridge);
    /// @notice The attestor saw so much in reserve at `attestedAt`; mints rely on it until `validUntil`, exclusive.
    event ReserveAttested(address indexed attestor, uint256 amount, uint64 attestedAt, uint64 validUntil);
    /// @notice Under this order the account is frozen as a whole from now on.
    event AccountFrozenUnder(address indexed account, bytes32 indexed orderId);
    /// @notice Under this order the account is no longer frozen as a whole.
    event AccountUnfrozenUnder(address indexed account, bytes32 indexed orderId);
    /// @notice Under this order so much of the account's money is frozen now.
    event FreezeChanged(address indexed account, bytes32 indexed orderId, uint256 amount);
    /// @notice ERC-7943: so much of the account's money is frozen now, freezes of the whole account apart.
    event Frozen(address indexed account, uint256 amount);
    /// @notice ERC-7943: money moved under an order.
    event ForcedTransfer(address indexed from, address indexed to, uint256 amount);
    /// @notice The issuer executed an order; the id serves no second time.
    event OrderExecuted(bytes32 indexed orderId, address indexed from, address indexed to, uint256 amount);
    /// @notice `guardian` paused this money until `until` (seconds, exclusive).
    event Paused(address indexed guardian, uint64 until);
    /// @notice `guardian` lifted the pause early; the next one may begin at `nextPauseFrom`.
    event Unpaused(address indexed guardian, uint64 nextPauseFrom);
    /// @notice `by` named `candidate` as the next issuer; zero takes an earlier one back.
    event IssuerProposed(address indexed candidate, address indexed by);
    /// @notice The rights of the issuer moved.
    event IssuerMoved(address indexed previous, address indexed issuer);
    /// @notice Reserves are attested by `attestor` from now on.
    event AttestorSet(address indexed attestor);
    /// @notice Payments are judged by `policyEngine` from now on.
    event PolicyEngineSet(address indexed policyEngine);

    /// @notice The code, the name, the decimals, the issuer or the attestor of an opening are not as they must be.
    error InvalidOpening();
    /// @notice There is no contract at this address.
    error NotAContract(address account);
    /// @notice The caller is not the issuer.
    error NotIssuer(address caller);
    /// @notice The caller is not the attestor.
    error NotAttestor(address caller);
    /// @notice The caller does not hold the guardian role in Governance, or only with a delay.
    error NotGuardian(address caller);
    /// @notice The caller was not named as the next issuer.
    error NotProposed(address caller);
    /// @notice The account is zero.
    error ZeroAddress();
    /// @notice The amount is zero.
    error ZeroAmount();
    /// @notice The id of an order is zero.
    error ZeroIdentifier();
    /// @notice This money is paused.
    error MoneyPaused();
    /// @notice The pause is empty or longer than MAX_PAUSE.
    error PauseOutOfRange(uint32 duration);
    /// @notice This money is paused, or cools down from its last pause; the next one may begin at `from`.
    error PauseTooSoon(uint64 from);
    /// @notice This money is not paused.
    error NotPaused();
    /// @notice The account is frozen as a whole.
    error AccountFrozen(address account);
    /// @notice The account has less than that, or less that is not frozen.
    error MoneyFrozen(address account, uint256 available, uint256 needed);
    /// @notice A freeze under this order stands already, or does not stand.
    error FreezeUnchanged(address account, bytes32 orderId);
    /// @notice The order has been executed.
    error OrderUsed(bytes32 orderId);
    /// @notice A forced transfer leads to another account.
    error SameAccount(address account);
    /// @notice Money of this currency is made on its home rail, the ledger; minters have no place here.
    error HomeIsLedger();
    /// @notice The profile was settled at creation: open money has no policy engine, bound money always one.
    error ProfileIsSettled();
    /// @notice A limit is more than MAX_SUPPLY.
    error LimitOutOfRange(uint256 limit);
    /// @notice The caller may mint or burn no more than `left` now.
    error LimitExceeded(address caller, uint256 left, uint256 needed);
    /// @notice There would be more than MAX_SUPPLY.
    error SupplyExceeded(uint256 supply);
    /// @notice There would be more than the attested reserve, or than MAX_SUPPLY.
    error ReserveExceeded(uint256 reserve, uint256 supply);
    /// @notice The last attestation is no longer valid, or there is none.
    error ReserveNotAttested(uint64 validUntil);
    /// @notice An attestation is newer than the last one, not from the future, valid now and for MAX_ATTESTATION at
    ///         most.
    error AttestationOutOfRange(uint64 attestedAt, uint64 validUntil);
    /// @notice A permit had to be handed in by this time.
    error DeadlinePassed(uint256 deadline);
    /// @notice The authorization does not count yet.
    error AuthorizationNotYetValid(uint256 validAfter);
    /// @notice The authorization counts no more.
    error AuthorizationExpired(uint256 validBefore);
    /// @notice The authorization was used or cancelled.
    error AuthorizationUsedOrCanceled(address authorizer, bytes32 nonce);
    /// @notice Only the payee may hand this authorization in.
    error NotPayee(address caller, address payee);
    /// @notice The signature is not the account's over this.
    error InvalidSignature();

    /// @notice Makes the proxy a currency. Once, by MoneyFactory in the transaction that makes the proxy.
    /// @dev    Errors: InvalidInitialization, InvalidOpening, NotAContract.
    function initialize(Opening calldata opening, address governance) external;

    /// @notice ERC-7281: what a bridge may mint and burn a day, in minor units. What is used refills evenly over a day;
    ///         a changed limit changes what is left by the difference. Zero and zero ends the bridge.
    /// @dev    The issuer. Never paused. Errors, in order: NotIssuer, ZeroAddress, LimitOutOfRange.
    function setLimits(address bridge, uint256 mintingLimit, uint256 burningLimit) external;

    /// @notice What a minter may mint and burn a day; like setLimits.
    /// @dev    The issuer, where the home is the chain. Never paused. Errors, in order: NotIssuer, HomeIsLedger,
    ///         ZeroAddress, LimitOutOfRange.
    function setMinterLimits(address minter, uint256 mintingLimit, uint256 burningLimit) external;

    /// @notice Makes money. Emits Transfer and Minted.
    /// @dev    A minter, while not paused. Errors, in order: MoneyPaused, ZeroAmount, LimitExceeded (with zero left for
    ///         whoever is no minter), SupplyExceeded, ReserveNotAttested, ReserveExceeded, then those of a transfer
    ///         about the receiver.
    function mint(address to, uint256 amount) external;

    /// @notice Takes money out of circulation: the minter's own, or what `from` approved for it. Emits Transfer and
    ///         Burned.
    /// @dev    A minter, while not paused. Errors, in order: ERC20InsufficientAllowance, MoneyPaused, ZeroAmount,
    ///         LimitExceeded, then those of a transfer about the sender.
    function burn(address from, uint256 amount) external;

    /// @notice Says what the reserve is. No mint goes beyond it, nor after `validUntil`.
    /// @dev    The attestor. Never paused. Errors, in order: NotAttestor, AttestationOutOfRange, LimitOutOfRange.
    function attestReserve(uint256 amount, uint64 attestedAt, uint64 validUntil) external;

    /// @notice Freezes an account as a whole. Emits AccountFrozenUnder.
    /// @dev    The issuer. Never paused. Errors, in order: NotIssuer, ZeroIdentifier, FreezeUnchanged.
    function freeze(address account, bytes32 orderId) external;

    /// @notice Lifts the freeze of an account under an order. Emits AccountUnfrozenUnder.
    /// @dev    The issuer, while not paused. Errors, in order: NotIssuer, MoneyPaused, FreezeUnchanged.
    function unfreeze(address account, bytes32 orderId) external;

    /// @notice Freezes so much of what an account has and is not frozen. Emits FreezeChanged and Frozen.
    /// @dev    The issuer. Never paused. Errors, in order: NotIssuer, ZeroAmount, ZeroIdentifier, FreezeUnchanged,
    ///         MoneyFrozen.
    function freezeAmount(address account, uint256 amount, bytes32 orderId) external;

    /// @notice Lifts the freeze of an amount under an order. Emits FreezeChanged and Frozen.
    /// @dev    The issuer, while not paused. Errors, in order: NotIssuer, MoneyPaused, FreezeUnchanged.
    function unfreezeAmount(address account, bytes32 orderId) external;

    /// @notice Transfers money under an order: what stands frozen under `freezeOrderId` first, whose freeze shrinks by
    ///         as much, then what is free. An account that is frozen as a whole gives only when `freezeOrderId` is the
    ///         one order that freezes it, and stays frozen. The sender's standing is not asked, the receiver's is.
    ///         Emits OrderExecuted, Transfer and ForcedTransfer, and FreezeChanged and Frozen where a freeze shrank.
    /// @dev    The issuer, while not paused. Errors, in order: NotIssuer, MoneyPaused, ZeroAmount, ZeroIdentifier,
    ///         SameAccount, OrderUsed, AccountFrozen, MoneyFrozen, then those of a transfer about the receiver.
    function forcedTransfer(address from, address to, uint256 amount, bytes32 orderId, bytes32 freezeOrderId) external;

    /// @notice Pauses for `duration` seconds.
    /// @dev    A guardian. Errors, in order: NotGuardian, PauseOutOfRange, PauseTooSoon.
    function pause(uint32 duration) external;

    /// @notice Lifts a pause early. The cool-down then is as long as the pause really lasted.
    /// @dev    A guardian. Errors, in order: NotGuardian, NotPaused.
    function unpause() external;

    /// @notice Step one: names the next issuer; zero takes it back.
    /// @dev    The issuer or Governance's administrator. Errors: AccessManagedUnauthorized.
    function proposeIssuer(address candidate) external;

    /// @notice Step two: the caller becomes the issuer.
    /// @dev    The proposed account. Errors: NotProposed.
    function acceptIssuer() external;

    /// @notice Replaces the policy engine of bound money.
    /// @dev    Governance's administrator. Errors, in order: AccessManagedUnauthorized, ProfileIsSettled, NotAContract.
    function setPolicyEngine(address engine) external;

    /// @notice Replaces who attests the reserve. Not the issuer's choice: it would attest to itself.
    /// @dev    Governance's administrator. Errors, in order: AccessManagedUnauthorized, HomeIsLedger, ZeroAddress.
    function setAttestor(address attestor) external;

    /// @notice EIP-2612 with a signature of any kind that ERC-1271 or ECDSA can check.
    /// @dev    Errors, in order: DeadlinePassed, InvalidSignature, ERC20InvalidSpender.
    function permit(address owner, address spender, uint256 value, uint256 deadline, bytes calldata signature) external;

    /// @notice EIP-3009 with a signature of any kind that ERC-1271 or ECDSA can check.
    /// @dev    Errors, in order: AuthorizationNotYetValid, AuthorizationExpired, AuthorizationUsedOrCanceled,
    ///         InvalidSignature, then those of a transfer.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice The same, handed in by the payee only. Errors: first NotPayee.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice EIP-3009 with a signature of any kind that ERC-1271 or ECDSA can check. Never paused.
    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external;

    /// @notice The currency's number, that of the ledger.
    function currency() external view returns (uint16 number);

    /// @notice Where this money is issued.
    function home() external view returns (Home rail);

    /// @notice The domain in which wallets are bound for this currency: keccak256 of "cbdc:" and its code in lower
    ///         case, by which the ledger, and whoever derives pseudonyms, names it too.
    function domain() external view returns (bytes32 id);

    /// @notice Whether a policy engine is asked about each payment.
    function isBound() external view returns (bool bound);

    /// @notice What judges payments, or zero for open money.
    function policyEngine() external view returns (address engine);

    /// @notice Who names minters and bridges and executes orders.
    function issuer() external view returns (address account);

    /// @notice The account that may accept the issuer's rights, or zero.
    function proposedIssuer() external view returns (address candidate);

    /// @notice Who attests the reserve, or zero.
    function attestor() external view returns (address account);

    /// @notice The last attestation; all zero when there is none.
    function reserve() external view returns (uint256 amount, uint64 attestedAt, uint64 validUntil);

    /// @notice Whether this money is paused now.
    function isPaused() external view returns (bool paused);

    /// @notice The last pause: in force while `from <= now < until`; the next may begin at `nextPauseFrom`.
    function pauseOf() external view returns (uint64 from, uint64 until, uint64 nextPauseFrom);

    /// @notice ERC-7281: what a bridge may mint a day.
    function mintingMaxLimitOf(address bridge) external view returns (uint256 limit);

    /// @notice ERC-7281: what a bridge may burn a day.
    function burningMaxLimitOf(address bridge) external view returns (uint256 limit);

    /// @notice ERC-7281: what a bridge may mint now.
    function mintingCurrentLimitOf(address bridge) external view returns (uint256 limit);

    /// @notice ERC-7281: what a bridge may burn now.
    function burningCurrentLimitOf(address bridge) external view returns (uint256 limit);

    /// @notice What a minter may mint and burn a day, and what is left of it now.
    function minterLimitsOf(address minter)
        external
        view
        returns (uint256 mintingLimit, uint256 mintingLeft, uint256 burningLimit, uint256 burningLeft);

    /// @notice What is remembered of the account for the policy engine; see there. Zero in open money.
    function memoOf(address account) external view returns (uint40 memo);

    /// @notice Whether the account is frozen as a whole.
    function isFrozen(address account) external view returns (bool frozen);

    /// @notice Whether the account is frozen as a whole under this order.
    function isFrozenUnder(address account, bytes32 orderId) external view returns (bool frozen);

    /// @notice How much of the account's money stands frozen under this order.
    function frozenUnder(address account, bytes32 orderId) external view returns (uint256 amount);

    /// @notice Whether the order was executed by a forced transfer.
    function isOrderUsed(bytes32 orderId) external view returns (bool used);

    /// @notice ERC-7943: how much of the account's money is frozen, freezes of the whole account apart.
    function getFrozenTokens(address account) external view returns (uint256 amount);

    /// @notice ERC-7943: whether the account may send at all now.
    function canSend(address account) external view returns (bool allowed);

    /// @notice ERC-7943: whether the account may receive at all now.
    function canReceive(address account) external view returns (bool allowed);

    /// @notice ERC-7943: whether `from` could transfer so much to `to` now.
    function canTransfer(address from, address to, uint256 amount) external view returns (bool allowed);
}
