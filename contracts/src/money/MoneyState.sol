// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ShortString} from "@openzeppelin/contracts/utils/ShortStrings.sol";
import {ISovereignMoney} from "../ISovereignMoney.sol";

/// @title MoneyState
/// @notice All that SovereignMoney keeps, in the order in which it lies: what is here stays where it is through every
///         upgrade, and new things come at the end. contracts/check.ts compares it with contracts/layout.json.
abstract contract MoneyState is AccessManaged, Initializable, ISovereignMoney {
    /// @dev One slot, the only one beside the two accounts that a transfer of open money reads, as one word.
    struct Head {
        address policyEngine;
        uint32 pausedUntil;
        uint8 codeLength;
        bytes7 code;
    }

    /// @dev One slot: a mint reads and writes nothing else about what there is.
    struct Issue {
        uint64 supply;
        uint64 reserve;
        uint40 attestedAt;
        uint40 validUntil;
        uint16 currency;
        uint8 decimals;
        Home home;
    }

    /// @dev One slot: a freeze reads it to know its caller.
    struct Rights {
        address issuer;
        uint40 pausedFrom;
        uint40 nextPauseFrom;
    }

    /// @dev One slot. `memo` is the policy engine's. `order` is the tag of an order that freezes the account as a
    ///      whole, `orders` how many more do. MoneyTransfers reads it as one word.
    struct Account {
        uint64 balance;
        uint64 frozen;
        uint40 memo;
        uint16 orders;
        uint72 order;
    }

    /// @dev One slot. What was left at a time; it refills to `most` within a day.
    struct Limit {
        uint64 most;
        uint64 left;
        uint64 at;
    }

    struct Limits {
        Limit minting;
        Limit burning;
    }

    /// @notice The most minor units that there can be, 2^63 − 1: what an account of the ledger can hold.
    uint64 public constant MAX_SUPPLY = uint64(type(int64).max);

    Head internal _head;
    Issue internal _issue;
    Rights internal _rights;
    ShortString internal _name;
    address internal _candidate;
    address internal _attestor;
    mapping(address account => Account) internal _accounts;
    mapping(address account => mapping(bytes32 orderId => bool)) internal _orders;
    mapping(address account => mapping(bytes32 orderId => uint64)) internal _freezes;
    mapping(bytes32 orderId => bool) internal _usedOrders;
    mapping(address minter => Limits) internal _minters;
    mapping(address bridge => Limits) internal _bridges;
    mapping(address owner => mapping(address spender => uint256)) internal _allowances;
    mapping(address owner => uint256) internal _nonces;
    mapping(address authorizer => mapping(bytes32 nonce => bool)) internal _authorizations;
}
