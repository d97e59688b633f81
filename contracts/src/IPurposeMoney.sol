// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IPurposeMoney
/// @notice Money bound to a purpose, after ERC-7291: an ERC-1155 token whose units each stand for one minor unit of a
///         currency that lies here. The *creator* of a purpose (a ministry, a donor, an employer) wraps its own money
///         for holders. A holder pays with it whoever belongs to the purpose's class of *payees*, who receives the
///         plain currency; nobody else. What is not spent when the purpose expires goes back to the creator.
///
///         Who is a payee is asked at every payment:
///           CREATOR      whom the creator admitted to the class (goods, trades), for all its purposes of that class;
///           INSTITUTION  who has the class as institution class in the policy engine of the currency;
///           VERIFIER     behind whose wallet a known person stands in the domain that the class names, at the
///                        purpose's level: a credential type, say of schools, for which wallets are bound or attested.
///
///         A transfer (ERC-1155) to a payee is a payment. To anyone else it passes only where the purpose lets holders
///         pass it on. The rules of the currency itself hold for what is wrapped, paid and returned.
///
///         The events are those of ERC-7291; its functions for one owner of the contract are not, because every purpose
///         has a creator of its own, and its interface id is not claimed.
///
///         A pause of Governance stops what makes, moves and admits. Dismissing payees and cancelling payments never
///         stop.
interface IPurposeMoney {
    /// @notice Who says that somebody is a payee.
    enum Admission {
        CREATOR,
        INSTITUTION,
        VERIFIER
    }

    /// @notice A purpose, fixed for ever. Never stored as it is, so its order is that of a reader.
    /// @dev    class    Of the payees; with VERIFIER the domain.
    ///         verifier An IWalletVerifier with VERIFIER, else zero.
    ///         level    The lowest that a payee needs with VERIFIER.
    ///         passable Whether holders may pass it on to others who are no payees.
    ///         expiry   When paying ends and returning begins, in seconds.
    // solhint-disable-next-line gas-struct-packing
    struct Terms {
        address money;
        Admission admission;
        bytes32 class;
        address verifier;
        uint8 level;
        bool passable;
        uint64 expiry;
        string uri;
    }

    /// @notice A purpose as it stands.
    // solhint-disable-next-line gas-struct-packing
    struct Purpose {
        address creator;
        uint256 supply;
        bool returned;
        Terms terms;
    }

    /// @notice A payment that the holder signs (EIP-712).
    /// @dev    deadline Inclusive, in seconds.
    ///         salt     Tells two payments apart that are alike otherwise.
    // solhint-disable-next-line gas-struct-packing
    struct Payment {
        uint256 tokenId;
        address from;
        address to;
        uint256 amount;
        uint64 deadline;
        bytes32 salt;
    }

    /// @notice A purpose was opened.
    event PurposeOpened(uint256 indexed tokenId, address indexed creator, address indexed money, Terms terms);
    /// @notice The creator admitted the payee to its class, or dismissed it.
    event PayeeChanged(address indexed creator, bytes32 indexed class, address indexed payee, bool admitted);
    /// @notice The holder withdrew a payment it had signed.
    event PaymentCancelled(bytes32 indexed digest, address indexed from);
    /// @notice ERC-7291: money was wrapped.
    event TokenWrap(address from, uint256[] tokenIds, uint256[] amounts, address sovToken, uint256 sovTokenValue);
    /// @notice ERC-7291: a payee was paid.
    event TokenUnwrapForTarget(
        address from, address to, uint256[] tokenIds, uint256[] amounts, address sovToken, uint256 sovTokenValue
    );
    /// @notice ERC-7291: what was not spent went back to the creator.
    event PBMrevokeWithdraw(address beneficiary, uint256 pbmTokenId, address sovToken, uint256 sovTokenValue);

    /// @notice There is a purpose under this id.
    error PurposeExists(uint256 tokenId);
    /// @notice There is no purpose under this id.
    error UnknownPurpose(uint256 tokenId);
    /// @notice An identifier is zero.
    error ZeroIdentifier();
    /// @notice A verifier goes with VERIFIER, and with it a level; with the others neither does.
    error InvalidAdmission();
    /// @notice The purpose would expire in the past, or too far ahead.
    error ExpiryOutOfRange(uint64 expiry);
    /// @notice The URI is empty or longer than MAX_URI_BYTES.
    error InvalidUri();
    /// @notice The caller did not create the purpose.
    error NotCreator(uint256 tokenId, address caller);
    /// @notice The lists differ in length.
    error LengthMismatch();
    /// @notice The amount is zero.
    error NoAmount();
    /// @notice The money did not come in whole.
    error NotReceived(uint256 amount, uint256 received);
    /// @notice The purpose has expired.
    error PurposeExpired(uint256 tokenId, uint64 expiry);
    /// @notice The purpose has not expired yet.
    error PurposeNotExpired(uint256 tokenId, uint64 expiry);
    /// @notice What was left went back to the creator.
    error PurposeReturned(uint256 tokenId);
    /// @notice The receiver is no payee of this purpose.
    error NotPayee(uint256 tokenId, address account);
    /// @notice The caller is neither the holder nor approved by it.
    error NotHolder(address holder, address caller);
    /// @notice The payment's time has passed.
    error DeadlinePassed(uint64 deadline);
    /// @notice The payment was made or cancelled.
    error PaymentUsed(bytes32 digest);
    /// @notice The signature is not the holder's over this payment.
    error InvalidSignature();

    /// @notice Opens a purpose of the caller's. Emits PurposeOpened.
    /// @dev    Anyone, while not paused. Errors, in order: Paused, ZeroIdentifier, NotAContract, InvalidAdmission,
    ///         ExpiryOutOfRange, InvalidUri, PurposeExists.
    /// @param purposeId The creator's own name for it.
    function openPurpose(bytes32 purposeId, Terms calldata terms) external returns (uint256 tokenId);

    /// @notice Admits payees to a class of the caller's, or dismisses them. Emits PayeeChanged for each.
    /// @dev    Anyone, for purposes of its own; admitting, while not paused. Errors, in order: ZeroIdentifier, Paused.
    function setPayees(bytes32 class, address[] calldata payees, bool admitted) external;

    /// @notice Wraps the creator's money for holders, which takes its allowance. Emits TransferSingle for each, and
    ///         TokenWrap.
    /// @dev    The creator, while not paused. All or nothing. Errors, in order: Paused, LengthMismatch, UnknownPurpose,
    ///         NotCreator, PurposeExpired, NoAmount; those of the money; NotReceived; ERC1155InvalidReceiver.
    function wrapMany(uint256 tokenId, address[] calldata holders, uint256[] calldata amounts) external;

    /// @notice Pays a payee. Emits TransferSingle to zero, and TokenUnwrapForTarget.
    /// @dev    The holder or whom it approved, while not paused. Errors, in order: Paused, NotHolder, UnknownPurpose,
    ///         PurposeExpired, NoAmount, NotPayee, ERC1155InsufficientBalance; those of the money.
    function unwrap(address from, address to, uint256 tokenId, uint256 amount) external;

    /// @notice The same for a holder who signed and pays no gas.
    /// @dev    Anyone, while not paused. Errors, in order: Paused, DeadlinePassed, PaymentUsed, InvalidSignature; then
    ///         as for unwrap from UnknownPurpose on.
    function unwrapWithSignature(Payment calldata payment, bytes calldata signature) external;

    /// @notice Withdraws a payment that the caller signed. Emits PaymentCancelled.
    /// @dev    The holder. Errors, in order: NotHolder, PaymentUsed.
    function cancelPayment(Payment calldata payment) external;

    /// @notice Returns what was not spent to the creator, and ends the purpose: every balance is zero from then on.
    ///         Emits PBMrevokeWithdraw.
    /// @dev    Anyone, once the purpose has expired, while not paused. Errors, in order: Paused, UnknownPurpose,
    ///         PurposeNotExpired, PurposeReturned; those of the money.
    function returnExpired(uint256 tokenId) external;

    /// @notice A purpose as it stands. Errors: UnknownPurpose.
    function purposeOf(uint256 tokenId) external view returns (Purpose memory purpose);

    /// @notice The id of the token of a creator's purpose.
    function tokenIdOf(address creator, bytes32 purposeId) external pure returns (uint256 tokenId);

    /// @notice Whether the account may be paid with it now, as far as the purpose goes. Errors: UnknownPurpose.
    function isPayee(uint256 tokenId, address account) external view returns (bool payee);

    /// @notice The digest that the holder signs.
    function digestOf(Payment calldata payment) external view returns (bytes32 digest);
}
