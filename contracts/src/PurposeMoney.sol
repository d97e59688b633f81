// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/interfaces/IERC20.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Governed} from "./Governed.sol";
import {IGovernance} from "./IGovernance.sol";
import {IPolicyEngine} from "./IPolicyEngine.sol";
import {IPurposeMoney} from "./IPurposeMoney.sol";
import {ISovereignMoney} from "./ISovereignMoney.sol";
import {IWalletVerifier} from "./IWalletVerifier.sol";

/// @title PurposeMoney
/// @notice Money bound to a purpose, as ERC-1155. See IPurposeMoney for what it promises.
contract PurposeMoney is ERC1155, Governed, EIP712, IPurposeMoney {
    using SafeERC20 for IERC20;

    /// @notice The longest URI, in bytes.
    uint256 public constant MAX_URI_BYTES = 512;
    /// @notice The longest that a purpose can last, in seconds.
    uint64 public constant MAX_LIFETIME = 3650 days;

    // solhint-disable gas-small-strings
    bytes32 private constant PAYMENT_TYPE =
        keccak256("Payment(uint256 tokenId,address from,address to,uint256 amount,uint64 deadline,bytes32 salt)");
    // solhint-enable gas-small-strings

    mapping(uint256 tokenId => Purpose) private _purposes;
    mapping(address creator => mapping(bytes32 class => mapping(address payee => bool))) private _payees;
    mapping(bytes32 digest => bool) private _usedPayments;

    constructor(address didRegistry_, address governance_)
        ERC1155("")
        Governed(didRegistry_, governance_)
        EIP712("PurposeMoney", "1")
    {}

    /// @inheritdoc IPurposeMoney
    function openPurpose(bytes32 purposeId, Terms calldata terms) external whenNotPaused returns (uint256 tokenId) {
        if (purposeId == bytes32(0) || terms.class == bytes32(0)) revert ZeroIdentifier();
        if (terms.money.code.length == 0) revert NotAContract(terms.money);
        _requireAdmission(terms);
        bool tooFar = terms.expiry > block.timestamp + MAX_LIFETIME;
        if (terms.expiry <= block.timestamp || tooFar) revert ExpiryOutOfRange(terms.expiry);
        uint256 length = bytes(terms.uri).length;
        if (length == 0 || length > MAX_URI_BYTES) revert InvalidUri();
        tokenId = tokenIdOf(msg.sender, purposeId);
        Purpose storage opened = _purposes[tokenId];
        if (opened.creator != address(0)) revert PurposeExists(tokenId);
        (opened.creator, opened.terms) = (msg.sender, terms);
        emit PurposeOpened(tokenId, msg.sender, terms.money, terms);
        emit URI(terms.uri, tokenId);
    }

    /// @inheritdoc IPurposeMoney
    function setPayees(bytes32 class, address[] calldata payees, bool admitted) external {
        if (class == bytes32(0)) revert ZeroIdentifier();
        if (admitted && IGovernance(authority()).isPaused(address(this))) revert Paused();
        for (uint256 i = 0; i < payees.length; ++i) {
            _payees[msg.sender][class][payees[i]] = admitted;
            emit PayeeChanged(msg.sender, class, payees[i], admitted);
        }
    }

    /// @inheritdoc IPurposeMoney
    function wrapMany(uint256 tokenId, address[] calldata holders, uint256[] calldata amounts) external whenNotPaused {
        if (holders.length != amounts.length) revert LengthMismatch();
        Purpose storage purpose = _livePurpose(tokenId);
        if (msg.sender != purpose.creator) revert NotCreator(tokenId, msg.sender);
        uint256 total = 0;
        for (uint256 i = 0; i < amounts.length; ++i) {
            if (amounts[i] == 0) revert NoAmount();
            total += amounts[i];
        }
        purpose.supply += total;
        IERC20 money = IERC20(purpose.terms.money);
        uint256 before = money.balanceOf(address(this));
        money.safeTransferFrom(msg.sender, address(this), total);
        uint256 received = money.balanceOf(address(this)) - before;
        if (received != total) revert NotReceived(total, received);
        for (uint256 i = 0; i < holders.length; ++i) {
            _mint(holders[i], tokenId, amounts[i], "");
        }
        emit TokenWrap(msg.sender, _one(tokenId), _one(total), address(money), total);
    }

    /// @inheritdoc IPurposeMoney
    function unwrap(address from, address to, uint256 tokenId, uint256 amount) external whenNotPaused {
        _requireHolder(from);
        _pay(_livePurpose(tokenId), from, to, tokenId, amount);
    }

    /// @inheritdoc IPurposeMoney
    function unwrapWithSignature(Payment calldata payment, bytes calldata signature) external whenNotPaused {
        if (block.timestamp > payment.deadline) revert DeadlinePassed(payment.deadline);
        bytes32 digest = _usePayment(payment);
        if (!SignatureChecker.isValidSignatureNowCalldata(payment.from, digest, signature)) revert InvalidSignature();
        _pay(_livePurpose(payment.tokenId), payment.from, payment.to, payment.tokenId, payment.amount);
    }

    /// @inheritdoc IPurposeMoney
    function cancelPayment(Payment calldata payment) external {
        if (msg.sender != payment.from) revert NotHolder(payment.from, msg.sender);
        bytes32 digest = _usePayment(payment);
        emit PaymentCancelled(digest, msg.sender);
    }

    /// @inheritdoc IPurposeMoney
    function returnExpired(uint256 tokenId) external whenNotPaused {
        Purpose storage purpose = _purpose(tokenId);
        uint64 expiry = purpose.terms.expiry;
        if (block.timestamp < expiry) revert PurposeNotExpired(tokenId, expiry);
        if (purpose.returned) revert PurposeReturned(tokenId);
        (address creator, address money, uint256 rest) = (purpose.creator, purpose.terms.money, purpose.supply);
        (purpose.returned, purpose.supply) = (true, 0);
        IERC20(money).safeTransfer(creator, rest);
        emit PBMrevokeWithdraw(creator, tokenId, money, rest);
    }

    /// @inheritdoc IPurposeMoney
    function purposeOf(uint256 tokenId) external view returns (Purpose memory purpose) {
        return _purpose(tokenId);
    }

    /// @inheritdoc IPurposeMoney
    function isPayee(uint256 tokenId, address account) external view returns (bool payee) {
        return _isPayee(_purpose(tokenId), account);
    }

    /// @notice A transfer to a payee is a payment; to others it needs a purpose that can be passed on. Errors: as for
    ///         unwrap.
    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes memory data)
        public
        override
        whenNotPaused
    {
        _requireHolder(from);
        _hand(from, to, id, value, data);
    }

    /// @notice The same for several purposes, one after the other. Errors: LengthMismatch, then as for unwrap.
    function safeBatchTransferFrom(
        address from,
        address to,
        uint256[] memory ids,
        uint256[] memory values,
        bytes memory data
    ) public override whenNotPaused {
        _requireHolder(from);
        if (ids.length != values.length) revert LengthMismatch();
        for (uint256 i = 0; i < ids.length; ++i) {
            _hand(from, to, ids[i], values[i], data);
        }
    }

    /// @notice Zero once the purpose's money went back to its creator.
    function balanceOf(address account, uint256 id) public view override returns (uint256 balance) {
        return _purposes[id].returned ? 0 : super.balanceOf(account, id);
    }

    /// @notice What the purpose is, for wallets. Errors: UnknownPurpose.
    function uri(uint256 id) public view override returns (string memory text) {
        return _purpose(id).terms.uri;
    }

    /// @inheritdoc IPurposeMoney
    function digestOf(Payment calldata payment) public view returns (bytes32 digest) {
        // Static fields only, so the encoding of the struct is that of its fields one after another.
        return _hashTypedDataV4(keccak256(abi.encode(PAYMENT_TYPE, payment)));
    }

    /// @inheritdoc IPurposeMoney
    function tokenIdOf(address creator, bytes32 purposeId) public pure returns (uint256 tokenId) {
        return uint256(keccak256(abi.encode(creator, purposeId)));
    }

    function _hand(address from, address to, uint256 id, uint256 value, bytes memory data) private {
        Purpose storage purpose = _livePurpose(id);
        if (!purpose.terms.passable || _isPayee(purpose, to)) _pay(purpose, from, to, id, value);
        else _safeTransferFrom(from, to, id, value, data);
    }

    function _pay(Purpose storage purpose, address from, address to, uint256 tokenId, uint256 amount) private {
        if (amount == 0) revert NoAmount();
        if (!_isPayee(purpose, to)) revert NotPayee(tokenId, to);
        _burn(from, tokenId, amount);
        purpose.supply -= amount;
        address money = purpose.terms.money;
        IERC20(money).safeTransfer(to, amount);
        emit TokenUnwrapForTarget(from, to, _one(tokenId), _one(amount), money, amount);
    }

    function _usePayment(Payment calldata payment) private returns (bytes32 digest) {
        digest = digestOf(payment);
        if (_usedPayments[digest]) revert PaymentUsed(digest);
        _usedPayments[digest] = true;
    }

    /// @dev What this contract paid to itself would be nobody's.
    function _isPayee(Purpose storage purpose, address account) private view returns (bool payee) {
        if (account == address(this)) return false;
        Terms storage terms = purpose.terms;
        bytes32 class = terms.class;
        if (terms.admission == Admission.CREATOR) return _payees[purpose.creator][class][account];
        if (terms.admission == Admission.VERIFIER) {
            (bool valid, uint8 level,,) = IWalletVerifier(terms.verifier).standingOf(account, class);
            return valid && level >= terms.level;
        }
        address engine = ISovereignMoney(terms.money).policyEngine();
        return engine != address(0) && IPolicyEngine(engine).institutionOf(terms.money, account) == class;
    }

    function _purpose(uint256 tokenId) private view returns (Purpose storage purpose) {
        purpose = _purposes[tokenId];
        if (purpose.creator == address(0)) revert UnknownPurpose(tokenId);
    }

    /// @dev What was returned has expired.
    function _livePurpose(uint256 tokenId) private view returns (Purpose storage purpose) {
        purpose = _purpose(tokenId);
        uint64 expiry = purpose.terms.expiry;
        if (block.timestamp >= expiry) revert PurposeExpired(tokenId, expiry);
    }

    function _requireAdmission(Terms calldata terms) private view {
        bool byVerifier = terms.admission == Admission.VERIFIER;
        if (byVerifier != (terms.verifier != address(0)) || byVerifier != (terms.level > 0)) revert InvalidAdmission();
        if (byVerifier && terms.verifier.code.length == 0) revert NotAContract(terms.verifier);
    }

    function _requireHolder(address holder) private view {
        if (msg.sender != holder && !isApprovedForAll(holder, msg.sender)) revert NotHolder(holder, msg.sender);
    }

    function _one(uint256 value) private pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = value;
    }
}
