// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IRailGate
/// @notice Moves money between the two rails: the *ledger*, the central bank's double-entry book, and this chain. Each
///         currency has a *home* rail, where it comes into being; the other is *away*. Money whose home is the ledger
///         is minted here when it arrives and burnt here when it departs (ERC-7802); money whose home is the chain is
///         locked here when it departs and unlocked when it arrives. So the supply on the away rail never exceeds what
///         is locked at home, and equals it when nothing is in transit.
///
///         Every move is an *operation* with an id of its own in its currency, and counts once. Moves to the chain
///         carry the id the ledger gave them; for moves to the ledger the id is made here:
///         keccak256(abi.encode(chainid, this, counter)). An operator speaks for its own currencies only, and the
///         operations of two currencies never meet, whatever ids they bear.
///
///         To the chain: the ledger takes the money out of its account, the operator calls `arrive`. The wallet has
///         the money (ARRIVED), or cannot receive it now and the money waits in suspense (SUSPENDED), from where
///         `settleSuspense` delivers it later or `returnSuspense` gives it back to the ledger for good (RETURNED). An
///         operation that is not here yet is ended by `cancel` (CANCELLED). The ledger refunds after RETURNED or
///         CANCELLED is final on this chain, and never because time has passed.
///
///         To the ledger: `depart` takes the money from the wallet (DEPARTED). When that is final the ledger credits
///         the account, or ends the operation in its own book and the operator calls `refund`: the money comes back to
///         the wallet (REFUNDED), or waits in suspense as above.
///
///             NONE ── arrive ──> ARRIVED | SUSPENDED        SUSPENDED ── settleSuspense ──> ARRIVED | REFUNDED
///             NONE ── cancel ──> CANCELLED                  SUSPENDED ── returnSuspense ──> RETURNED
///             NONE ── depart ──> DEPARTED ── refund ──> REFUNDED | SUSPENDED
///
///         A pause of Governance stops departing. What arrives or is refunded meanwhile is recorded and waits in
///         suspense. Cancelling and returning never stop.
///
///         Whether the ledger keeps to its part is the ledger's to prove. Where it does not, this contract still keeps
///         to the ceiling of a currency whose home is the ledger, and never unlocks more than is locked.
interface IRailGate {
    /// @notice The rail where a currency comes into being.
    enum Home {
        NONE,
        LEDGER,
        CHAIN
    }

    /// @notice How far an operation has come. REFUNDED, ARRIVED, RETURNED and CANCELLED are ends.
    enum State {
        NONE,
        DEPARTED,
        REFUNDED,
        ARRIVED,
        SUSPENDED,
        RETURNED,
        CANCELLED
    }

    /// @notice A currency as it stands. Amounts are in minor units.
    /// @dev    operator  The chain account of the ledger.
    ///         ceiling   The most that may be on the away rail.
    ///         held      Home LEDGER: minted here less burnt here. Home CHAIN: locked here.
    ///         suspended What waits in suspense: it arrived here, or came back from the ledger, and nobody has it.
    ///                   Home LEDGER: not minted, so no part of `held`. Home CHAIN: still locked, so part of `held`.
    struct Currency {
        address operator;
        Home home;
        uint64 ceiling;
        uint128 held;
        uint128 suspended;
    }

    /// @notice An operation as it stands.
    /// @dev    party   Whom it concerns here: the wallet it departed from, or that has or awaits the money. Zero for an
    ///                 operation cancelled before it was here.
    ///         departs Whether it is a move to the ledger.
    // solhint-disable-next-line gas-struct-packing
    struct Operation {
        address party;
        uint64 amount;
        State state;
        bool departs;
    }

    /// @notice A move from the ledger to the chain.
    struct Arrival {
        bytes32 opId;
        address money;
        address to;
        uint256 amount;
    }

    /// @notice A move to the ledger that its owner signed, for `departWithAuthorization`.
    /// @dev    The signature is EIP-3009's `ReceiveWithAuthorization` over the money's own domain, with this contract
    ///         as `to` and `authorizationNonceOf(account, salt)` as `nonce`: what is signed names the account.
    struct Authorization {
        address money;
        address from;
        uint32 account;
        uint256 amount;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 salt;
        bytes signature;
    }

    /// @notice The currency can move between the rails from now on.
    event CurrencyOpened(address indexed money, Home indexed home, address indexed operator, uint64 ceiling);
    /// @notice From now on `operator` speaks for the ledger.
    event OperatorChanged(address indexed money, address indexed operator);
    /// @notice The most that may be on the away rail has changed.
    event CeilingChanged(address indexed money, uint64 ceiling);

    /// @notice Money left for an account of the ledger.
    event Departed(bytes32 indexed opId, address indexed money, address indexed from, uint32 account, uint256 amount);
    /// @notice Money from the ledger is in the wallet.
    event Arrived(bytes32 indexed opId, address indexed money, address indexed to, uint256 amount);
    /// @notice Money that had departed is in a wallet again.
    event Refunded(bytes32 indexed opId, address indexed money, address indexed to, uint256 amount);
    /// @notice The wallet could not receive the money: it waits. Emitted again when a later try fails.
    /// @param reason The error with which the wallet was refused, as revert data: one of the money's or its policy's,
    ///               or of this contract: Paused(), CeilingExceeded, NotLocked, InvalidReceiver.
    event Suspended(bytes32 indexed opId, address indexed money, address indexed to, uint256 amount, bytes reason);
    /// @notice The money in suspense is the ledger's again, for good.
    event Returned(bytes32 indexed opId, address indexed money, address indexed party, uint256 amount);
    /// @notice The operation was not here and can never arrive.
    event Cancelled(bytes32 indexed opId, address indexed money);
    /// @notice The operation was here before, so this arrival changed nothing.
    event Skipped(bytes32 indexed opId, address indexed money, State state);

    /// @notice The currency is open already.
    error CurrencyExists(address money);
    /// @notice The currency is not open.
    error UnknownCurrency(address money);
    /// @notice The home of a currency is the one that its money names.
    error InvalidHome();
    /// @notice An address is zero.
    error ZeroAddress();
    /// @notice An operation's id is zero.
    error ZeroIdentifier();
    /// @notice The caller does not speak for the ledger in this currency.
    error NotOperator(address money, address caller);
    /// @notice The amount is zero, or more than an account of the ledger can hold.
    error AmountOutOfRange(uint256 amount);
    /// @notice More would be on the away rail than its ceiling allows.
    error CeilingExceeded(address money, uint256 amount, uint256 ceiling);
    /// @notice So much is not locked here.
    error NotLocked(address money, uint256 amount, uint256 locked);
    /// @notice So much was never minted here: it is not the ledger's to take back.
    error NotOutstanding(address money, uint256 amount, uint256 outstanding);
    /// @notice Nobody can be given money at this address: it is zero, this contract, or the money itself.
    error InvalidReceiver(address to);
    /// @notice In its state this cannot be done to the operation.
    error WrongState(bytes32 opId, State state);
    /// @notice The wallets are not known to be one person's.
    error NotSamePerson(address party, address to);
    /// @notice Gas is too little to tell a refusal of the money from the want of gas.
    error GasTooLow();

    /// @notice Lets a currency move between the rails. Emits CurrencyOpened.
    /// @dev    ROOT, while not paused. Errors, in order: Paused, CurrencyExists, NotAContract, InvalidHome,
    ///         ZeroAddress.
    /// @param money    An ISovereignMoney. If its home is the ledger this contract must be among its bridges.
    /// @param operator The chain account of the ledger.
    /// @param ceiling  The most that may be on the away rail, in minor units.
    function openCurrency(address money, Home home, address operator, uint64 ceiling) external;

    /// @notice Replaces the operator at once, also while paused. Emits OperatorChanged.
    /// @dev    ROOT. Errors, in order: UnknownCurrency, ZeroAddress.
    function setOperator(address money, address operator) external;

    /// @notice Replaces the ceiling. Below what is away already it stops more, and takes nothing back. Emits
    ///         CeilingChanged.
    /// @dev    ROOT; raising it, while not paused. Errors, in order: UnknownCurrency, Paused.
    function setCeiling(address money, uint64 ceiling) external;

    /// @notice The caller's money leaves for an account of the ledger. Home LEDGER: burnt. Home CHAIN: locked, which
    ///         takes the caller's allowance. Emits Departed.
    /// @dev    Anyone, while not paused. Errors, in order: Paused, UnknownCurrency, AmountOutOfRange; NotOutstanding
    ///         or CeilingExceeded; those of the money.
    /// @param account The number of the account in the ledger. That it exists, and may be credited, is the ledger's to
    ///                judge; where not, the operation is refunded.
    function depart(address money, uint32 account, uint256 amount) external returns (bytes32 opId);

    /// @notice The same for somebody who signed and pays no gas. Emits Departed.
    /// @dev    Anyone hands it in, while not paused. Errors as for depart.
    function departWithAuthorization(Authorization calldata authorization) external returns (bytes32 opId);

    /// @notice Delivers what the ledger sent. Emits for each Arrived, Suspended, or Skipped when the id was here
    ///         before.
    /// @dev    The operator of each. What cannot be delivered does not hold up the others. Errors, in order, for each:
    ///         UnknownCurrency, NotOperator, ZeroIdentifier, AmountOutOfRange, GasTooLow.
    function arrive(Arrival[] calldata arrivals) external;

    /// @notice Tries again to deliver money in suspense. Emits Arrived, or Refunded when it had departed, or Suspended
    ///         when it fails again (with the party unchanged).
    /// @dev    The operator. Errors, in order: UnknownCurrency, NotOperator, WrongState, NotSamePerson, GasTooLow.
    /// @param to The same wallet, or another one of the same pseudonym in the money's domain, as the source that its
    ///           policy engine asks knows both now. Open money has no such source: the same wallet only.
    function settleSuspense(address money, bytes32 opId, address to) external;

    /// @notice Gives money in suspense back to the ledger for good. Emits Returned.
    /// @dev    The operator. Errors, in order: UnknownCurrency, NotOperator, WrongState.
    function returnSuspense(address money, bytes32 opId) external;

    /// @notice Makes sure that an operation never arrives. Emits Cancelled.
    /// @dev    The operator. Errors, in order: UnknownCurrency, NotOperator, ZeroIdentifier, WrongState (it is here, or
    ///         cancelled already).
    function cancel(address money, bytes32 opId) external;

    /// @notice Brings back to its wallet what departed and the ledger will never credit. Emits Refunded, or Suspended
    ///         when the wallet cannot receive it.
    /// @dev    The operator, once. Errors, in order: UnknownCurrency, NotOperator, WrongState, GasTooLow.
    function refund(address money, bytes32 opId) external;

    /// @notice An operation as it stands; of state NONE if it is not known here.
    function operation(address money, bytes32 opId) external view returns (Operation memory found);

    /// @notice A currency as it stands. Errors: UnknownCurrency.
    function currencyOf(address money) external view returns (Currency memory currency);

    /// @notice What is locked here of a currency whose home is the chain: at least what is on the ledger. Zero for the
    ///         others.
    function lockedOf(address money) external view returns (uint256 amount);

    /// @notice What is on the chain of a currency whose home is the ledger: at most what is locked there. Zero for the
    ///         others.
    function outstandingOf(address money) external view returns (uint256 amount);

    /// @notice What waits here in suspense. What departed and is not credited yet, or left the ledger and is not here
    ///         yet, is in transit too, and only the ledger knows of it.
    function inTransitOf(address money) external view returns (uint256 amount);

    /// @notice How many operations departed: the last one's id is `departureIdOf(departures())`.
    function departures() external view returns (uint256 count);

    /// @notice The id made from a counter.
    function departureIdOf(uint256 counter) external view returns (bytes32 opId);

    /// @notice What stands as EIP-3009 `nonce` in the authorization to depart for an account: keccak256 of the chain,
    ///         this contract, the account and the salt. So nobody can send the money to another account.
    function authorizationNonceOf(uint32 account, bytes32 salt) external view returns (bytes32 nonce);

    /// @notice The functions that belong to Governance's ROOT role: what the administrator maps after deployment.
    function rootFunctions() external pure returns (bytes4[] memory selectors);
}
