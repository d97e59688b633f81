// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISovereignMoney} from "./ISovereignMoney.sol";

/// @title IMoneyFactory
/// @notice The currencies on the chain. Each is a SovereignMoney behind a proxy of its own, whose address follows from
///         this contract and the currency's number alone, so that it is known before it stands. A number serves once.
///
///         Who may mint, freeze and order is the money's issuer; what the code of a money is, Governance's
///         administrator (a timelock). This contract has no say in a currency that it made.
interface IMoneyFactory {
    /// @notice A currency was made; `money` is its ERC-20.
    event CurrencyCreated(
        uint16 indexed currency,
        address indexed money,
        address indexed issuer,
        string code,
        uint8 decimals,
        ISovereignMoney.Home home,
        address policyEngine
    );
    /// @notice Currencies made from now on have this implementation.
    event ImplementationSet(address indexed implementation);

    /// @notice The currency's number is zero.
    error ZeroCurrency();
    /// @notice The number serves a currency already.
    error CurrencyExists(uint16 currency);
    /// @notice There is no contract at this address.
    error NotAContract(address account);

    /// @notice Makes a currency and its money.
    /// @dev    ROOT. Errors, in order: AccessManagedUnauthorized, ZeroCurrency, CurrencyExists, InvalidOpening,
    ///         NotAContract.
    function createCurrency(ISovereignMoney.Opening calldata opening) external returns (address money);

    /// @notice The implementation of currencies to come; those that stand are upgraded one by one.
    /// @dev    Governance's administrator. Errors, in order: AccessManagedUnauthorized, NotAContract.
    function setImplementation(address next) external;

    /// @notice The money of a currency, or zero.
    function moneyOf(uint16 currency) external view returns (address money);

    /// @notice Where the money of a currency stands or will stand.
    function addressOf(uint16 currency) external view returns (address money);

    /// @notice The currencies in the order of their making.
    function currencies() external view returns (uint16[] memory numbers);

    /// @notice What a proxy that is being made runs.
    function implementation() external view returns (address code);

    /// @notice The functions that belong to the root; see ITrustRegistry.rootFunctions.
    function rootFunctions() external pure returns (bytes4[] memory selectors);
}
