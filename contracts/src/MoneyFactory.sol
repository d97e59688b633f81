// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {IMoneyFactory} from "./IMoneyFactory.sol";
import {ISovereignMoney} from "./ISovereignMoney.sol";
import {MoneyProxy} from "./money/MoneyProxy.sol";

/// @title MoneyFactory
/// @notice The currencies on the chain. See IMoneyFactory for what it promises.
contract MoneyFactory is AccessManaged, IMoneyFactory {
    /// @inheritdoc IMoneyFactory
    address public implementation;

    mapping(uint16 currency => address) private _moneys;
    uint16[] private _currencies;

    constructor(address governance_, address implementation_) AccessManaged(governance_) {
        if (governance_.code.length == 0) revert NotAContract(governance_);
        _setImplementation(implementation_);
    }

    /// @inheritdoc IMoneyFactory
    function createCurrency(ISovereignMoney.Opening calldata opening) external restricted returns (address money) {
        uint16 currency = opening.currency;
        if (currency == 0) revert ZeroCurrency();
        if (_moneys[currency] != address(0)) revert CurrencyExists(currency);
        money = address(new MoneyProxy{salt: _saltOf(currency)}());
        _moneys[currency] = money;
        _currencies.push(currency);
        ISovereignMoney(money).initialize(opening, authority());
        emit CurrencyCreated(
            currency, money, opening.issuer, opening.code, opening.decimals, opening.home, opening.policyEngine
        );
    }

    /// @inheritdoc IMoneyFactory
    function setImplementation(address next) external restricted {
        _setImplementation(next);
    }

    /// @inheritdoc IMoneyFactory
    function moneyOf(uint16 currency) external view returns (address money) {
        return _moneys[currency];
    }

    /// @inheritdoc IMoneyFactory
    function addressOf(uint16 currency) external view returns (address money) {
        return Create2.computeAddress(_saltOf(currency), keccak256(type(MoneyProxy).creationCode));
    }

    /// @inheritdoc IMoneyFactory
    function currencies() external view returns (uint16[] memory numbers) {
        return _currencies;
    }

    /// @inheritdoc IMoneyFactory
    function rootFunctions() external pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](1);
        selectors[0] = this.createCurrency.selector;
    }

    function _setImplementation(address next) private {
        if (next.code.length == 0) revert NotAContract(next);
        implementation = next;
        emit ImplementationSet(next);
    }

    function _saltOf(uint16 currency) private pure returns (bytes32 salt) {
        return bytes32(uint256(currency));
    }
}
