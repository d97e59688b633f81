// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/interfaces/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Governed} from "./Governed.sol";
import {IGovernance} from "./IGovernance.sol";
import {IPolicyEngine} from "./IPolicyEngine.sol";
import {IRailGate} from "./IRailGate.sol";
import {ISovereignMoney} from "./ISovereignMoney.sol";
import {IWalletVerifier} from "./IWalletVerifier.sol";

/// @title RailGate
/// @notice Moves money between the ledger and this chain, each operation once. See IRailGate for what it promises.
contract RailGate is Governed, Multicall, IRailGate {
    using SafeERC20 for IERC20;

    /// @notice The most that an amount can be, as in the ledger.
    uint256 public constant MAX_AMOUNT = 2 ** 63 - 1;
    /// @notice What must be left of the gas before money is delivered: several times what a transfer needs.
    uint256 public constant DELIVERY_GAS = 400_000;

    /// @inheritdoc IRailGate
    uint256 public departures;

    mapping(address money => Currency) private _currencies;
    mapping(address money => mapping(bytes32 opId => Operation)) private _operations;

    constructor(address didRegistry_, address governance_) Governed(didRegistry_, governance_) {}

    /// @inheritdoc IRailGate
    function openCurrency(address money, Home home, address operator, uint64 ceiling)
        external
        restricted
        whenNotPaused
    {
        if (_currencies[money].home != Home.NONE) revert CurrencyExists(money);
        if (money.code.length == 0) revert NotAContract(money);
        bool byLedger = ISovereignMoney(money).home() == ISovereignMoney.Home.LEDGER;
        if (home != (byLedger ? Home.LEDGER : Home.CHAIN)) revert InvalidHome();
        if (operator == address(0)) revert ZeroAddress();
        _currencies[money] = Currency({operator: operator, home: home, ceiling: ceiling, held: 0, suspended: 0});
        emit CurrencyOpened(money, home, operator, ceiling);
    }

    /// @inheritdoc IRailGate
    function setOperator(address money, address operator) external restricted {
        Currency storage currency = _currency(money);
        if (operator == address(0)) revert ZeroAddress();
        currency.operator = operator;
        emit OperatorChanged(money, operator);
    }

    /// @inheritdoc IRailGate
    function setCeiling(address money, uint64 ceiling) external restricted {
        Currency storage currency = _currency(money);
        if (ceiling > currency.ceiling && _isPaused()) revert Paused();
        currency.ceiling = ceiling;
        emit CeilingChanged(money, ceiling);
    }

    /// @inheritdoc IRailGate
    function depart(address money, uint32 account, uint256 amount) external whenNotPaused returns (bytes32 opId) {
        Home home;
        (opId, home) = _depart(money, msg.sender, account, amount);
        if (home == Home.CHAIN) {
            IERC20(money).safeTransferFrom(msg.sender, address(this), amount);
            return opId;
        }
        ISovereignMoney(money).crosschainBurn(msg.sender, amount);
    }

    /// @inheritdoc IRailGate
    function departWithAuthorization(Authorization calldata authorization)
        external
        whenNotPaused
        returns (bytes32 opId)
    {
        (address money, uint256 amount) = (authorization.money, authorization.amount);
        Home home;
        (opId, home) = _depart(money, authorization.from, authorization.account, amount);
        ISovereignMoney(money)
            .receiveWithAuthorization(
                authorization.from,
                address(this),
                amount,
                authorization.validAfter,
                authorization.validBefore,
                authorizationNonceOf(authorization.account, authorization.salt),
                authorization.signature
            );
        if (home == Home.LEDGER) ISovereignMoney(money).crosschainBurn(address(this), amount);
    }

    /// @inheritdoc IRailGate
    function arrive(Arrival[] calldata arrivals) external {
        bool paused = _isPaused();
        for (uint256 i = 0; i < arrivals.length; ++i) {
            _arrive(arrivals[i], paused);
        }
    }

    /// @inheritdoc IRailGate
    function settleSuspense(address money, bytes32 opId, address to) external {
        Currency storage currency = _currencyOfCaller(money);
        Operation storage found = _operationIn(State.SUSPENDED, money, opId);
        if (!_isSamePerson(money, found.party, to)) revert NotSamePerson(found.party, to);
        currency.suspended -= found.amount;
        _deliver(money, opId, to, _isPaused());
    }

    /// @inheritdoc IRailGate
    function returnSuspense(address money, bytes32 opId) external {
        Currency storage currency = _currencyOfCaller(money);
        Operation storage found = _operationIn(State.SUSPENDED, money, opId);
        found.state = State.RETURNED;
        currency.suspended -= found.amount;
        emit Returned(opId, money, found.party, found.amount);
    }

    /// @inheritdoc IRailGate
    function cancel(address money, bytes32 opId) external {
        _currencyOfCaller(money);
        if (opId == bytes32(0)) revert ZeroIdentifier();
        _operationIn(State.NONE, money, opId).state = State.CANCELLED;
        emit Cancelled(opId, money);
    }

    /// @inheritdoc IRailGate
    function refund(address money, bytes32 opId) external {
        _currencyOfCaller(money);
        Operation storage found = _operationIn(State.DEPARTED, money, opId);
        _deliver(money, opId, found.party, _isPaused());
    }

    /// @inheritdoc IRailGate
    function operation(address money, bytes32 opId) external view returns (Operation memory found) {
        return _operations[money][opId];
    }

    /// @inheritdoc IRailGate
    function currencyOf(address money) external view returns (Currency memory currency) {
        return _currency(money);
    }

    /// @inheritdoc IRailGate
    function lockedOf(address money) external view returns (uint256 amount) {
        return _currencies[money].home == Home.CHAIN ? _currencies[money].held : 0;
    }

    /// @inheritdoc IRailGate
    function outstandingOf(address money) external view returns (uint256 amount) {
        return _currencies[money].home == Home.LEDGER ? _currencies[money].held : 0;
    }

    /// @inheritdoc IRailGate
    function inTransitOf(address money) external view returns (uint256 amount) {
        return _currencies[money].suspended;
    }

    /// @inheritdoc IRailGate
    function rootFunctions() external pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](3);
        selectors[0] = this.openCurrency.selector;
        selectors[1] = this.setOperator.selector;
        selectors[2] = this.setCeiling.selector;
    }

    /// @inheritdoc IRailGate
    function departureIdOf(uint256 counter) public view returns (bytes32 opId) {
        return keccak256(abi.encode(block.chainid, address(this), counter));
    }

    /// @inheritdoc IRailGate
    function authorizationNonceOf(uint32 account, bytes32 salt) public view returns (bytes32 nonce) {
        return keccak256(abi.encode(block.chainid, address(this), account, salt));
    }

    /// @dev Books the departure. The caller takes the money afterwards, or reverts.
    function _depart(address money, address from, uint32 account, uint256 amount)
        private
        returns (bytes32 opId, Home home)
    {
        Currency storage currency = _currency(money);
        _requireAmount(amount);
        uint256 held = currency.held;
        home = currency.home;
        if (home == Home.LEDGER) {
            if (amount > held) revert NotOutstanding(money, amount, held);
            held -= amount;
        } else {
            held += amount;
            if (held > currency.ceiling) revert CeilingExceeded(money, held, currency.ceiling);
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        currency.held = uint128(held);
        uint256 counter = departures;
        // The ledger may bring any id: one of its that stands where this one would is left to it.
        do {
            opId = departureIdOf(++counter);
        } while (_operations[money][opId].state != State.NONE);
        departures = counter;
        // forge-lint: disable-next-line(unsafe-typecast)
        uint64 minor = uint64(amount);
        _operations[money][opId] = Operation({party: from, amount: minor, state: State.DEPARTED, departs: true});
        emit Departed(opId, money, from, account, amount);
    }

    function _arrive(Arrival calldata arrival, bool paused) private {
        (bytes32 opId, address money) = (arrival.opId, arrival.money);
        _currencyOfCaller(money);
        if (opId == bytes32(0)) revert ZeroIdentifier();
        _requireAmount(arrival.amount);
        Operation storage known = _operations[money][opId];
        if (known.state != State.NONE) {
            emit Skipped(opId, money, known.state);
            return;
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        (known.party, known.amount) = (arrival.to, uint64(arrival.amount));
        _deliver(money, opId, arrival.to, paused);
    }

    /// @dev Gives the wallet the money of an operation that is no part of what is suspended, or suspends it. The books
    ///      are written before the money is called.
    function _deliver(address money, bytes32 opId, address to, bool paused) private {
        if (gasleft() < DELIVERY_GAS) revert GasTooLow();
        Currency storage currency = _currencies[money];
        Operation storage moved = _operations[money][opId];
        (address party, uint64 amount, uint128 held) = (moved.party, moved.amount, currency.held);
        bytes memory reason = _obstacle(currency, money, to, amount, paused);
        if (reason.length == 0) {
            bool byLedger = currency.home == Home.LEDGER;
            currency.held = byLedger ? held + amount : held - amount;
            (moved.party, moved.state) = (to, moved.departs ? State.REFUNDED : State.ARRIVED);
            bool given;
            (given, reason) = byLedger ? _mint(money, to, amount) : _unlock(money, to, amount);
            if (given) {
                if (moved.departs) emit Refunded(opId, money, to, amount);
                else emit Arrived(opId, money, to, amount);
                return;
            }
            currency.held = byLedger ? currency.held - amount : currency.held + amount;
        }
        currency.suspended += amount;
        (moved.party, moved.state) = (party, State.SUSPENDED);
        emit Suspended(opId, money, to, amount, reason);
    }

    function _mint(address money, address to, uint256 amount) private returns (bool given, bytes memory reason) {
        try ISovereignMoney(money).crosschainMint(to, amount) {
            return (true, "");
        } catch (bytes memory refusal) {
            return (false, refusal);
        }
    }

    function _unlock(address money, address to, uint256 amount) private returns (bool given, bytes memory reason) {
        try IERC20(money).transfer(to, amount) returns (bool done) {
            return (done, "");
        } catch (bytes memory refusal) {
            return (false, refusal);
        }
    }

    /// @dev What stands in the way on this side, as revert data; empty when nothing does.
    function _obstacle(Currency storage currency, address money, address to, uint256 amount, bool paused)
        private
        view
        returns (bytes memory reason)
    {
        if (paused) return abi.encodeWithSelector(Paused.selector);
        if (to == address(0) || to == address(this) || to == money) {
            return abi.encodeWithSelector(InvalidReceiver.selector, to);
        }
        uint256 held = currency.held;
        if (currency.home == Home.CHAIN) {
            return amount > held ? abi.encodeWithSelector(NotLocked.selector, money, amount, held) : bytes("");
        }
        if (held + amount <= currency.ceiling) return "";
        return abi.encodeWithSelector(CeilingExceeded.selector, money, held + amount, currency.ceiling);
    }

    function _operationIn(State state, address money, bytes32 opId) private view returns (Operation storage found) {
        found = _operations[money][opId];
        if (found.state != state) revert WrongState(opId, found.state);
    }

    function _currency(address money) private view returns (Currency storage currency) {
        currency = _currencies[money];
        if (currency.home == Home.NONE) revert UnknownCurrency(money);
    }

    function _currencyOfCaller(address money) private view returns (Currency storage currency) {
        currency = _currency(money);
        if (msg.sender != currency.operator) revert NotOperator(money, msg.sender);
    }

    function _isSamePerson(address money, address party, address to) private view returns (bool same) {
        if (to == party) return true;
        address engine = ISovereignMoney(money).policyEngine();
        if (engine == address(0)) return false;
        bytes32 domain = ISovereignMoney(money).domain();
        IWalletVerifier verifier = IPolicyEngine(engine).walletVerifier();
        bytes32 pseudonym = verifier.pseudonymOf(party, domain);
        return pseudonym != bytes32(0) && pseudonym == verifier.pseudonymOf(to, domain);
    }

    function _isPaused() private view returns (bool paused) {
        return IGovernance(authority()).isPaused(address(this));
    }

    function _requireAmount(uint256 amount) private pure {
        if (amount == 0 || amount > MAX_AMOUNT) revert AmountOutOfRange(amount);
    }
}
