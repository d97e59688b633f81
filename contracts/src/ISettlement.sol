// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ISettlement
/// @notice Settles obligations so that nobody is left with half of a deal. Two ways:
///
///         A *trade* is settled in one transaction: every leg moves, or none. Delivery versus payment is a token (a
///         title, units of an asset) against money, payment versus payment is money against money; further legs carry a
///         tax or a fee along. Nothing is held in escrow: each giver approves this contract in the token concerned, and
///         agrees to the trade by an EIP-712 signature (also of a contract, ERC-1271), by `agree`, or by settling
///         itself. A trade settles once, and any giver can cancel it before. Rules of the tokens hold: a title moves
///         where its register lets wallets transfer, to a wallet that may receive it.
///
///         A *lock* holds money until it is decided. Irrevocable for the payer until it expires: then anyone brings it
///         back. Before, it is claimed for the payee:
///           two parties      by the payee;
///           three parties    with an arbiter, by the arbiter alone;
///           hash lock        with the SHA-256 preimage (32 bytes, as a reservation of the ledger takes it);
///           delivery         once the payer holds the named ERC-721 token: a licence against its fee, or a title that
///                            moves by its register alone. Not for one the payer holds already, or could pass on
///                            before the claim: that is a trade.
///         Where several are stated, all must be met. Who claims matters only where neither a preimage nor a delivery
///         proves the claim, or an arbiter is named. The payee or the arbiter may give the lock back before it expires.
///
///         Across two rails (a chain's and the ledger's, or two chains') one hash locks both legs. Whoever knows the
///         preimage claims the *first* leg and so shows it to the other, who claims the *second*. The second must
///         expire later than the first, by the time until the claim is final (`finality`) plus `MARGIN`; a lock that
///         names the other leg's expiry is checked for it.
///
///         A pause of Governance stops trades and new locks. Claiming, giving back, refunding and cancelling never
///         stop: a lock that could expire unclaimed would take one leg and leave the other.
interface ISettlement {
    /// @notice What kind of token an asset is.
    enum Kind {
        ERC20,
        ERC721,
        ERC1155
    }

    /// @notice How far a trade has come.
    enum TradeState {
        OPEN,
        SETTLED,
        CANCELLED
    }

    /// @notice How far a lock has come. CLAIMED and REFUNDED are ends.
    enum LockState {
        NONE,
        LOCKED,
        CLAIMED,
        REFUNDED
    }

    /// @notice One movement of a trade.
    /// @dev    id     Of the token, for ERC-721 and ERC-1155; zero for ERC-20.
    ///         amount One for ERC-721.
    // solhint-disable-next-line gas-struct-packing
    struct Leg {
        Kind kind;
        address token;
        address from;
        address to;
        uint256 id;
        uint256 amount;
    }

    /// @notice What is agreed. Times are seconds.
    /// @dev    validUntil Exclusive.
    ///         salt       Tells two trades apart that are alike otherwise.
    struct Trade {
        Leg[] legs;
        uint64 validUntil;
        bytes32 salt;
    }

    /// @notice The terms of a lock. Never stored, so their order is that of a reader; whoever acts hands them in.
    /// @dev    arbiter     Zero for two parties.
    ///         expiry      When claiming ends and refunding begins, in seconds.
    ///         hashLock    SHA-256 of the preimage, or zero.
    ///         delivery    The ERC-721 contract of the token the payer must hold, or zero.
    ///         otherExpiry When the other rail's leg expires, or zero if there is none.
    ///         second      Whether this leg is claimed after the other one. Without meaning when there is none.
    // solhint-disable-next-line gas-struct-packing
    struct Lock {
        address payer;
        address payee;
        address arbiter;
        address money;
        uint256 amount;
        uint64 expiry;
        bytes32 hashLock;
        address delivery;
        uint256 deliveryId;
        uint64 otherExpiry;
        bool second;
        bytes32 salt;
    }

    /// @notice `party` agrees to the trade.
    event Agreed(bytes32 indexed tradeId, address indexed party);
    /// @notice All legs of the trade moved.
    event Settled(bytes32 indexed tradeId, Leg[] legs);
    /// @notice The trade cannot be settled any more.
    event TradeCancelled(bytes32 indexed tradeId, address indexed by);
    /// @notice Money is locked under these terms.
    event Locked(bytes32 indexed lockId, address indexed payer, address indexed payee, Lock terms);
    /// @notice The payee has the money. `preimage` is zero where there is no hash lock.
    event Claimed(bytes32 indexed lockId, address indexed payee, uint256 amount, bytes32 preimage);
    /// @notice The payer has the money again: given back by `by`, or expired.
    event Refunded(bytes32 indexed lockId, address indexed payer, uint256 amount, address by);

    /// @notice The network's finality is zero or longer than a week.
    error InvalidFinality(uint32 finality);
    /// @notice A trade has two to MAX_LEGS legs.
    error LegsOutOfRange(uint256 count);
    /// @notice The leg moves nothing, from or to nobody, from a wallet to itself, or not as its kind moves.
    error InvalidLeg(uint256 index);
    /// @notice The trade was settled or cancelled.
    error TradeClosed(bytes32 tradeId, TradeState state);
    /// @notice The trade's time has passed.
    error TradeExpired(bytes32 tradeId, uint64 validUntil);
    /// @notice There is one signature for each leg; an empty one where it is not needed.
    error SignaturesMismatch(uint256 signatures, uint256 legs);
    /// @notice The giver of the leg has not agreed.
    error NotAgreed(bytes32 tradeId, address party);
    /// @notice The caller gives nothing in the trade, or has no say in the lock.
    error NotParty(address caller);
    /// @notice The caller is not the payer that the terms name.
    error NotPayer(address caller);
    /// @notice Payer and payee are two wallets other than zero and this contract.
    error InvalidParties(address payer, address payee);
    /// @notice Nothing would be locked.
    error NoAmount();
    /// @notice The lock would expire in the past, or too far ahead.
    error ExpiryOutOfRange(uint64 expiry);
    /// @notice The second leg must expire no earlier than `earliest`.
    error LegsTooClose(uint64 second, uint64 earliest);
    /// @notice The lock exists already, or was decided, or is unknown.
    error WrongLockState(bytes32 lockId, LockState state);
    /// @notice The money did not come in whole.
    error NotReceived(uint256 amount, uint256 received);
    /// @notice The lock has expired: what remains is the refund.
    error LockExpired(bytes32 lockId, uint64 expiry);
    /// @notice The lock has not expired yet.
    error LockNotExpired(bytes32 lockId, uint64 expiry);
    /// @notice The preimage is another one's, or there is one and no hash lock.
    error PreimageMismatch(bytes32 lockId);
    /// @notice The payer does not hold the token that was to be delivered.
    error NotDelivered(bytes32 lockId, address holder);

    /// @notice The caller agrees to the trade. Emits Agreed.
    /// @dev    A giver. Errors, in order: LegsOutOfRange, InvalidLeg, TradeClosed, TradeExpired, NotParty.
    function agree(Trade calldata trade) external returns (bytes32 tradeId);

    /// @notice Moves every leg in its order, or none. Emits Settled.
    /// @dev    Anyone who has everybody's consent, while not paused. Errors, in order: Paused, LegsOutOfRange,
    ///         InvalidLeg, TradeClosed, TradeExpired, SignaturesMismatch, NotAgreed; those of the tokens.
    /// @param signatures One for each leg, of its giver over `tradeIdOf(trade)`. Empty where the giver is the caller,
    ///                   agreed before, or signed for an earlier leg.
    function settle(Trade calldata trade, bytes[] calldata signatures) external returns (bytes32 tradeId);

    /// @notice Withdraws the consent that the caller gave, or might have given, for good. Emits TradeCancelled.
    /// @dev    A giver. Errors, in order: LegsOutOfRange, InvalidLeg, TradeClosed, NotParty.
    function cancelTrade(Trade calldata trade) external returns (bytes32 tradeId);

    /// @notice Locks the caller's money, which takes its allowance. Emits Locked.
    /// @dev    The payer, while not paused. Errors, in order: Paused, NotPayer, InvalidParties, NoAmount,
    ///         ExpiryOutOfRange, LegsTooClose, WrongLockState; those of the money; NotReceived.
    function lock(Lock calldata terms) external returns (bytes32 lockId);

    /// @notice The same for a payer who signed and pays no gas: EIP-3009's `ReceiveWithAuthorization` over the money's
    ///         own domain, with this contract as `to` and `lockIdOf(terms)` as `nonce`. Emits Locked.
    /// @dev    Anyone, while not paused. Errors as for lock, without NotPayer.
    function lockWithAuthorization(
        Lock calldata terms,
        uint256 validAfter,
        uint256 validBefore,
        bytes calldata signature
    ) external returns (bytes32 lockId);

    /// @notice Pays the payee. Emits Claimed.
    /// @dev    Before the expiry. The arbiter, where there is one; else anyone with the preimage or the delivery; else
    ///         the payee. Errors, in order: WrongLockState, LockExpired, NotParty, PreimageMismatch, NotDelivered;
    ///         those of the money, when the payee cannot receive it now.
    /// @param preimage Zero where there is no hash lock.
    function claim(Lock calldata terms, bytes32 preimage) external returns (bytes32 lockId);

    /// @notice Gives the money back to the payer before the lock expires. Emits Refunded.
    /// @dev    The payee, or the arbiter. Errors, in order: WrongLockState, NotParty; those of the money.
    function giveBack(Lock calldata terms) external returns (bytes32 lockId);

    /// @notice Brings the money back after the lock has expired. Emits Refunded.
    /// @dev    Anyone. Errors, in order: WrongLockState, LockNotExpired; those of the money, when the payer cannot
    ///         receive it now: the money stays here until it can.
    function refund(Lock calldata terms) external returns (bytes32 lockId);

    /// @notice The id of a trade: its EIP-712 digest, which the givers sign.
    function tradeIdOf(Trade calldata trade) external view returns (bytes32 tradeId);

    /// @notice How far a trade has come.
    function tradeStateOf(bytes32 tradeId) external view returns (TradeState state);

    /// @notice Whether the party has agreed by `agree`.
    function hasAgreed(bytes32 tradeId, address party) external view returns (bool agreed);

    /// @notice The id of a lock: a hash of the chain, this contract and all its terms.
    function lockIdOf(Lock calldata terms) external view returns (bytes32 lockId);

    /// @notice How far a lock has come.
    function lockStateOf(bytes32 lockId) external view returns (LockState state);

    /// @notice How long it takes until a block of this network is final, in seconds.
    function finality() external view returns (uint32 time);

    /// @notice The earliest expiry of the leg claimed second when the first one expires then, in seconds.
    function earliestSecond(uint64 firstExpiry) external view returns (uint64 expiry);

    /// @notice The latest expiry of the leg claimed first when the second one expires then, in seconds; zero if
    ///         there is none.
    function latestFirst(uint64 secondExpiry) external view returns (uint64 expiry);
}
